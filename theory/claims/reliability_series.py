"""What the figures on the reliability guide draw: histograms, trade-offs, flagged pictures."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from neurons.explain.reliability import look
from neurons.explain.splitting import Split, as_pytree, split
from neurons.explain.trust_curves import tradeoff
from theory.claims import inspection_study, reliability_study
from theory.claims.claim import Lab
from theory.claims.inspection_study_networks import Set
from theory.claims.localisation_study import small
from theory.claims.reliability_contrasts import limit, outcomes
from theory.claims.reliability_study import GUIDES, SETS, Camera, Outcome

EDGES = np.linspace(-1, 1, 21)
COSTS = np.linspace(0, 1, 41)
PAGE = {"missed, flagged": 3, "missed, not flagged": 1, "good, flagged": 2}  # pictures of a set


def histograms(lab: Lab, names: Sequence[str]) -> dict[str, Any]:
    """By set and score, how many missed defects and true negatives fall between the edges."""
    found: dict[str, Any] = {"edges": EDGES.round(2).tolist()}
    for which in SETS:
        tests = [one.test for one in outcomes(lab, which)]
        truth = np.concatenate([test.missed for test in tests])
        found[which] = {}
        for name in names:
            scores = np.concatenate([test.scores[name] for test in tests])
            found[which][name] = {
                label: np.histogram(scores[part], EDGES)[0].tolist()
                for label, part in (("missed", truth), ("normal", ~truth))
            }
    return found


def places(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Share of the reference below each value, ties half: scores of different kinds compare."""
    ranked = np.sort(reference)
    low, high = (np.searchsorted(ranked, values, side=side) for side in ("left", "right"))
    return np.asarray((low + high) / (2 * max(len(ranked), 1)))


def pooled_curves(lab: Lab, names: Mapping[str, str]) -> dict[str, Any]:
    """By set and label, recall of missed defects at every cost, all seeds together.

    Scores of different networks are not comparable: each is replaced by its place among the
    true negatives of its own test pictures, so that a cost is the same for all networks.
    """
    found: dict[str, Any] = {"cost": COSTS.round(3).tolist()}
    for which in SETS:
        tests = [one.test for one in outcomes(lab, which)]
        truth = np.concatenate([test.missed for test in tests])
        found[which] = {}
        for label, name in names.items():
            ranks = [places(t.scores[name], t.scores[name][~t.missed]) for t in tests]
            curve = tradeoff(np.concatenate(ranks), truth)
            found[which][label] = [round(curve.recall_at(cost), 4) for cost in COSTS]
    return found


def sheet(lab: Lab, name: str, alpha: float) -> dict[str, Any]:
    """By set, test pictures of the first seed with their maps: flagged ones and others."""
    known = f"{lab.data.name}, reliability, sheet of {name} at {alpha:g}"
    return dict(lab.recall(known, partial(_sheet, lab, name, alpha)))


def _sheet(lab: Lab, name: str, alpha: float) -> dict[str, Any]:
    return {which: _page(lab, which, name, alpha) for which in SETS}


def _page(lab: Lab, which: Set, name: str, alpha: float) -> list[dict[str, Any]]:
    found = reliability_study.outcome(lab, which, 0)
    chosen = _chosen(lab, found, name, alpha)
    if not chosen:
        return []
    net = inspection_study.whole(lab, which, inspection_study.baseline(lab, which, 0))
    halves = Split(*map(as_pytree, split(Camera(net))))
    rows = found.test.rows[[place for place, _ in chosen]]
    pictures = inspection_study.part(lab, which).images[rows]
    view = look(halves, jnp.asarray(pictures[..., None]), GUIDES[""])
    return [
        {
            "title": title,
            "score": float(found.test.scores[name][place]),
            "row": int(row),
            "picture": small(picture),
            **{key: small(np.asarray(maps[number])) for key, maps in _maps(view).items()},
        }
        for number, ((place, title), row, picture) in enumerate(
            zip(chosen, rows, pictures, strict=True)
        )
    ]


def _maps(view: Any) -> dict[str, Any]:
    return {"normal": view.normal, "defect": view.defect, "agnostic": view.agnostic}


def _chosen(lab: Lab, found: Outcome, name: str, alpha: float) -> list[tuple[int, str]]:
    """Places of pictures, the most doubtful first, and what they are."""
    at = limit(lab, found, name, alpha, guide=False)
    scores, missed = found.test.scores[name], found.test.missed
    order = np.argsort(-scores, kind="stable")
    chosen = []
    for title, count in PAGE.items():
        part = missed == title.startswith("missed")
        part &= (scores > at) == (not title.endswith("not flagged"))
        chosen += [(int(place), title) for place in order if part[place]][:count]
    return chosen
