"""Experiments on S2M: arms of one start against each other, by SeK and F_scd, paired by seed.

Arms, steps and answers are those of `s2m_study`; numbers are per cent, effects are points.
"""

import itertools
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurons.data import Scenes, parse, sentences
from neurons.data.scene_sentences import Count
from neurons.data.scenes import Region, regions
from theory.claims import change_gallery as gallery
from theory.claims import s2m_study as study
from theory.claims.cam_contrasts import weakest
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.s2m_study import (
    BACK,
    COARSE,
    FORTH,
    LEAST,
    NOISE,
    NONE,
    ONE_STAGE,
    OURS,
    SLOTS_LEFT_OUT,
    STAGE1,
    VISION,
)
from theory.claims.statistics import Comparison, Status, greater, mean_effect

POINTS = "points of SeK"
SHOWN, LEAST_REAL = 4, 32  # real pairs that a figure tells, pixels of their smallest region
WHOLE = 100.0
SWAPPED = {"swapped": "the two sides change places"}
PERFECT = {"perfect": "S2M's maps are the labels themselves"}
FAULTS: Mapping[str, Mapping[str, str]] = {
    "beats_vision_twin": SWAPPED | PERFECT,
    "clean_beats_noisy": SWAPPED | PERFECT,
    "noise_lowers_sek": {
        "reversed": "the shares of wrong captions are numbered from the largest",
        "planted": "SeK falls by a point for every step of wrong captions",
    },
    "each_slot_matters": SWAPPED | PERFECT,
    "two_stages_win": SWAPPED | PERFECT,
    "both_directions_win": {
        **SWAPPED,
        "planted": "both directions have the labels, one direction has half of them",
    },
    "text_is_free": {"words": "sentences write the number of regions as words"},
    "no_label_when_answering": {
        "own captions": "the network may read the sentences of the picture at hand alone"
    },
    "retrieval_rises": {
        **SWAPPED,
        "planted": "after the second stage every sentence finds its region",
    },
}
Runs = Mapping[str, Sequence[float]]


def by_seed(lab: Lab, arm: str, score: str = "sek") -> list[float]:
    """A score of an arm in every seed; of a perfect S2M what the labels have."""
    if arm == OURS and lab.fault == "perfect":
        return [WHOLE] * lab.budget.seeds
    return [study.outcome(lab, seed)["scores"][arm][score] for seed in range(lab.budget.seeds)]


def gain(lab: Lab, ours: str, theirs: str, score: str = "sek") -> list[float]:
    """What one arm has more than another, by seed."""
    pair = [by_seed(lab, arm, score) for arm in (ours, theirs)]
    found = [a - b for a, b in zip(*pair, strict=True)]
    return [-value for value in found] if lab.fault == "swapped" else found


def beats_vision_twin(lab: Lab) -> Finding:
    """The lesser of the gains in SeK and F_scd over the vision-only twin."""
    gains = {name: gain(lab, OURS, VISION, score) for name, score in _SCORES.items()}
    least, status, comparison = weakest(gains)
    same_size = {name: gain(lab, OURS, NONE, score) for name, score in _SCORES.items()}
    return Finding(
        status,
        comparison,
        0.0,
        "points",
        _rows(lab, (STAGE1, VISION, NONE, OURS), ("sek", "f_scd", "miou", "oa")),
        (
            *(_above(f"S2M's {name} is higher than its twin's", v) for name, v in gains.items()),
            *(
                _above(f"{name} is higher than with the bank, but without contrast", values)
                for name, values in same_size.items()
            ),
        ),
        f"The lesser gain: {least}. The twin goes on from the same network of the first stage for "
        "as many steps; it has no bank of sentences and no contrastive loss.",
        {
            "arms": {
                f"{name} (%)": {a: by_seed(lab, a, score) for a in (STAGE1, VISION, NONE, OURS)}
                for name, score in _SCORES.items()
            },
            "examples": study.outcome(lab, 0)["examples"],
        },
    )


_SCORES: Mapping[str, str] = {"SeK": "sek", "F_scd": "f_scd"}


def clean_beats_noisy(lab: Lab) -> Finding:
    """The least gain of true, whole captions over captions that are wrong or coarse."""
    worse = (*list(NOISE)[1:], COARSE)
    return _least(lab, {f"over captions: {arm}": (OURS, arm) for arm in worse}, (OURS, *worse))


