import jax
import jax.numpy as jnp
import numpy as np
import pytest
from symmetric_clouds import in_space, in_the_plane

from neurons.backbones.cloud_rain.frames import canonical, frames, point_frame, signs, trusted

GAPS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


def turned(points, det, rng, batch=16, shift=0.3):
    """Images of one cloud under random elements of O(d), shifts and orders of the points."""
    d = points.shape[1]
    turns, _ = np.linalg.qr(rng.normal(size=(batch, d, d)))
    if det is not None:
        turns[:, :, 0] *= (np.sign(np.linalg.det(turns)) * det)[:, None]
    images = points @ turns + shift * rng.normal(size=(batch, 1, d))
    return jnp.asarray(images[:, rng.permutation(len(points))], jnp.float32)


def with_gap(gap, rng, number=72):
    """A cloud in random position whose variances are 1, 1 - gap and (1 - gap) / 4."""
    z, _ = np.linalg.qr(rng.normal(size=(number, 4)) - [0, 0, 0, 1])
    z = z - z.mean(axis=0)
    values, axes = np.linalg.eigh(z.T @ z / number)
    z = (z @ axes / np.sqrt(values))[:, :3] * np.sqrt([1, 1 - gap, (1 - gap) / 4])
    return z @ np.linalg.qr(rng.normal(size=(3, 3)))[0]


def in_float64(points):
    """The oracle: the canonical representation by NumPy, of the very float32 numbers given."""
    points = np.asarray(points, np.float64)
    centered = points - points.mean(axis=1, keepdims=True)
    covariance = np.einsum("bni,bnj->bij", centered, centered) / points.shape[1]
    values, axes = (a[..., ::-1] for a in np.linalg.eigh(covariance))
    return centered @ axes, axes, values


def apart(ours, theirs):
    """Largest difference per cloud once each column has the sign that fits."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    fit = np.sign((ours * theirs).sum(axis=1, keepdims=True))
    return np.abs(ours * fit - theirs).max(axis=(1, 2))


@pytest.fixture(scope="module")
def near_degenerate():
    rng = np.random.default_rng(0)
    return np.stack([with_gap(gap, rng) for gap in GAPS]).astype(np.float32)


def test_coordinates_are_float64_ones_rounded_whatever_the_gap(near_degenerate):
    found = canonical(jnp.asarray(near_degenerate))
    points, axes, values = in_float64(near_degenerate)
    assert found.points.dtype == jnp.float32
    assert apart(found.points, points).max() < 1e-6
    assert apart(found.frame, axes).max() < 1e-7
    np.testing.assert_allclose(found.spectrum, values, rtol=1e-6)
    np.testing.assert_allclose(found.gap, GAPS, rtol=0.1, atol=2e-8)


def test_a_float32_covariance_would_lose_them(near_degenerate):
    x = near_degenerate - near_degenerate.mean(axis=1, keepdims=True)
    _, axes = np.linalg.eigh(np.einsum("bni,bnj->bij", x, x))
    errors = apart(x @ axes[..., ::-1], in_float64(near_degenerate)[0])
    assert errors[-1] > 1e-3
    assert errors[-1] > 100 * errors[0]


def test_coordinates_of_moved_clouds_differ_by_rounding_over_the_gap():
    rng = np.random.default_rng(1)
    for gap in GAPS[:4]:
        images = turned(with_gap(gap, rng), None, rng)
        z = np.sort(np.abs(np.asarray(canonical(images).points, np.float64)), axis=1)
        assert np.abs(z - z[:1]).max() < 1e-6 / gap


def test_float64_clouds_stay_float64():
    with jax.enable_x64(True):
        points = jnp.asarray(np.random.default_rng(0).normal(size=(2, 9, 3)))
        found = canonical(points)
        assert found.points.dtype == jnp.float64
        assert apart(found.points, in_float64(points)[0]).max() < 1e-13


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("group", ["O", "SO"])
def test_frames_are_orthogonal_and_as_many_as_there_are_signs(d, group):
    points = jnp.asarray(np.random.default_rng(0).normal(size=(4, 9, d)), jnp.float32)
    found = np.asarray(frames(points, group))
    assert found.shape == (4, 2 ** (d if group == "O" else d - 1), d, d)
    assert np.abs(np.swapaxes(found, -1, -2) @ found - np.eye(d)).max() < 1e-6
    determinants = np.linalg.det(found)
    expected = np.ones(found.shape[:2]) if group == "SO" else np.sign(determinants)
    np.testing.assert_allclose(determinants, expected, atol=1e-6)
    assert len({tuple(row) for row in np.sign(found[0, :, 0]).tolist()}) > 1


def invariant(points, group, gap=1e-3):
    """An average over frames of a function whose only symmetry is that of the points' order."""
    z = trusted(points, group, gap).points
    d = z.shape[-1]
    weights, shifts = np.split(np.random.default_rng(5).normal(size=(d + 1, 32)), [d])
    views = z[:, None] * jnp.asarray(signs(d, group), jnp.float32)[None, :, None]
    seen = jnp.tanh(
        views @ weights.astype(np.float32) + shifts.astype(np.float32).reshape(1, 1, 1, -1)
    )
    return np.asarray(seen.max(axis=2).mean(axis=1))


