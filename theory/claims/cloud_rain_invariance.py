"""Experiments on what Cloud-RAIN's networks leave unchanged, and what they do not."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from theory.claims import cloud_rain_records as records
from theory.claims import cloud_rain_spectra as spectra
from theory.claims.claim import Finding, Lab, Row
from theory.claims.cloud_rain_study import NAMES
from theory.claims.exact import exact, verdict
from theory.claims.statistics import Comparison, below, greater, mean_effect

TOLERANCE, VISIBLE = 1e-4, 1e-1
FEW = 1.0  # percent of clouds
# What the released code's option --permute multiplies the coordinates by.
RELEASED_TEST = np.diag([1.0, -1.0, -1.0])
TRUE_MIRROR = np.diag([1.0, -1.0, 1.0])
UNIT = "largest change of a logit"

FAULTS: Mapping[str, Mapping[str, str]] = {
    "invariance": {
        "no_axes": "the power-only network reads the coordinates as they are",
        "full_quadratic": "quadratic neurons take the place of power-only ones",
    },
    "edges_invariance": {"edges_as_they_are": "the DGCNN reads the coordinates as they are"},
    "edges_mostly_invariant": {"edges_as_they_are": "the DGCNN reads the coordinates as they are"},
    "quadratic_in_axes": {"power_only": "power-only neurons take the place of quadratic ones"},
    "released_network": {"power_only": "the network is Cloud-RAIN's"},
    "released_test_as_stated": {"one_channel": "one channel is negated in place of two"},
    "released_test": {"one_channel": "one channel is negated in place of two"},
    "degenerate": {"no_fallback": "principal axes are trusted whatever their gap"},
    "degenerate_axes": {"fallback": "axes are built from points where variances are equal"},
    "jumps": {"beside": "clouds have ten times the gap"},
    "precision": {"single": "the covariance is computed in float32 in both arms"},
}


def invariance(lab: Lab) -> Finding:
    """Largest change of a logit of Cloud-RAIN's network under mirrors and improper rotations."""
    found = records.record(lab, "RAIN", fault=lab.fault or "")["gaps"]
    averaged = records.record(lab, "frames")["gaps"]
    series = {"gaps": {"RAIN": found, "frames": averaged}, "clouds": records.shown_clouds(lab)}
    return _unchanged(found, (*_rows("RAIN", found), *_rows("frames", averaged)), _PROBED, series)


def edges_invariance(lab: Lab) -> Finding:
    """The same for a power-only DGCNN, whose edges hold squared differences."""
    found = records.largest(records.record(lab, "edges", fault=lab.fault or "")["changes"])
    note = f"{_PROBED} {_TIES}"
    return _unchanged(found, _rows("edges", found), note, {"gaps": {"edges": found}})


def edges_mostly_invariant(lab: Lab) -> Finding:
    """The share of clouds for which the DGCNN is invariant to less than the tolerance."""
    changes = records.record(lab, "edges", fault=lab.fault or "")["changes"]
    shares = {
        group: 100 * (~(np.array(seeds) <= TOLERANCE)).mean(axis=1)
        for group, seeds in changes.items()
    }
    comparison = mean_effect(np.mean(list(shares.values()), axis=0))
    rows = (
        *(
            Row.mean(f"{group}, clouds with a change above {TOLERANCE:g}, %", share)
            for group, share in shares.items()
        ),
        Row("median change of a logit", float(np.median(list(changes.values())))),
    )
    return Finding(
        below(comparison, FEW),
        comparison,
        FEW,
        f"% of clouds with a logit changed by more than {TOLERANCE:g}",
        rows,
        note=_TIES,
        test="below",
    )


def _unchanged(
    found: Mapping[str, list[float]], rows: tuple[Row, ...], note: str, series: dict[str, Any]
) -> Finding:
    """Whether even the largest of the changes is rounding."""
    comparison = _largest(found)
    status = below(comparison, TOLERANCE)
    return Finding(
        status, comparison, TOLERANCE, UNIT, rows, note=note, series=series, test="below"
    )


_PROBED = (
    f"{records.PROBES} drawn clouds that no network was trained on, in float32; the largest over "
    "clouds, logits and seeds."
)


_TIES = (
    "A DGCNN chooses neighbours: where two are equally far up to rounding, a moved cloud may get "
    "the other one."
)


def quadratic_in_axes(lab: Lab) -> Finding:
    """The same with quadratic neurons: the least of the changes by group and seed."""
    return _visible(lab, "quadratic in axes")


def released_network(lab: Lab) -> Finding:
    """The same for the network as released, without principal axes."""
    return _visible(lab, "released")


def _visible(lab: Lab, name: str) -> Finding:
    name = "RAIN" if lab.fault == "power_only" else name
    found = records.record(lab, name)["gaps"]
    return _least(
        found,
        _rows(name, found),
        "The effect is the least, over seeds and kinds of mirror, of the largest change over "
        f"{records.PROBES} clouds.",
        {"gaps": {name: found}},
    )


