"""The exact experiments of the expressivity paper about dimensions of functional varieties."""

from collections.abc import Sequence

import numpy as np

from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.exact import exact, verdict
from theory.claims.statistics import greater
from theory.modular import polynomial_variety
from theory.varieties import KINDS, Kind, ambient_dimension, parameter_count

CONVENTIONAL: Kind = "conventional z^2"
QUADRATIC: Kind = "quadratic"
ARCHITECTURES = (
    (3, 1, 1),
    (3, 2, 1),
    (4, 2, 1),
    (5, 2, 1),
    (5, 3, 1),
    (8, 2, 1),
    (2, 2, 2, 1),
    (3, 2, 2, 1),
    (3, 3, 3, 1),
)


def dimensions(lab: Lab) -> list[dict[str, int | str]]:
    """The table: architecture, kind, dimension, parameters, dimension of all polynomials."""

    def compute() -> list[dict[str, int | str]]:
        table: list[dict[str, int | str]] = []
        for widths in ARCHITECTURES:
            ambient = ambient_dimension(widths[0], 2 ** (len(widths) - 2))
            for kind in KINDS:
                found = polynomial_variety(kind, widths)
                table.append(
                    {
                        "widths": "-".join(map(str, widths)),
                        "kind": kind,
                        "dimension": found.dimension,
                        "parameters": found.parameters,
                        "ambient": ambient,
                    }
                )
        return table

    table: list[dict[str, int | str]] = lab.recall("dimensions", compute)
    return table


def _by_kind(table: Sequence[dict[str, int | str]], kind: str, what: str) -> np.ndarray:
    return np.array([row[what] for row in table if row["kind"] == kind])


def more_dimensions(lab: Lab) -> Finding:
    """Quadratic minus conventional dimension at equal widths, over the table."""
    table = dimensions(lab)
    rival = "compact" if lab.fault == "no_product" else QUADRATIC
    surplus = _by_kind(table, rival, "dimension") - _by_kind(table, CONVENTIONAL, "dimension")
    comparison = exact(float(surplus.min()))
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        "dimensions more at equal neurons, smallest of nine architectures",
        tuple(
            Row(
                f"{r['widths']}, {r['kind']}: dimension ({r['parameters']} parameters)",
                float(r["dimension"]),
            )
            for r in table
        ),
        note="Ranks over a prime field, without rounding. Quadratic neurons have about three times "
        "the parameters of conventional ones.",
        series={"table": table},
    )


def share_of_parameters(lab: Lab) -> Finding:
    """Dimension per parameter, quadratic minus conventional, over the table."""
    table = dimensions(lab)
    shares = {
        kind: _by_kind(table, kind, "dimension") / _by_kind(table, kind, "parameters")
        for kind in KINDS
    }
    ours, theirs = shares[QUADRATIC], shares[CONVENTIONAL]
    if lab.fault == "swapped":
        ours, theirs = theirs, ours
    comparison = exact(float((ours - theirs).min()))
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        "dimensions per parameter more, smallest of nine architectures",
        tuple(
            Row(f"{kind}: dimensions per parameter, mean of nine", float(share.mean()))
            for kind, share in shares.items()
        ),
        note=f"Witness {_witness(table)}. A quadratic network has more symmetries: its factors may "
        "be scaled against each other and exchanged, and its squares overlap.",
        series={"table": table},
    )


def _witness(table: Sequence[dict[str, int | str]], widths: str = "8-2-1") -> str:
    rows = [r for r in table if r["widths"] == widths and r["kind"] in (CONVENTIONAL, QUADRATIC)]
    said = (f"{r['kind']} {r['dimension']} dimensions of {r['parameters']}" for r in rows)
    return f"{widths}: {', '.join(said)} parameters"


def equal_parameters(lab: Lab) -> Finding:
    """Quadratic networks against the widest conventional ones with no more parameters."""
    pairs = [(d, k) for d in (4, 8, 14, 20) for k in (1, 2, 3, 4) if 2 * k <= d + 1]
    found = [_at_equal_parameters(d, k, 2 if lab.fault == "half" else 1) for d, k in pairs]
    surplus = [row["quadratic"] - row["conventional"] for row in found]
    comparison = exact(float(min(surplus)))
    more = sum(gap > 0 for gap in surplus)
    label = "{d}-{k}-1 ({parameters} parameters) minus conventional {d}-{width}-1: dimensions"
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        "dimensions more at equal parameters, smallest of the sweep",
        tuple(
            Row(label.format(**row), float(gap)) for row, gap in zip(found, surplus, strict=True)
        ),
        (
            Control(
                "More dimensions at equal parameters in at least one architecture",
                verdict(more > 0),
                float(max(surplus)),
                (float(max(surplus)), float(max(surplus))),
            ),
        ),
        f"More dimensions in {more} of {len(found)} architectures: few neurons win by the diagonal "
        "of w_b, many lose to symmetries.",
        {"sweep": found},
    )


def _at_equal_parameters(d: int, k: int, divisor: int) -> dict[str, int]:
    parameters = parameter_count(QUADRATIC, (d, k, 1))
    width = max(1, (parameters // divisor - 1) // (d + 2))
    return {
        "d": d,
        "k": k,
        "width": width,
        "parameters": parameters,
        "quadratic": polynomial_variety(QUADRATIC, (d, k, 1), draws=1).dimension,
        "conventional": polynomial_variety(CONVENTIONAL, (d, width, 1), draws=1).dimension,
    }
