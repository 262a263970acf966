import numpy as np
import pytest

from neurons.data.interaction_cases import CASES, Case, case, evaluate, sample


def test_the_fifteen_cases_have_the_authors_structures():
    assert [(c.powers, c.orders) for c in CASES] == [
        ((2,), ()),
        ((3,), ()),
        ((1, 2), ()),
        ((2, 4), ()),
        ((5,), ()),
        ((), (2,)),
        ((), (2, 3)),
        ((), (2, 3)),
        ((), (2, 4)),
        ((), (4,)),
        ((2,), (2,)),
        ((1,), (2,)),
        ((3,), (2,)),
        ((2,), (3,)),
        ((2,), (3,)),
    ]


@pytest.mark.parametrize("name", ["pure 2", "interact 3", "hybrid 3"])
def test_y_is_the_formula_standardised_with_noise(name):
    drawn = sample(name, rows=4000, inputs=6, noise=0.5)
    assert drawn.x.shape == (4000, 6)
    assert drawn.y.mean() == pytest.approx(0, abs=1e-12)
    assert drawn.y.std() == pytest.approx(1)
    value = evaluate(drawn.x, drawn.power_sums, drawn.factors)
    assert np.ptp(value - drawn.clean) < 1e-12  # up to a constant
    scale = {"pure 2": drawn.power_sums.get(1, 1) / 10, "hybrid 3": drawn.power_sums.get(2, 1) * 2}
    if name in scale:  # where a coefficient is fixed, it tells the scale of the noise
        assert np.std(drawn.y - drawn.clean) == pytest.approx(0.5 * scale[name], rel=0.05)


def test_formula_and_rows_have_their_own_seeds():
    base, rows, formula = (
        sample("interact 1", rows=50, formula=f, seed=s) for f, s in ((0, 0), (0, 1), (1, 0))
    )
    ratio = rows.factors[2] / base.factors[2]
    assert np.ptp(ratio[1]) < 1e-12  # one formula in another scale
    assert not np.allclose(base.x, rows.x)
    np.testing.assert_array_equal(base.x, formula.x)
    assert not np.allclose(formula.factors[2][1], base.factors[2][1])
    np.testing.assert_array_equal(base.y, sample("interact 1", rows=50).y)


def test_coefficients_keep_to_their_ranges():
    tried = Case("tried", {2: (1.0, 3.0)}, {3: 0.5})
    drawn = [sample(tried, rows=10, noise=0.0, formula=f) for f in range(60)]
    assert {np.sign(one.power_sums[2]) for one in drawn} == {-1.0, 1.0}
    assert all(one.power_sums[2] == pytest.approx(ratio(one), rel=1e-9) for one in drawn)


def ratio(drawn):
    """The coefficient of the power sum, read off the clean values."""
    product = (drawn.x @ drawn.factors[3].T).prod(axis=1)
    columns = np.stack([np.ones(len(drawn.x)), (drawn.x**2).sum(axis=1)], axis=1)
    return np.linalg.lstsq(columns, drawn.clean - product, rcond=None)[0][1]


def test_a_sample_says_what_it_is():
    assert str(sample("pure 0", rows=20, inputs=3)) == "simulated pure 0, 20 x 3"
    assert case("hybrid 4") is CASES[-1]


@pytest.mark.parametrize(
    "options",
    [{"of": "impure"}, {"rows": 1}, {"inputs": 0}, {"noise": -1.0}],
    ids=["case", "rows", "inputs", "noise"],
)
def test_misuse_is_named(options):
    with pytest.raises(ValueError, match=r"cases are|needs rows"):
        sample(**{"of": "pure 0", **options})