CLOUDS = {**in_space(), **in_the_plane()}


@pytest.mark.parametrize("group", ["O", "SO"])
@pytest.mark.parametrize("name", CLOUDS)
def test_clouds_without_principal_axes_have_frames_that_turn_with_them(name, group):
    rng = np.random.default_rng(2)
    images = turned(CLOUDS[name], None if group == "O" else 1, rng)
    assert float(canonical(images).gap.max()) < 1e-6
    values = invariant(images, group)
    assert np.abs(values - values[:1]).max() < 1e-5
    # Trusting the principal axes all the same is the planted fault.
    wrong = invariant(images, group, gap=0.0)
    assert np.abs(wrong - wrong[:1]).max() > 5e-3


@pytest.mark.parametrize("name", ["rotations of three points", "ball", "disc"])
def test_rotations_alone_keep_chiral_clouds_apart(name):
    rng = np.random.default_rng(3)
    values, mirrored = (invariant(turned(CLOUDS[name], det, rng), "SO") for det in (1, -1))
    assert np.abs(values - mirrored).max() > 1e-3


@pytest.mark.parametrize("name", ["cube", "mirror image", "bottle", "square"])
def test_rotations_alone_see_no_difference_in_mirror_symmetric_clouds(name):
    rng = np.random.default_rng(3)
    values, mirrored = (invariant(turned(CLOUDS[name], det, rng), "SO") for det in (1, -1))
    assert np.abs(values - mirrored).max() < 1e-5


@pytest.mark.parametrize("group", ["O", "SO"])
def test_averages_jump_where_eigenvalues_cross_and_where_axes_are_no_longer_trusted(group):
    """No choice of one frame is continuous (Dym, Lawrence, Siegel, arXiv 2402.16077)."""
    widths = np.array([-0.04, -0.02, -0.002, -0.0004, 0.0004, 0.002, 0.02, 0.04])
    points = np.stack([CLOUDS["ball"] * np.sqrt([1 + w, 1, 0.5]) for w in widths])
    values = invariant(jnp.asarray(points, jnp.float32), group)
    steps = np.abs(np.diff(values, axis=0)).max(axis=1)
    smooth, jumps = steps[[0, 1, 3, 5, 6]], steps[[2, 4]]
    assert smooth.max() < 2e-2  # the same axes on both sides
    assert jumps.min() > 5e-2  # axes of the covariance here, of the points there


def special():
    line = np.outer(np.arange(72.0) ** 2 / 5000, [1, -2, 0.5])
    flat = np.random.default_rng(0).normal(size=(72, 3)) * [1, 0.5, 0]
    return {"line": line, "identical": np.full((72, 3), 0.7), "flat": flat}


@pytest.mark.parametrize(("name", "gap"), [("line", 1.0), ("identical", 1.0), ("flat", None)])
def test_axes_along_which_nothing_varies_need_no_gap(name, gap):
    rng = np.random.default_rng(4)
    images = turned(special()[name], None, rng)
    found = canonical(images)
    assert float(found.gap.min()) > 0.1
    if gap is not None:
        np.testing.assert_allclose(found.gap, gap, atol=1e-6)
    z = np.sort(np.abs(np.asarray(found.points)), axis=1)
    assert np.abs(z - z[:1]).max() < 1e-5
    local = np.asarray(point_frame(images))
    assert np.abs(np.swapaxes(local, 1, 2) @ local - np.eye(3)).max() < 1e-5


def test_one_point_is_its_own_center():
    found = canonical(jnp.full((1, 1, 3), 2.0))
    np.testing.assert_array_equal(found.points, 0)
    np.testing.assert_array_equal(found.center, 2)


@pytest.mark.parametrize("group", ["O", "SO"])
def test_gradients_are_finite_and_those_of_fixed_axes(group):
    clouds = [CLOUDS["cube"], CLOUDS["bottle"], *special().values(), with_gap(1e-6, np.random)]
    points = jnp.asarray(np.stack(clouds), jnp.float32)

    @jax.jit
    def slope(points):
        return jax.grad(lambda p: (jnp.sin(trusted(p, group).points) ** 2).sum())(points)

    found = trusted(points, group)
    z, axes = np.asarray(found.points, np.float64), np.asarray(found.frame, np.float64)
    along = np.sin(2 * z)
    expected = (along - along.mean(axis=1, keepdims=True)) @ np.swapaxes(axes, 1, 2)
    np.testing.assert_allclose(slope(points), expected, atol=1e-5)


nan = np.ones((2, 5, 3), np.float32)
nan[1, 2, 2] = np.nan


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: canonical(jnp.ones((2, 5, 4))), "2 or 3 coordinates"),
        (lambda: canonical(jnp.ones((2, 0, 3))), "empty cloud"),
        (lambda: canonical(jnp.asarray(nan)), "NaN or infinity, first in cloud 1"),
        (lambda: frames(jnp.ones((2, 5, 3)), "U"), 'group must be "O" or "SO"'),
        (lambda: frames(jnp.ones((2, 5, 3)), "O", -1.0), "gap must not be negative"),
        (lambda: point_frame(jnp.ones((2, 5))), "batch, points, coordinates"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
