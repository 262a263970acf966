"""Comparisons of maps that the claims on shallow and on fused class activation maps share.

Tiles, networks and maps are those of `localisation_study`. An experiment names two methods and a
score; what is compared are the means over a seed's test tiles, paired by seed, in percent of the
score's range.

Two faults serve every comparison: smooth noise, or the masks themselves, take the place of the
method that the claim is about.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from neurons.data import simulated_defects
from neurons.explain import metrics as judge
from theory.claims import localisation_study as study
from theory.claims.claim import Claim, Finding, Lab, Row
from theory.claims.localisation_study import Method
from theory.claims.localisation_study import maps as maps
from theory.claims.localisation_study import outcome as outcome
from theory.claims.localisation_study_detectors import TwoSided as TwoSided
from theory.claims.localisation_study_detectors import network as network
from theory.claims.statistics import Comparison, Status, below, greater, mean_effect, paired

Values = Sequence[float] | np.ndarray

NOISE = Method("random map")
REPLACED: Mapping[str, str] = {
    "noise": "smooth noise takes the place of the method's map",
    "masks": "the masks themselves take the place of the method's map",
}
SAME_NET: Mapping[str, str] = {"same_network": "the parameters are left as they are"}
RANDOM_LAYERS = tuple(f"net.{name}" for name in (*(f"parts.{part}" for part in range(5)), "out"))
ALIKE = 0.5  # rank correlation
STANDARD = "standard in the field; not known whether the paper does it"
LEFT = "ours: what is left of the statement"
UNREAD = "No number reachable."


def claims_of(
    paper: str,
    reading: str,
    usual: str,
    faults: Mapping[str, Mapping[str, str]],
    simulate: Callable[[], Any] = simulated_defects,
    data: str = "pretrained_tiles",
) -> Callable[..., Claim]:
    """Maker of the claims of one paper on defects.

    Args:
        paper: its short name.
        reading: the source of a claim, unless another is given.
        usual: how the protocol differs, unless it is said otherwise.
        faults: by name of the claim.
        simulate: makes the set that stands in where no data is given.
        data: name of the public set.

    Returns:
        A function of name, statement and experiment, then of source, differences, and what is
        published.
    """

    def make(
        name: str,
        statement: str,
        experiment: Callable[[Lab], Finding],
        source: str = reading,
        differs: str = usual,
        published: str = UNREAD,
    ) -> Claim:
        return Claim(
            paper,
            name,
            statement,
            source,
            published,
            differs,
            experiment,
            simulate,
            data,
            faults[name],
        )

    return make


def by_seed(lab: Lab, method: Method, score: str = "iou") -> list[float]:
    """The mean of a score over each seed's test tiles, in percent of its range."""
    seeds = range(lab.budget.seeds)
    return [100 * study.mean(outcome(lab, method, seed)[score]) for seed in seeds]


def claimed(lab: Lab, method: Method, score: str = "iou") -> list[float]:
    """:func:`by_seed` of the method that a claim is about: what the faults replace."""
    if lab.fault == "masks":
        return [100 * study.mean(perfect(lab, seed)[score]) for seed in range(lab.budget.seeds)]
    return by_seed(lab, NOISE if lab.fault == "noise" else method, score)


def perfect(lab: Lab, seed: int) -> dict[str, Any]:
    """The scores of the test tiles' masks as maps."""
    return dict(lab.recall(f"{lab.data.name}, masks as maps, {seed}", partial(_perfect, lab, seed)))


def _perfect(lab: Lab, seed: int) -> dict[str, Any]:
    masks = lab.data.masks[study.tiles(lab, seed)[1]]
    return study.scores(masks.astype(np.float32), masks, 0.5)


def gain(lab: Lab, ours: Method, theirs: Method, score: str = "iou") -> list[float]:
    """By seed, the score of a claim's method less another's."""
    pairs = zip(claimed(lab, ours, score), by_seed(lab, theirs, score), strict=True)
    return [ours - theirs for ours, theirs in pairs]


def rows(lab: Lab, methods: Mapping[str, Method], score: str, unit: str) -> tuple[Row, ...]:
    """A method a row."""
    return tuple(Row.mean(f"{name}, {unit}", by_seed(lab, m, score)) for name, m in methods.items())


def judged(differences: Values, unit: str, margin: float = 0.0, **more: Any) -> Finding:
    """The finding that differences by seed exceed a margin."""
    comparison = mean_effect(differences)
    return Finding(greater(comparison, margin), comparison, margin, unit, **more)


def weakest(effects: Mapping[str, Values]) -> tuple[str, Status, Comparison]:
    """The least of several effects by seed, and whether all of them are above zero.

    Supported if each is (each at its own level: a claim of "all" needs no correction), refuted if
    any is refuted.
    """
    found = {name: mean_effect(values) for name, values in effects.items()}
    least = min(found, key=lambda name: found[name].effect)
    statuses = [greater(comparison) for comparison in found.values()]
    status: Status = "refuted" if "refuted" in statuses else "undecided"
    if set(statuses) == {"supported"}:
        status = "supported"
    return least, status, found[least]


def randomisation(lab: Lab, method: Method) -> Finding:
    """Whether maps change when the parameters do: rank correlation with the random network's."""
    found = [_cascade(lab, method, seed) for seed in range(lab.budget.seeds)]
    last = [1.0 if lab.fault else record[-1] for record in found]
    comparison = mean_effect(last)
    return Finding(
        below(comparison, ALIKE),
        comparison,
        ALIKE,
        "rank correlation",
        tuple(
            Row.mean(f"correlation, random down to {name}", [record[place] for record in found])
            for place, name in enumerate(_names())
        ),
        note=f"Maps of {method}. Stage by stage from the output down, every parameter keeps its "
        "values in random order; pixels of a seed's tiles, the mean over tiles.",
        series={"layers": list(_names()), "correlation": found},
        test="below",
    )


def _names() -> tuple[str, ...]:
    """Stages as readers know them, from the output down."""
    return ("the head", *reversed(study.STAGES))


def _cascade(lab: Lab, method: Method, seed: int) -> list[float]:
    name = f"{lab.data.name}, randomised {method}, {seed}"
    return list(lab.recall(name, lambda: _correlations(lab, method, seed)))


def _correlations(lab: Lab, method: Method, seed: int) -> list[float]:
    places = study.tiles(lab, seed)[1][: study.CHUNK]
    side = lab.data.masks.shape[1:]
    found = judge.parameter_randomisation(
        network(lab, seed),
        lambda net, x: study.explained(lab, method, net, places, side),
        np.zeros(1),
        layers=RANDOM_LAYERS,
        seed=seed,
    )
    # A map that is constant has no ranks: it has nothing of the trained one's.
    return [round(float(np.nan_to_num(row).mean()), study.DIGITS) for row in found.similarity]


def difference(ours: Sequence[float], theirs: Sequence[float]) -> Comparison:
    """Paired by seed."""
    return paired(ours, theirs)
