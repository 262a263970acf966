"""An effect, its confidence interval and the margin that counts, as a small inline drawing."""

import math

from paper_figures.markup import Markup, tag
from paper_figures.numerals import measured, number

_EDGE = 12.0


def bar(effect: float, interval: tuple[float, float], margin: float, *, labels: bool) -> Markup:
    """Draw the interval against zero and the margin.

    An end that is not finite becomes an arrow at the edge.

    Args:
        effect: the dot.
        interval: the line.
        margin: the shaded band around zero reaches from `-margin` to `margin`.
        labels: number the axis below; without, the drawing is lower and fits a table row.

    Returns:
        An `svg` element; empty for an effect that is not a number.
    """
    if not math.isfinite(effect) or any(math.isnan(end) for end in interval):
        return Markup("")
    width, height, middle = (300.0, 46.0, 14.0) if labels else (120.0, 20.0, 10.0)
    scale = _Scale(effect, interval, abs(margin), width)
    shapes = [*_ground(scale, abs(margin), middle), *_whisker(scale, effect, interval, middle)]
    if labels:
        shapes += _axis(scale, abs(margin))
    value, span = measured(effect, interval)
    return tag(
        "svg",
        tag("title", f"effect {value}, 95 % interval {span}, margin {number(margin)}"),
        *shapes,
        class_="bar" if labels else "bar mini",
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
    )


class _Scale:
    """From the claim's unit to the drawing's."""

    def __init__(
        self, effect: float, interval: tuple[float, float], margin: float, width: float
    ) -> None:
        self.width = width
        points = [p for p in (effect, *interval, margin, -margin, 0.0) if math.isfinite(p)]
        self._low, high = min(points), max(points)
        self._span = (high - self._low) or 1.0

    def __call__(self, value: float) -> float:
        if math.isinf(value):
            return 2.0 if value < 0 else self.width - 2.0
        return _EDGE + (value - self._low) / self._span * (self.width - 2 * _EDGE)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    return tag("line", class_=kind, **{k: f"{v:.1f}" for k, v in ends.items()})


def _ground(scale: _Scale, margin: float, middle: float) -> list[Markup]:
    """The band of differences too small to count, and the line of no difference."""
    left, right = scale(-margin), scale(margin)
    band = tag(
        "rect",
        class_="band",
        x=f"{left:.1f}",
        y=f"{middle - 9:.1f}",
        width=f"{right - left:.1f}",
        height="18",
    )
    zero = _line(scale(0), middle - 10, scale(0), middle + 10, "zero")
    return [band, zero] if margin else [zero]


def _whisker(
    scale: _Scale, effect: float, interval: tuple[float, float], middle: float
) -> list[Markup]:
    low, high = (scale(end) for end in interval)
    shapes = [_line(low, middle, high, middle, "whisker")]
    for end, x, inward in ((interval[0], low, 5.0), (interval[1], high, -5.0)):
        if math.isinf(end):
            shapes += [_line(x, middle, x + inward, middle + s, "whisker") for s in (-4.0, 4.0)]
        else:
            shapes.append(_line(x, middle - 4, x, middle + 4, "whisker"))
    dot = tag("circle", class_="dot", cx=f"{scale(effect):.1f}", cy=f"{middle:.1f}", r="4")
    return [*shapes, dot]


def _axis(scale: _Scale, margin: float) -> list[Markup]:
    """Numbers at zero and at the margins, where there is room for them."""
    shapes = [_line(_EDGE, 27, scale.width - _EDGE, 27, "axis")]
    taken: list[float] = []
    for value in dict.fromkeys((0.0, margin, -margin)):
        x = scale(value)
        shapes.append(_line(x, 27, x, 30, "axis"))
        if all(abs(x - other) > 22 for other in taken):
            text = number(value)
            shapes.append(tag("text", text, x=f"{x:.1f}", y="41", text_anchor="middle"))
            taken.append(x)
    return shapes
