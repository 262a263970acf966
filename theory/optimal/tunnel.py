"""Fewest lines through a row of vertical bars: the greedy thread behind every minimax fit.

A fit of (x_k, y_k) with error E is a function that passes all bars [y_k - E h_k, y_k + E h_k]. A
line is stretched over as many bars as it can reach. Where all stretched lines pass the next bar on
one side, the one that comes nearest last touches a bar on the opposite side, the corner. A function
that may jump starts afresh at the missed bar. A continuous one bends off that line somewhere
between the corner and the missed bar; whatever crosses it there is on the right side of the bars in
between already, so the next stretch is a stretch over bars that are open on one side. Hence both
kinds are greedy, both are exact, and knots lie anywhere, also between bars.

References:
    H. Imai, M. Iri, "An optimal algorithm for approximating a piecewise linear function", 1986.
    S. L. Hakimi, E. F. Schmeichel, "Fitting polygonal functions to a set of points in the plane",
    CVGIP: Graphical Models and Image Processing 53(2), 1991.
"""

from dataclasses import dataclass, replace
from typing import no_type_check

import numpy as np

from theory.piecewise import PiecewiseLinear

_INFINITE = float("inf")


@dataclass(frozen=True)
class Link:
    """One stretched line.

    Args:
        first: the first bar it has to pass.
        last: the last bar it passes.
        missed: +1 if the next bar lies above all stretched lines, -1 if below, 0 if none is left.
        touched: the two bars the line nearest to the missed bar touches; the later is the corner.
        x, y, slope: a point of the line, and its slope.
    """

    first: int
    last: int
    missed: int
    touched: tuple[int, int]
    x: float
    y: float
    slope: float


@dataclass(frozen=True)
class Bars:
    """Vertical bars at increasing places, as lists: the thread walks them one by one.

    Args:
        x: places.
        low: lower ends.
        high: upper ends.
    """

    x: list[float]
    low: list[float]
    high: list[float]

    @classmethod
    def around(cls, x: np.ndarray, y: np.ndarray, half: np.ndarray) -> "Bars":
        """Bars y - half, y + half at places that never decrease; what shares a place is cut."""
        first = np.flatnonzero(np.append(True, x[1:] > x[:-1]))
        low, high = y - half, y + half
        if first.size < x.size:
            x, low, high = (
                x[first],
                np.maximum.reduceat(low, first),
                np.minimum.reduceat(high, first),
            )
        return cls(x.tolist(), low.tolist(), high.tolist())

    @property
    def empty(self) -> list[float]:
        """Places where nothing passes."""
        ends = zip(self.x, self.low, self.high, strict=True)
        return [place for place, low, high in ends if low > high]

    def mirrored(self) -> "Bars":
        """The same bars seen from the other side."""
        return Bars([-place for place in reversed(self.x)], self.low[::-1], self.high[::-1])


def thread(bars: Bars, most: int, continuous: bool) -> list[Link]:
    """Links through the bars, the fewest there can be, but at most `most`.

    Returns:
        The links, none if a bar is empty. Unless they are :func:`complete`, there is no function of
        `most` pieces through all bars.
    """
    if bars.empty:
        return []
    links = [_stretch(bars, 0, 1, 0)]
    while links[-1].missed and len(links) < most:
        end = links[-1]
        if continuous:
            links.append(_stretch(bars, end.touched[1], end.last + 1, end.missed))
        else:
            links.append(_stretch(bars, end.last + 1, end.last + 2, 0))
    return links


def complete(links: list[Link]) -> bool:
    """Whether a thread passes all bars."""
    return bool(links) and links[-1].missed == 0


def balance(bars: Bars, links: list[Link]) -> list[Link]:
    """A complete thread that may jump, drawn from both ends at once.

    Where a stretch from the left ends depends on all stretches before, the more the later. Drawn
    from both ends to the middle, with the slack in the middle, the ends are better determined.
    """
    middle, final = len(links) // 2, len(bars.x) - 1
    back = thread(bars.mirrored(), len(links), continuous=False)[::-1]
    turned = [
        replace(
            link, first=final - link.last, last=final - link.first, x=-link.x, slope=-link.slope
        )
        for link in back[middle + 1 :]
    ]
    last = turned[0].first - 1 if turned else final
    return [*links[:middle], replace(links[middle], last=last), *turned]


