"""The largest balls in many polytopes at once, by a simplex method that steps through all together.

A region walk asks thousands of small questions "is there room on the other side of this wall?".
Each is a linear programme of a few variables; one call of a solver costs more than a hundred
pivots. Here every operation is a pivot in all programmes that are not done yet.
"""

import numpy as np
from jaxtyping import Float

# Reduced costs and pivots below this are zero; rows have length one, sizes are about one.
_ZERO = 1e-11
# Rows whose ratios differ by less leave together; the one with the larger pivot goes first.
_TIED = 1e-14
# Numbers of all tableaux that are worked on together.
_CHUNK = 2_000_000


def balls(
    normals: Float[np.ndarray, "polytopes walls in_features"],
    offsets: Float[np.ndarray, "polytopes walls"],
    starts: Float[np.ndarray, "polytopes in_features"],
    largest: float,
) -> tuple[Float[np.ndarray, "polytopes in_features"], Float[np.ndarray, " polytopes"]]:
    """Centres and radii of the largest balls in {x : normals x <= offsets}.

    Args:
        normals: rows of any length; rows of zeros pad, or make the polytope empty if the offset
            is negative.
        offsets: of the rows.
        starts: a point for each, better a point inside.
        largest: no ball is larger than this.

    Returns:
        Centres, and radii that are negative for empty polytopes.
    """
    step = max(_CHUNK // ((normals.shape[1] + 2) * (normals.shape[2] + 2)), 1)
    blocks = [slice(begin, begin + step) for begin in range(0, max(len(normals), 1), step)]
    parts = [_balls(normals[some], offsets[some], starts[some], largest) for some in blocks]
    return np.concatenate([c for c, _ in parts]), np.concatenate([r for _, r in parts])


def _balls(
    normals: np.ndarray, offsets: np.ndarray, starts: np.ndarray, largest: float
) -> tuple[np.ndarray, np.ndarray]:
    """Largest r with a_i.y + |a_i| r <= slack_i; from y = 0 and the r that every wall allows."""
    lengths = np.linalg.norm(normals, axis=2)
    scale = np.where(lengths > 0, lengths, 1.0)
    room = (offsets - np.einsum("pwd,pd->pw", normals, starts)) / scale
    padding = (lengths == 0) & (room >= 0)
    size = np.minimum(np.abs(room).max(axis=1, initial=0.0), largest)[:, None]
    size = np.where(size > 0, size, largest)
    room[padding] = largest
    floor = np.minimum(room.min(axis=1, initial=largest), 0.0)
    rows = np.concatenate([normals / scale[:, :, None], np.ones((*room.shape, 1))], axis=2)
    rows[padding] = 0.0
    last = np.zeros((len(rows), 1, rows.shape[2]))
    last[:, :, -1] = 1.0
    sides = np.append(room, np.full((len(rows), 1), largest), axis=1) - floor[:, None]
    found = size * maximise_last(np.concatenate([rows, last], axis=1), sides / size)
    return starts + found[:, :-1], found[:, -1] + floor


def maximise_last(
    rows: Float[np.ndarray, "programmes rows variables"],
    sides: Float[np.ndarray, "programmes rows"],
) -> Float[np.ndarray, "programmes variables"]:
    """Maximise the last variable, which is not negative, under rows u <= sides; others are free.

    Args:
        rows: a programme's matrix; the optimum must be bounded.
        sides: not negative, so that u = 0 is allowed.
    """
    tableaux = _Tableaux(rows, sides)
    limit = 50 * (rows.shape[1] + rows.shape[2])
    for count in range(limit):
        if not tableaux.pivot(careful=count > limit // 5):
            break
    return tableaux.solution()


class _Tableaux:
    """Dense tableaux of many programmes; the last row has the costs, the last column the sides."""

    def __init__(self, rows: np.ndarray, sides: np.ndarray) -> None:
        programmes, self.rows, self.variables = rows.shape
        self.t = np.zeros((programmes, self.rows + 1, self.variables + 1))
        self.t[:, :-1, :-1], self.t[:, :-1, -1] = rows, sides
        self.t[:, -1, -2] = -1.0
        self.outside = np.tile(np.arange(self.variables), (programmes, 1))
        slacks = np.arange(self.variables, self.variables + self.rows)
        self.basis = np.tile(slacks, (programmes, 1))
        self.sign = np.ones((programmes, self.variables))
        self.going = np.arange(programmes)
        self.found = np.zeros((programmes, self.variables))

    def pivot(self, careful: bool) -> bool:
        """One step in every programme that is not done; False if all are."""
        self._turn_free_columns()
        gains = self.t[:, -1, :-1]
        entering = self._first(gains < -_ZERO, self.outside) if careful else gains.argmin(axis=1)
        each = np.arange(len(gains))
        column = self.t[each, :-1, entering]
        can_leave = (column > _ZERO) & (self.basis >= self.variables - 1)
        ratios = np.where(can_leave, self.t[:, :-1, -1], np.inf)
        ratios = np.divide(ratios, column, out=np.full(column.shape, np.inf), where=can_leave)
        goes_on = (gains[each, entering] < -_ZERO) & can_leave.any(axis=1)
        best = ratios.min(axis=1, keepdims=True)
        ties = can_leave & (ratios <= best + _TIED)
        leaving = (
            self._first(ties, self.basis) if careful else np.where(ties, column, 0).argmax(axis=1)
        )
        self._drop(~goes_on)
        self._exchange(leaving[goes_on], entering[goes_on])
        return bool(self.going.size)

    @staticmethod
    def _first(allowed: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Bland's rule: the allowed one with the smallest label, which cannot cycle."""
        return np.where(allowed, labels, labels.max() + 1).argmin(axis=1)

    def _turn_free_columns(self) -> None:
        """A free variable that would gain by falling is replaced by its negative."""
        turn = (self.outside < self.variables - 1) & (self.t[:, -1, :-1] > 0)
        self.t[:, :, :-1] *= np.where(turn, -1.0, 1.0)[:, None]
        programme, place = np.nonzero(turn)
        self.sign[programme, self.outside[programme, place]] *= -1

    def _drop(self, done: np.ndarray) -> None:
        """Write down the solutions of programmes that are done, and leave them alone."""
        if not done.any():
            return
        values = np.zeros((int(done.sum()), self.variables + self.rows))
        np.put_along_axis(values, self.basis[done], self.t[done, :-1, -1], axis=1)
        self.found[self.going[done]] = values[:, : self.variables] * self.sign[done]
        keep = ~done
        self.t, self.outside, self.basis = self.t[keep], self.outside[keep], self.basis[keep]
        self.sign, self.going = self.sign[keep], self.going[keep]

    def _exchange(self, leaving: np.ndarray, entering: np.ndarray) -> None:
        each = np.arange(len(self.t))
        row, column = self.t[each, leaving], self.t[each, :, entering]
        head = row[each, entering]
        row = row / head[:, None]
        self.t -= column[:, :, None] * row[:, None]
        row[each, entering] = 1 / head
        self.t[each, :, entering] = -column / head[:, None]
        self.t[each, leaving] = row
        inside = self.basis[each, leaving]
        self.basis[each, leaving] = self.outside[each, entering]
        self.outside[each, entering] = inside

    def solution(self) -> np.ndarray:
        """Values of the variables in all programmes."""
        self._drop(np.ones(len(self.going), bool))
        return self.found
