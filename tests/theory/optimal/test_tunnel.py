import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.optimal import tunnel
from theory.optimal.tunnel import Bars, padded, sew, thread
from theory.piecewise import PiecewiseLinear

HEIGHTS = st.lists(st.integers(0, 12), min_size=9, max_size=9)


def through(y, level, continuous, most=99):
    x = np.arange(len(y), dtype=float)
    values = np.asarray(y, float)
    return x, values, thread(Bars.around(x, values, np.full(x.size, level)), most, continuous)


@given(y=HEIGHTS, level=st.sampled_from([0.3, 0.7, 1.1, 2.3]), continuous=st.booleans())
def test_a_thread_passes_all_bars_with_its_count_of_pieces(y, level, continuous):
    x, values, links = through(y, level, continuous)
    function = sew(x, links, continuous)
    assert links[-1].missed == 0
    assert function.segments == len(links)
    assert np.abs(function(x) - values).max() <= level + 1e-9
    if continuous:
        np.testing.assert_allclose(function.left[1:], function.right[:-1])


@given(y=HEIGHTS, level=st.sampled_from([0.3, 0.7, 1.1, 2.3]), continuous=st.booleans())
def test_a_mirrored_row_needs_as_many(y, level, continuous):
    there = len(through(y, level, continuous)[2])
    back = len(through(y[::-1], level, continuous)[2])
    flipped = len(through([-v for v in y], level, continuous)[2])
    assert there == back == flipped


@given(y=HEIGHTS, level=st.sampled_from([0.3, 1.1]))
def test_jumps_save_at_most_half_of_the_pieces(y, level):
    free, joined = (len(through(y, level, continuous)[2]) for continuous in (False, True))
    assert free <= joined <= 2 * free


def test_a_thread_stops_at_the_most():
    links = through([0, 5, 0, 5, 0, 5], 0.1, True, most=2)[2]
    assert len(links) == 2
    assert links[-1].missed != 0


def test_knots_may_lie_between_bars():
    # Two lines y = 2x and y = 7 - 2x meet at x = 1.75, where no sample is.
    y = [0, 2, 3, 1, -1]
    x, _, links = through(y, 1e-9, True)
    function = sew(x, links, True)
    assert function.segments == 2
    np.testing.assert_allclose(function.knots, [0, 1.75, 4], atol=1e-6)


def test_bars_that_stay_closed_before_the_bend_are_a_fault(monkeypatch):
    """Starting the next line afresh at the missed bar and joining it is not optimal."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 12, 60)
    best = len(through(y, 1.1, True)[2])
    stretch = tunnel._stretch

    def closed(bars, start, full, side):
        return stretch(bars, start, full, 0)

    monkeypatch.setattr(tunnel, "_stretch", closed)
    assert len(through(y, 1.1, True)[2]) > best


def test_padding_changes_the_count_and_nothing_else():
    function = PiecewiseLinear(np.array([0.0, 1, 3]), np.array([0.0, 2]), np.array([1.0, 5]))
    more = padded(function, 7)
    x = np.linspace(0, 3, 50)
    assert more.segments == 7
    np.testing.assert_allclose(more(x), function(x), atol=1e-14)
    np.testing.assert_allclose(padded(function, 2).knots, function.knots)


@pytest.mark.parametrize("continuous", [True, False])
def test_two_bars_need_one_line(continuous):
    x, values, links = through([3, -4], 0.5, continuous)
    assert len(links) == 1
    assert np.abs(sew(x, links, continuous)(x) - values).max() <= 0.5
