import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurons.search import Frame, compress, frame_of, stream
from neurons.search.moments import moments, triangle_of
from neurons.search.reduced import reduce_triangle


def data(seed, samples=300, inputs=4):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 3, (samples, inputs))
    return x, np.sin(x).sum(axis=1) + rng.normal(size=samples)


@pytest.mark.parametrize("degree", [8, 16, 64, 128])
def test_moments_are_sums_of_cosines(degree):
    x, _ = data(0)
    frame = frame_of(x)
    angle = np.arccos(frame.inward(x))
    direct = np.stack([np.cos(p * angle).sum(axis=1) for p in range(degree)], axis=1)
    np.testing.assert_allclose(moments(x, frame, degree), direct, atol=1e-11)


def test_the_triangle_is_that_of_the_whole_design():
    x, y = data(1)
    frame = frame_of(x)
    design = moments(x, frame)
    design[:, 0] = 1.0
    whole = triangle_of(np.column_stack([design, y]))
    found = compress(x, y, frame, rows=64).factor
    np.testing.assert_allclose(found, whole, atol=1e-11 * np.abs(whole).max())


def test_parts_merge_to_the_whole():
    x, y = data(2)
    frame = frame_of(x)
    whole = compress(x, y, frame)
    parts = [(x[start : start + 70], y[start : start + 70]) for start in range(0, 300, 70)]
    merged = stream(parts, frame)
    assert merged.samples == 300
    np.testing.assert_allclose(merged.factor, whole.factor, atol=1e-12 * np.abs(whole.factor).max())


def test_only_like_triangles_merge():
    x, y = data(3)
    one = compress(x, y, Frame(-2.0, 3.0))
    with pytest.raises(ValueError, match="only triangles of one frame"):
        one.merge(compress(x, y, Frame(-2.0, 4.0)))
    with pytest.raises(ValueError, match="only triangles of one frame"):
        one.merge(compress(x[:, :2], y, Frame(-2.0, 3.0)))


def test_streams_refuse_what_they_cannot_hold():
    x, y = data(4)
    with pytest.raises(ValueError, match="outside the frame"):
        stream([(x, y)], Frame(-1.0, 1.0))
    with pytest.raises(ValueError, match="at least one part"):
        stream([], Frame(-1.0, 1.0))


@given(st.integers(0, 10**6))
def test_the_reduced_loss_is_the_loss_of_the_data(seed):
    """The fact that the search rests on."""
    rng = np.random.default_rng(seed)
    x, y = data(seed)
    a, b, c = rng.normal(size=3)
    values = lambda t: a * t**3 + b * np.sin(2 * t + c)  # noqa: E731
    column = values(x).sum(axis=1)
    problem = reduce_triangle(compress(x, y, frame_of(x)))
    reduced = ((problem.target[:, 0] - problem.columns(values(problem.nodes))) ** 2).sum()
    error = (y - y.mean()) - (column - column.mean())
    np.testing.assert_allclose(reduced + problem.rest, (error**2).sum(), rtol=1e-10)
    np.testing.assert_allclose(problem.means(values(problem.nodes)), column.mean(), rtol=1e-9)


def test_weights_are_repeated_samples():
    x, y = data(5, samples=120)
    frame = frame_of(x)
    times = np.random.default_rng(0).integers(0, 4, 120)
    weighted = compress(x, y, frame, weights=times.astype(float)).factor
    repeated = compress(np.repeat(x, times, axis=0), np.repeat(y, times), frame).factor
    np.testing.assert_allclose(weighted, repeated, atol=1e-11 * np.abs(repeated).max())


def test_heavy_tails_get_a_bent_frame():
    x = np.random.default_rng(0).standard_cauchy((2000, 3))
    frame = frame_of(x)
    assert frame.width > 0
    inside = frame.inward(x)
    assert np.abs(inside).max() == 1.0
    assert 0.2 < (np.abs(inside) < 0.5).mean() < 1  # the bulk does not collapse to one place
    back = frame.nodes(64)
    np.testing.assert_allclose(np.arccos(frame.inward(back)), np.pi * (np.arange(64) + 0.5) / 64)


def test_a_frame_needs_width():
    with pytest.raises(ValueError, match="finite low < high"):
        Frame(1.0, 1.0)
    with pytest.raises(ValueError, match="every input is 2"):
        frame_of(np.full((10, 2), 2.0))
