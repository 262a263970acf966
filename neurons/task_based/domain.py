"""Where a formula is finite: interval arithmetic and bisection."""

import math

import numpy as np

from neurons.task_based.expression import Expression
from neurons.task_based.function import constants_folded
from neurons.task_based.intervals import EDGE, NOWHERE, SURE, enclosed

_LEVELS = 30  # of bisection: 2**-30 < 1e-9
_MOST_BOXES = 4096
_SAMPLES = 33

Intervals = tuple[tuple[float, float], ...]


def domain(expression: Expression, low: float, high: float) -> Intervals:
    """Closed intervals of [low, high] where a formula and all its parts are finite, in float64.

    A box on which interval arithmetic proves the formula finite is in; one where it proves it
    finite nowhere is out; any other is halved, down to 1e-9 of the range. What then remains lies
    around poles and edges, and is left out; but where no pole can be, the box is in if 33 values on
    it are finite, as where `sqrt((x - 1)*(x - 1))` touches zero. So every interval is certain up to
    such points, and ends where the domain does, within 1e-9 of the range or, where a pole is
    flat as that of `1/(cos(x) - 1)`, within what rounding blurs. Where more than 4096 boxes stay
    open, and for operators of one's own, values decide.

    Args:
        expression: the formula.
        low: where to begin.
        high: where to end.

    Returns:
        Pairs of ends, from left to right, apart from each other.

    Raises:
        ValueError: unless `low < high`, both finite.

    Example:
        >>> [(low, high)] = domain(Expression.parse("log(x)"), -1.0, 1.0)
        >>> 0 < low < 1e-8, high
        (True, 1.0)
    """
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"a range needs finite ends, low below high, got [{low}, {high}]")
    return _joined(_finite_boxes(expression, float(low), float(high)))


def is_finite(expression: Expression, low: float, high: float) -> bool:
    """Whether a formula is finite on the whole of [low, high]."""
    return domain(expression, low, high) == ((float(low), float(high)),)


def _finite_boxes(expression: Expression, low: float, high: float) -> np.ndarray:
    """Boxes `(boxes, 2)` that are in, in no order."""
    postfix, operators = constants_folded(expression), expression.operators
    found, boxes = [], np.array([[low, high]])
    for level in range(_LEVELS + 1):
        boxes = _halves(boxes) if level else boxes
        status = enclosed(postfix, operators, *boxes.T).status
        found.append(boxes[status == SURE])
        is_open = (status != SURE) & (status != NOWHERE)
        boxes, status = boxes[is_open], status[is_open]
        if not len(boxes) or len(boxes) > _MOST_BOXES:
            break
    undecided = boxes if len(boxes) > _MOST_BOXES else boxes[status == EDGE]
    values = expression(np.linspace(undecided[:, 0], undecided[:, 1], _SAMPLES))
    return np.concatenate([*found, undecided[np.isfinite(values).all(axis=0)]])


def _halves(boxes: np.ndarray) -> np.ndarray:
    middle = boxes.mean(axis=1)
    return np.concatenate([np.c_[boxes[:, 0], middle], np.c_[middle, boxes[:, 1]]])


def _joined(boxes: np.ndarray) -> Intervals:
    """Boxes that share an end, as one."""
    found: list[tuple[float, float]] = []
    for low, high in boxes[np.argsort(boxes[:, 0])].tolist():
        if found and found[-1][1] == low:
            found[-1] = (found[-1][0], high)
        else:
            found.append((low, high))
    return tuple(found)