def _stretch(bars: Bars, start: int, full: int, side: int) -> Link:
    """The longest stretch from bar `start`, where bars before `full` may be open on one side.

    Args:
        bars: all bars.
        start: the first bar.
        full: the first bar with both ends, the opening ones aside.
        side: 0 if the opening bars have both ends, +1 if only their upper ends count (all lines
            come from below the bars ahead), -1 if only their lower ends do.

    Two chains hold what a line can still touch: the upper hull of the lower ends, the lower hull of
    the upper ends. The steepest line (up) touches the first chain on the left and the second on
    the right, the least steep (down) the other way round.
    """
    x, low, high = bars.x, bars.low, bars.high
    floor: list[int] = []
    roof: list[int] = []
    for k in range(start, full):
        if side <= 0:
            _push(floor, 0, x, low, k, 1.0)
        if side >= 0:
            _push(roof, 0, x, high, k, -1.0)
    # Touched places on the chains; what lies left of them is never touched again.
    on_floor = on_roof = 0
    up_x = down_x = -_INFINITE
    up_y, up_slope, up_left, up_right = 0.0, _INFINITE, -1, -1
    down_y, down_slope, down_left, down_right = 0.0, -_INFINITE, -1, -1
    for k in range(full, len(x)):
        place, bottom, top = x[k], low[k], high[k]
        above = up_y + up_slope * (place - up_x)
        below = down_y + down_slope * (place - down_x)
        if bottom > above:
            return Link(start, k - 1, 1, (up_left, up_right), up_x, up_y, up_slope)
        if top < below:
            return Link(start, k - 1, -1, (down_left, down_right), down_x, down_y, down_slope)
        if top < above and floor:
            up_slope, on_floor = _tangent(floor, on_floor, x, low, place, top, 1.0)
            up_x, up_y, up_left, up_right = place, top, floor[on_floor], k
        if bottom > below and roof:
            down_slope, on_roof = _tangent(roof, on_roof, x, high, place, bottom, -1.0)
            down_x, down_y, down_left, down_right = place, bottom, roof[on_roof], k
        _push(floor, on_floor, x, low, k, 1.0)
        _push(roof, on_roof, x, high, k, -1.0)
    return _free(bars, start, (up_x, up_y, up_slope), (down_x, down_y, down_slope))


# Called for every bar: checks at run time, as our tests make them, would take longer than the work.
@no_type_check
def _push(chain: list[int], keep: int, x: list[float], y: list[float], k: int, sign: float) -> None:
    """Add bar k's end to a hull, popping what it covers, but nothing up to `keep`."""
    new_x, new_y = x[k], y[k]
    while len(chain) > keep + 1:
        i, j = chain[-2], chain[-1]
        rise = (y[j] - y[i]) * (new_x - x[j]) - (new_y - y[j]) * (x[j] - x[i])
        if sign * rise > 0:
            break
        chain.pop()
    chain.append(k)


@no_type_check
def _tangent(
    chain: list[int],
    at: int,
    x: list[float],
    y: list[float],
    place: float,
    height: float,
    sign: float,
) -> tuple[float, int]:
    """Slope of the tangent from (place, height) to a hull on its left, and where it touches."""
    slope = (height - y[chain[at]]) / (place - x[chain[at]])
    while at + 1 < len(chain):
        following = chain[at + 1]
        steeper = (height - y[following]) / (place - x[following])
        if sign * (steeper - slope) > 0:
            break
        slope, at = steeper, at + 1
    return slope, at


def _free(
    bars: Bars,
    start: int,
    up: tuple[float, float, float],
    down: tuple[float, float, float],
) -> Link:
    """A line half-way between the steepest and the least steep that pass all bars left."""
    begin, end = bars.x[start], bars.x[-1]
    lines = [line for line in (up, down) if np.isfinite(line[2])]
    if not lines:  # one bar, or bars open on one side and one more: level through the last
        lines = [(end, (bars.low[-1] + bars.high[-1]) / 2, 0.0)]
    slope = sum(line[2] for line in lines) / len(lines)
    height = sum(line[1] + line[2] * (begin - line[0]) for line in lines) / len(lines)
    return Link(start, len(bars.x) - 1, 0, (-1, -1), begin, height, slope)


def sew(x: np.ndarray, links: list[Link], continuous: bool) -> PiecewiseLinear:
    """The function a complete thread stands for.

    Args:
        x: `(samples,)` places of the bars, at least two.
        links: what :func:`thread` found.
        continuous: as it was threaded. Jumps are put half-way between the bars.
    """
    anchor_x, anchor_y, slope = np.array([[link.x, link.y, link.slope] for link in links]).T
    last = np.array([link.last for link in links[:-1]], int)
    if continuous:
        corner = np.array([link.touched[1] for link in links[:-1]], int)
        drop = anchor_y[1:] + slope[1:] * (anchor_x[:-1] - anchor_x[1:]) - anchor_y[:-1]
        bends = np.clip(anchor_x[:-1] + drop / (slope[:-1] - slope[1:]), x[corner], x[last + 1])
    else:
        bends = (x[last] + x[last + 1]) / 2
    knots = np.concatenate([x[:1], bends, x[-1:]])
    left = anchor_y + slope * (knots[:-1] - anchor_x)
    right = anchor_y + slope * (knots[1:] - anchor_x)
    if continuous:
        left[1:] = right[:-1]
    return PiecewiseLinear(knots, left, right)


def padded(function: PiecewiseLinear, segments: int) -> PiecewiseLinear:
    """The same function with `segments` pieces: the longest ones are halved."""
    knots = list(function.knots)
    while len(knots) <= segments:
        widest = int(np.argmax(np.diff(knots)))
        knots.insert(widest + 1, (knots[widest] + knots[widest + 1]) / 2)
    edges = np.array(knots)
    owner = np.searchsorted(function.knots, edges[:-1], side="right") - 1
    part = (edges[:-1] - function.knots[owner]) / np.diff(function.knots)[owner]
    rest = (edges[1:] - function.knots[owner]) / np.diff(function.knots)[owner]
    rise = function.right - function.left
    return PiecewiseLinear(
        edges,
        function.left[owner] + part * rise[owner],
        function.left[owner] + rest * rise[owner],
    )
