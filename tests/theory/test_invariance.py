import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import neurons as nr
from neurons.backbones.cloud_rain import PointNet
from theory.invariance import (
    Gap,
    Motion,
    assert_invariant,
    axis_mirrors,
    finite,
    improper,
    invariance_gap,
    mirrors,
    orthogonal,
    permutations,
    rotations,
    translations,
)

KEY = jax.random.key(0)
SHAPE = (9, 3)
MATRIX_GROUPS = {
    "O": (orthogonal, None),
    "SO": (rotations, 1),
    "improper": (improper, -1),
    "mirrors": (mirrors, -1),
    "axis mirrors": (axis_mirrors, -1),
}


def clouds(batch=4, d=3):
    return jnp.asarray(np.random.default_rng(0).normal(size=(batch, 9, d)), jnp.float32)


def distances(x):
    """The sorted distances of all points to the mean: invariant under everything that is rigid."""
    return jnp.sort(jnp.square(x - x.mean(axis=1, keepdims=True)).sum(axis=2), axis=1)


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("name", MATRIX_GROUPS)
def test_elements_are_orthogonal_with_the_determinant_of_their_group(name, d):
    build, determinant = MATRIX_GROUPS[name]
    matrices = np.stack([g.matrix for g in build(d).elements(20, (9, d), key=KEY)])
    assert np.abs(matrices @ np.swapaxes(matrices, 1, 2) - np.eye(d)).max() < 1e-12
    found = np.linalg.det(matrices)
    if determinant is None:
        assert {-1, 1} == set(np.round(found))
    else:
        np.testing.assert_allclose(found, determinant)


def test_mirrors_are_their_own_inverses_and_move_one_direction_only():
    for mirror in [
        *mirrors(3).elements(5, SHAPE, key=KEY),
        *axis_mirrors(3).elements(3, SHAPE, key=KEY),
    ]:
        np.testing.assert_allclose(mirror.matrix @ mirror.matrix, np.eye(3), atol=1e-12)
        assert np.trace(mirror.matrix) == pytest.approx(1)


def test_rotations_are_uniform():
    matrices = np.stack([g.matrix for g in rotations(3).elements(4000, SHAPE, key=KEY)])
    # Under the Haar measure entries have mean 0 and variance 1/3, and the trace has variance 1.
    assert np.abs(matrices.mean(axis=0)).max() < 0.05
    assert np.abs(np.square(matrices).mean(axis=0) - 1 / 3).max() < 0.03
    traces = np.trace(matrices, axis1=1, axis2=2)
    assert abs(traces.mean()) < 0.07
    assert traces.var() == pytest.approx(1, abs=0.1)


def test_products_act_one_after_the_other():
    parts = [orthogonal(3), translations(0.5), permutations(), orthogonal(3)]
    whole = parts[0] * parts[1] * parts[2] * parts[3]
    element = whole.elements(1, SHAPE, key=KEY)[0]
    rng = np.random.default_rng(np.asarray(jax.random.key_data(KEY)).ravel())
    expected = clouds()
    for part in parts:
        expected = part.draw(rng, 0, SHAPE)(expected)
    np.testing.assert_allclose(element(clouds()), expected, atol=1e-6)
    assert whole.name == "O(3) * translations(0.5) * permutations * O(3)"


