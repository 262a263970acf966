"""Best radial fits against closed forms, a table and regression; the sum target."""

import numpy as np
import pytest
from scipy.special import hyp0f1

from theory import separation as sep

RADIUS = {1: 0.5, 2: 0.56419, 3: 0.62035, 5: 0.71737, 10: 0.91063, 20: 1.20064}
DIMENSIONS = (2, 3, 5, 10, 20, 50)
COSINE = {
    1: ("0.48992", "0.32261", "0.19083", "0.09401", "0.04656", "0.01850"),
    2: ("0.39159", "0.22132", "0.10799", "0.04274", "0.01830", "0.00657"),
    4: ("0.20109", "0.06250", "0.01099", "0.000705", "0.000043", "0.000002"),
}


@pytest.mark.parametrize("d", RADIUS)
def test_ball_of_volume_one(d):
    assert sep.unit_ball_radius(d) == pytest.approx(RADIUS[d], abs=5e-6)


def test_the_inner_product_part_has_the_energy_it_should():
    # Parseval on the line: int g^2 dt = int ghat^2 / (2 pi), with ghat constant up to T.
    d, delta = 5, 0.5
    t = np.linspace(-4000, 4000, 4_000_001)
    energy = (sep.inner_product_part(d, delta)(t) ** 2).sum() * (t[1] - t[0])
    assert energy == pytest.approx(1 / (2 * np.pi), rel=1e-3)


@pytest.mark.parametrize("d", DIMENSIONS)
def test_radial_functions_explain_one_dth_of_a_square_and_nothing_of_a_line(d):
    assert sep.radial_r2(lambda t: t**2 - 1, d) == pytest.approx(1 / d, rel=1e-12)
    assert sep.radial_r2(lambda t: t, d) == pytest.approx(0, abs=1e-20)


@pytest.mark.parametrize("w", COSINE)
def test_cosines_to_all_printed_digits(w):
    for d, printed in zip(DIMENSIONS, COSINE[w], strict=True):
        digits = len(printed) - 2
        assert f"{sep.radial_r2(lambda t: np.cos(w * t), d):.{digits}f}" == printed


def test_the_mean_of_a_cosine_is_a_bessel_function():
    r = np.linspace(0, 6, 20)
    for d in (2, 3, 10):
        exact = hyp0f1(d / 2, -((2 * r) ** 2) / 4)
        assert sep.mean_over_sphere(lambda t: np.cos(2 * t), d, r) == pytest.approx(
            exact, abs=1e-12
        )


def test_the_plateau_is_what_samples_show():
    d = 3
    x = np.random.default_rng(0).normal(size=(400_000, d))
    target, r = np.cos(2 * x[:, 0]), np.linalg.norm(x, axis=1)
    bins = np.searchsorted(np.quantile(r, np.linspace(0, 1, 201)[1:-1]), r)
    means = np.bincount(bins, target) / np.bincount(bins)
    explained = means[bins].var() / target.var()
    assert sep.radial_r2(lambda t: np.cos(2 * t), d) == pytest.approx(explained, abs=0.005)


def test_wider_radial_networks_reach_the_plateau_and_never_pass_it():
    d, profile = 5, lambda t: np.cos(2 * t)
    plateau = sep.radial_r2(profile, d)
    reached = [sep.radial_network_r2(profile, d, width) for width in (1, 4, 16, 64, 2000)]
    assert max(reached) <= plateau + 1e-9
    assert reached[-1] == pytest.approx(plateau, rel=1e-3)
    assert reached[0] < reached[2]


def test_the_best_radial_function_scores_the_plateau_and_others_less():
    d, profile = 10, np.square
    best = sep.radial_score(lambda r: r**2 / d, profile, d)
    assert best == pytest.approx(sep.radial_r2(profile, d), rel=1e-10)
    assert sep.radial_score(lambda r: r**2 / d + 0.1, profile, d) < best


def test_mixed_neurons_win_on_the_sum():
    generator = np.random.default_rng(0)
    d = 10
    x = generator.normal(size=(3000, d))
    error = {
        name: sep.greedy_error(atoms, lambda p: sep.sum_target(p).both, x, 16)
        for name, atoms in sep.dictionaries(d, generator, directions=20).items()
    }
    assert 5 * error["mixed"] < min(error["conventional"], error["radial"])


def test_misuse_is_named(unchecked):
    with pytest.raises(ValueError, match="dimension"):
        sep.unit_ball_radius(0)
    with pytest.raises(ValueError, match="delta"):
        sep.inner_product_part(3, 1.0)
    with pytest.raises(ValueError, match="dimension 2"):
        sep.radial_r2(np.square, 1)