def noise_lowers_sek(lab: Lab) -> Finding:
    """The least fall of SeK from one share of wrong captions to the next."""
    table = np.array([by_seed(lab, arm) for arm in NOISE])
    if lab.fault == "reversed":
        table = table[::-1]
    if lab.fault == "planted":
        table = table[:1] - np.arange(len(table))[:, None]
    shares = list(NOISE.values())
    falls = {
        f"from {100 * a:g} to {100 * b:g} % wrong": (table[place] - table[place + 1]).tolist()
        for place, (a, b) in enumerate(itertools.pairwise(shares))
    }
    least, status, comparison = weakest(falls)
    slope = [float(np.polyfit(shares, run, 1)[0]) for run in table.T]
    return Finding(
        status,
        comparison,
        0.0,
        POINTS,
        tuple(Row.mean(f"SeK, {arm}, %", run) for arm, run in zip(NOISE, table, strict=True)),
        (
            _above("SeK falls from all right to all wrong", (table[0] - table[-1]).tolist()),
            _above("SeK falls along the straight line through all shares", [-s for s in slope]),
        ),
        f"The least fall: {least}.",
        {"shares": shares, "sek": table.T.tolist(), "vision": by_seed(lab, VISION)},
    )


def each_slot_matters(lab: Lab) -> Finding:
    """The least loss of SeK when a part of the quadruple is left out."""
    arms = {f"without {parts[0]}": (OURS, arm) for arm, parts in SLOTS_LEFT_OUT.items()}
    return _least(lab, arms, (OURS, *SLOTS_LEFT_OUT))


def two_stages_win(lab: Lab) -> Finding:
    """SeK of two stages less that of one, at equal steps."""
    return _least(lab, {"over one stage": (OURS, ONE_STAGE)}, (ONE_STAGE, OURS))


def both_directions_win(lab: Lab) -> Finding:
    """The least step of: none, one direction, both."""
    pairs = {
        "both over regions to text": (OURS, FORTH),
        "both over text to regions": (OURS, BACK),
        "regions to text over none": (FORTH, NONE),
        "text to regions over none": (BACK, NONE),
    }
    if lab.fault == "planted":
        planted = {OURS: WHOLE, FORTH: WHOLE / 2, BACK: WHOLE / 2, NONE: 0.0}
        gains = {
            name: [planted[a] - planted[b]] * lab.budget.seeds for name, (a, b) in pairs.items()
        }
        least, status, comparison = weakest(gains)
        return Finding(status, comparison, 0.0, POINTS, note=f"The least: {least}.")
    return _least(lab, pairs, (NONE, FORTH, BACK, OURS))


def retrieval_rises(lab: Lab) -> Finding:
    """Recall at 1 from text to region, after the second stage less before it."""
    kinds = ("text to region", "region to text")
    table = {kind: {arm: _recall(lab, arm, kind) for arm in (STAGE1, NONE, OURS)} for kind in kinds}
    if lab.fault == "planted":
        table[kinds[0]][OURS] = [WHOLE] * lab.budget.seeds

    def more(kind: str, arm: str) -> list[float]:
        rise = [a - b for a, b in zip(table[kind][OURS], table[kind][arm], strict=True)]
        return [-value for value in rise] if lab.fault == "swapped" else rise

    comparison = mean_effect(more(kinds[0], STAGE1))
    chance = _recall(lab, OURS, "chance")
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        "points of recall at 1",
        (
            *(
                Row.mean(f"{kind}, {_WHEN[arm]}, %", values)
                for kind, runs in table.items()
                for arm, values in runs.items()
            ),
            Row.mean("text to region, by chance, %", chance),
        ),
        (
            _above("Recall from region to text rises, too", more(kinds[1], STAGE1)),
            _above("It is higher than after a second stage without contrast", more(kinds[0], NONE)),
        ),
        "Test tiles, their true regions; labels say which region is asked about, and are not seen "
        "by the network otherwise.",
        {
            **{f"{k} (%)": {_WHEN[a]: v for a, v in runs.items()} for k, runs in table.items()},
            "chance": chance,
        },
    )