def test_the_same_key_draws_the_same_elements():
    one, same, other = (
        mirrors(3).elements(1, SHAPE, key=jax.random.key(seed))[0].matrix for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-3


def test_rigid_motions_are_exact_to_one_rounding():
    wide = np.asarray(clouds(), np.float64)
    motion = (orthogonal(3) * translations(1.0)).elements(1, SHAPE, key=KEY)[0]
    expected = (wide @ motion.matrix + motion.shift).astype(np.float32)
    np.testing.assert_array_equal(motion(clouds()), expected)
    assert motion(clouds()).dtype == jnp.float32


@pytest.mark.parametrize(
    "group",
    [orthogonal(3), mirrors(3) * translations(2.0), permutations() * improper(3)],
    ids=str,
)
def test_an_invariant_function_passes(group):
    assert_invariant(distances, clouds(), group, key=KEY, tolerance=1e-4)


def test_equivariant_functions_pass_with_their_answers():
    centered = lambda x: x - x.mean(axis=1, keepdims=True)  # noqa: E731
    group = orthogonal(3) * permutations()
    mean = lambda x: x.mean(axis=1)  # noqa: E731
    lengths = lambda x: jnp.square(x).sum(axis=2)  # noqa: E731
    everything = (mean, Motion.turn), (lengths, Motion.reorder), (centered, Motion.__call__)
    for function, answer in everything:
        assert_invariant(function, clouds(), group, key=KEY, answer=answer, tolerance=1e-5)
        with pytest.raises(AssertionError, match="not invariant under"):
            assert_invariant(function, clouds(), group, key=KEY)


def test_the_gap_is_the_largest_change_and_says_where():
    def seen(x):  # changes under the mirror of axis 1, in cloud 2 by most
        return x[:, :, 1].mean(axis=1)

    x = clouds().at[2, :, 1].add(5.0)
    gap = invariance_gap(seen, x, axis_mirrors(3), key=KEY, samples=3)
    expected = 2 * np.abs(np.asarray(seen(x)))
    np.testing.assert_allclose(gap.changes, [0 * expected, expected, 0 * expected], rtol=1e-6)
    assert gap.cloud == 2
    assert str(gap.worst) == "mirror of axis 1"
    assert gap.largest == pytest.approx(expected[2])
    assert gap.mean == pytest.approx(expected.sum() / 12)


def test_the_message_names_element_cloud_and_change():
    x = clouds().at[2].multiply(10.0)
    with pytest.raises(AssertionError) as error:
        assert_invariant(lambda x: x.sum(axis=1), x, mirrors(3), tolerance=1e-3, key=KEY, samples=5)
    message = str(error.value)
    assert message.startswith("not invariant under mirrors(3) to 0.001: largest change")
    assert "over 5 elements and 4 clouds, of cloud 2 under mirror of normal (" in message


def test_nan_is_no_invariance():
    with pytest.raises(AssertionError, match="largest change nan"):
        assert_invariant(lambda x: jnp.log(x).sum(axis=1), clouds(), orthogonal(3), key=KEY)


def test_a_half_turn_is_no_mirror():
    """The released code of Cloud-RAIN tests its reflections with diag(1, -1, -1)."""

    def chirality(x):
        return jnp.linalg.det(jnp.moveaxis(x[:, :3], 1, 1))

    turn = finite("released", {"half turn": np.diag([1.0, -1.0, -1.0])})
    assert_invariant(chirality, clouds(), turn, key=KEY, samples=1, tolerance=1e-5)
    assert invariance_gap(chirality, clouds(), axis_mirrors(3), key=KEY).largest > 0.1


def test_a_module_is_measured_as_it_is_and_left_so():
    net = PointNet(nr.quadratic, 2, widths=(4,), hidden=(), rngs=nnx.Rngs(0))
    net.train()
    before = jax.tree.map(np.asarray, nnx.state(net))
    gap = invariance_gap(net, clouds(), permutations(), key=KEY, samples=2)
    assert isinstance(gap, Gap)
    assert gap.largest < 1e-5
    jax.tree.map(np.testing.assert_array_equal, before, jax.tree.map(np.asarray, nnx.state(net)))
    assert invariance_gap(net, clouds(), mirrors(3), key=KEY, samples=2).largest > 1e-2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: invariance_gap(distances, clouds(), mirrors(3), key=KEY, samples=0), "samples"),
        (lambda: invariance_gap(distances, jnp.ones((2, 0, 3)), mirrors(3), key=KEY), "clouds"),
        (lambda: translations(0.0), "scale must be positive"),
        (lambda: orthogonal(0), "dimension must be at least 1"),
        (lambda: finite("none", {}), "needs square matrices"),
        (lambda: finite("flat", {"a": np.ones((2, 3))}), "needs square matrices"),
    ],
)
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