def _least(
    found: Mapping[str, list[float]], rows: tuple[Row, ...], note: str, series: dict[str, Any]
) -> Finding:
    """Whether even the least of the changes can be seen."""
    change = min(min(values) for values in found.values())
    comparison = Comparison(change, (change, change), len(next(iter(found.values()))))
    status = greater(comparison, VISIBLE)
    return Finding(status, comparison, VISIBLE, UNIT, rows, note=note, series=series)


def released_test_as_stated(lab: Lab) -> Finding:
    """Determinant of the released test's matrix against that of a reflection."""
    return _released(lab, -1.0)


def released_test(lab: Lab) -> Finding:
    """Determinant of the released test's matrix against that of a rotation."""
    return _released(lab, 1.0)


def _released(lab: Lab, stated: float) -> Finding:
    matrix = TRUE_MIRROR if lab.fault == "one_channel" else RELEASED_TEST
    determinant, angle = (
        float(np.linalg.det(matrix)),
        np.rad2deg(np.arccos((matrix.trace() - 1) / 2)),
    )
    comparison = exact(determinant * stated)
    return Finding(
        verdict(comparison.effect > 0 and np.allclose(matrix @ matrix.T, np.eye(3))),
        comparison,
        0.0,
        f"determinant times {stated:g}",
        (
            Row("determinant of the released test's matrix", determinant),
            Row("its angle of rotation, if it is one, degrees", float(angle)),
            Row("determinant of a mirror across one axis", float(np.linalg.det(TRUE_MIRROR))),
        ),
        note="The option --permute negates channels 1 and 2 of three and leaves the normalised "
        "coordinates in channels 6 to 8 as they are.",
        series={"matrix": matrix.tolist()},
    )


def degenerate(lab: Lab) -> Finding:
    """Corners of regular bodies turned at random, with axes built from points: largest change."""
    kind = "none" if lab.fault == "no_fallback" else "fallback"
    found = records.record(lab, "RAIN")["symmetric"]
    note = (
        f"{spectra.OF_EACH} elements of O(3) for every body; under a relative gap of "
        f"{spectra.FALLBACK:g} the library builds axes from points and averages over their frames."
    )
    return _unchanged(found[kind], _bodies(found[kind]), note, {"symmetric": found})


def degenerate_axes(lab: Lab) -> Finding:
    """The same with principal axes all the same: the least of the changes by body and seed."""
    kind = "fallback" if lab.fault == "fallback" else "none"
    record = records.record(lab, "RAIN")
    found = record["symmetric"][kind]
    return _least(
        found,
        _bodies(found),
        "The least over seeds and bodies of the largest change. The series holds the change "
        "against the relative gap of two variances.",
        {"spreads": list(spectra.SPREADS), "changes": record["spread"]},
    )


def jumps(lab: Lab) -> Finding:
    """Clouds whose relative gap is the fallback's limit: the least change of a logit by seed."""
    record = records.record(lab, "RAIN")["spread"]["fallback"]
    spread = 1e-2 if lab.fault == "beside" else spectra.FALLBACK
    found = {f"{s:g}": [run[k] for run in record] for k, s in enumerate(spectra.SPREADS)}
    rows = tuple(
        Row(f"relative gap {s}, with fallback, {UNIT}", max(values)) for s, values in found.items()
    )
    return _least(
        {"limit": found[f"{spread:g}"]},
        rows,
        "At the limit rounding decides whether a cloud gets principal axes or axes from points. "
        "No choice of a single frame is continuous (N. Dym et al., arXiv 2402.16077).",
        {"spreads": list(spectra.SPREADS), "changes": record},
    )


def precision(lab: Lab) -> Finding:
    """How much farther coordinates move under O(3) with a covariance in float32: a ratio."""
    found = lab.recall("coordinates", lambda: spectra.coordinate_errors(lab, records.probes()))
    kind = "float32" if lab.fault == "single" else "float64"
    ratio = np.array(found["float32"]) / np.array(found[kind])
    place = spectra.SPREADS.index(1e-3)
    comparison = exact(ratio[place])
    rows = [
        Row(f"covariance in {name}, relative gap {spread:g}, mean change of a coordinate", value)
        for name, values in found.items()
        for spread, value in zip(spectra.SPREADS, values, strict=True)
    ]
    return Finding(
        greater(comparison, 2.0),
        comparison,
        2.0,
        "times the error at a relative gap of 0.001",
        tuple(rows),
        note="Points lie within about one unit of the origin and are given in float32 to both: "
        "that rounding is left in either case.",
        series={"spreads": list(spectra.SPREADS), "errors": found},
    )


def _largest(found: Mapping[str, list[float]]) -> Comparison:
    """The largest change over groups and seeds, without chance."""
    change = max(max(values) for values in found.values())
    return Comparison(change, (change, change), len(next(iter(found.values()))))


def _rows(name: str, found: Mapping[str, list[float]]) -> tuple[Row, ...]:
    return tuple(
        Row(f"{NAMES[name]}, {group}, {UNIT}", max(values)) for group, values in found.items()
    )


def _bodies(found: Mapping[str, list[float]]) -> tuple[Row, ...]:
    return tuple(Row(f"corners of a {body}, {UNIT}", max(values)) for body, values in found.items())