_WHEN: Mapping[str, str] = {
    STAGE1: "before stage 2",
    NONE: "stage 2, no contrast",
    OURS: "after stage 2",
}


def _recall(lab: Lab, arm: str, kind: str) -> list[float]:
    seeds = range(lab.budget.seeds)
    return [study.outcome(lab, seed)["recall"][arm][kind] for seed in seeds]


def text_is_free(lab: Lab) -> Finding:
    """Share of the sentences that say what the masks say, when read back."""
    scenes: Scenes = lab.data.drawn
    real: Scenes | None = lab.data.second
    start = time.perf_counter()
    found = told(scenes)
    seconds = time.perf_counter() - start
    count: Count = "words" if lab.fault == "words" else "number"
    read = [
        parse(sentence) == region.quadruple
        for pair in found
        for region in pair
        for sentence in sentences(region.quadruple, count=count)
    ]
    share = 100 * float(np.mean(read)) if read else 0.0
    covered = sum(int(region.mask.sum()) for pair in found for region in pair)
    status: Status = "supported" if read and all(read) else "refuted"
    return Finding(
        status,
        Comparison(share, (share, share), 1),
        WHOLE,
        "% of the sentences read back as they were meant",
        (
            Row("sentences a pair", len(read) / len(scenes)),
            Row("changed pixels in a described region, %", 100 * covered / scenes.changed.sum()),
            Row("pairs described a second, on this machine", len(scenes) / seconds),
            Row("annotations needed beside the masks", 0.0),
        ),
        note="The texts are a function of the label maps: no picture is read, nothing is typed in. "
        "Exact; the time is that of one run.",
        series={"told": gallery.told(real, np.arange(SHOWN), least=LEAST_REAL) if real else []},
    )


def told(scenes: Scenes) -> list[tuple[Region, ...]]:
    """Regions and quadruples of every pair, from masks alone."""
    pairs = zip(scenes.labels_before, scenes.labels_after, strict=True)
    return [regions(before, after, scenes.classes, least=LEAST) for before, after in pairs]


def no_label_when_answering(lab: Lab) -> Finding:
    """How far a logit moves when test pictures get other labels: not at all."""
    which = "own captions" if lab.fault == "own captions" else "fixed bank"
    leaks: dict[str, list[float]] = {
        name: [study.outcome(lab, seed)["leak"][name] for seed in range(lab.budget.seeds)]
        for name in ("fixed bank", "own captions")
    }
    worst = max(leaks[which])
    status: Status = "supported" if worst == 0 else "refuted"
    return Finding(
        status,
        Comparison(worst, (worst, worst), 1),
        0.0,
        "largest difference of a logit",
        tuple(
            Row(f"largest difference, {name}, logits", max(values))
            for name, values in leaks.items()
        ),
        note="Exact: any difference refutes. Own captions: what it would be if the network read "
        "the sentences of the picture at hand, which come from its labels.",
        test="same",
    )


def _least(lab: Lab, pairs: Mapping[str, tuple[str, str]], shown: Sequence[str]) -> Finding:
    """The least of several gains in SeK, each a control of its own."""
    gains = {name: gain(lab, *pair) for name, pair in pairs.items()}
    least, status, comparison = weakest(gains)
    f_scd = {name: gain(lab, *pair, "f_scd") for name, pair in pairs.items()}
    return Finding(
        status,
        comparison,
        0.0,
        POINTS,
        _rows(lab, shown, ("sek", "f_scd")),
        (
            *(_above(f"Gain in SeK {name}", values) for name, values in gains.items()),
            *(_above(f"Gain in F_scd {name}", values) for name, values in f_scd.items()),
        ),
        f"The least gain: {least}.",
        {"SeK (%)": {arm: by_seed(lab, arm) for arm in shown}},
    )


def _rows(lab: Lab, arms: Sequence[str], scores: Sequence[str]) -> tuple[Row, ...]:
    titles: Any = {"sek": "SeK", "f_scd": "F_scd", "miou": "mIoU", "oa": "OA"}
    return tuple(
        Row.mean(f"{titles[score]}, {arm}, %", by_seed(lab, arm, score))
        for score in scores
        for arm in arms
    )


def _above(question: str, values: Sequence[float]) -> Control:
    return Control.above(question, mean_effect(values))
