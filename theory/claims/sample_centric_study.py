"""The study behind the claims on sample-centric learning: which systems are compared, and how.

A system is a network together with a rule that decides about samples. For every seed and set:

1. Networks learn from the seed's training pictures (`sample_centric_networks`): to segment alone
   ("mask only"), to segment and to classify ("joint"), and the latter with the sample labels of
   other pictures ("shuffled", on drawn tiles). The plain classifier of `inspection_study` decides
   beside the masks of the first: "two networks", which share nothing.
2. On the seed's validation pictures, and for every system alike, these are chosen: the probability
   from which on a pixel is defective (best mean IoU of the defects), how many pixels a mask must
   have (best area under the ROC curve), the rule itself where a system has several, and two
   thresholds: the lowest with at most 5 % false alarms, and that of the best F1.
3. All systems are judged on the seed's test pictures, once.

The mean over five seeds sees every picture once. Solar cells have no masks and take no part.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from neurons.explain.metrics import auc, boundary_f
from neurons.inspection.decisions import RULES, Decision, Rule, evidence, threshold_at
from neurons.inspection.fold import Fold
from neurons.inspection.sample_metrics import report, sample_scores
from neurons.inspection.strata import contrast
from theory.claims import inspection_study as study
from theory.claims import sample_centric_networks as networks
from theory.claims.claim import Lab
from theory.claims.localisation_study import rounded
from theory.claims.sample_centric_networks import Arm, Which

RATE = 0.05  # false alarms
PIXELS = tuple(round(0.05 * number, 2) for number in range(1, 20))
AREAS = (1, 4, 16, 64)  # pixels that a mask must have
TAUS = (0.0, 0.1, 0.3, 0.5)
MASK, JOINT, TWO, SHUFFLED = "mask only", "joint", "two networks", "shuffled"
Option = tuple[Rule, int]  # and the least area of a mask
BY_RULE: Mapping[str, Rule] = {f"joint, by {rule}": rule for rule in RULES}
# Nothing chosen: defective is what has a pixel from a level on, which is marked.
LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
PLAIN: Mapping[str, tuple[str, float]] = {
    f"{name}, any pixel from {level:g}": (name, level) for name in (MASK, JOINT) for level in LEVELS
}


class Answers(NamedTuple):
    """What networks say about all pictures of a set; zero where they were not asked.

    Args:
        pixels: `(pictures, height, width)` probability of a defect.
        evidence: by rule and least area, `(pictures,)` what speaks for a defective picture.
    """

    pixels: np.ndarray
    evidence: Mapping[Option, np.ndarray]


class System(NamedTuple):
    """Networks and how they decide.

    Args:
        answers: of the networks.
        pixel: probability from which on a pixel is marked.
        decision: at the chosen rate of false alarms.
        balanced: the same rule at the threshold of the best F1.
    """

    answers: Answers
    pixel: float
    decision: Decision
    balanced: Decision

    def masks(self, rows: np.ndarray) -> np.ndarray:
        """What is marked."""
        return np.asarray(self.answers.pixels[rows] >= np.float32(self.pixel))

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """The evidence that the rule decides by."""
        return self.answers.evidence[self.decision.rule, self.decision.area][rows]

    def called(self, rows: np.ndarray, balanced: bool = False) -> np.ndarray:
        """Whether each picture is called defective."""
        chosen = self.balanced if balanced else self.decision
        return np.asarray(self.scores(rows) >= chosen.threshold)


def outcome(lab: Lab, which: Which, seed: int) -> dict[str, Any]:
    """What all systems reach on one seed's test pictures, recalled or computed.

    Returns:
        "systems": by name, see :func:`judged`. "reversal": of the two systems which validation
        says are ranked most differently, their "names", "miou" and "recall". "tile", "area" and
        "contrast" of every test picture, 0 where there is no defect.
    """
    name = f"{lab.data.name}, sample-centric outcome, {which}, {seed}"
    return dict(lab.recall(name, partial(_outcome, lab, which, seed)))


def _outcome(lab: Lab, which: Which, seed: int) -> dict[str, Any]:
    fold, masks = study.fold(lab, which, seed), networks.true_masks(lab, which)
    systems = settled(fold, masks, _answers(lab, which, seed, fold))
    shown = lru_cache(lambda name, rows: reported(systems[name], masks, np.array(rows)))

    def lead(pair: tuple[str, str], rows: np.ndarray) -> float:
        return reversal(*(shown(name, tuple(rows.tolist())) for name in pair))

    best = fold.choose("ranking reversal", list(permutations(systems, 2)), lead)

    def all_judged(rows: np.ndarray) -> dict[str, Any]:
        truth = masks[rows]
        depth = contrast(study.part(lab, which).images[rows], truth)
        return {
            "systems": {name: judged(one, masks, rows) for name, one in systems.items()},
            "reversal": _reversal(best, [reported(systems[n], masks, rows) for n in best]),
            "tile": rows.tolist(),
            "area": [round(float(share), 6) for share in truth.mean(axis=(1, 2))],
            "contrast": rounded(np.nan_to_num(depth)),
        }

    return dict(fold.judge(all_judged))


def _answers(lab: Lab, which: Which, seed: int, fold: Fold) -> dict[str, Answers]:
    """Of all networks, on validation and test pictures."""
    rows = np.concatenate([fold.validation, fold.test])
    arms: Sequence[Arm] = ("mask", "joint", "shuffled") if which == "drawn" else ("mask", "joint")
    names: Mapping[Arm, str] = {"mask": MASK, "joint": JOINT, "shuffled": SHUFFLED}
    nets = {names[arm]: networks.trained(lab, which, arm, seed) for arm in arms}
    said = {name: networks.answers(lab, which, net, rows) for name, net in nets.items()}
    plain = study.margin(study.logits(lab, which, study.baseline(lab, which, seed), rows))
    said[TWO] = (1 / (1 + np.exp(-plain)), said[MASK][1])
    pictures = len(study.part(lab, which).labels)
    return {name: answered(*both, rows, pictures) for name, both in said.items()}


def answered(samples: np.ndarray, pixels: np.ndarray, rows: np.ndarray, pictures: int) -> Answers:
    """Probabilities of the pictures in `rows`, with all that rules may decide by."""
    known = {area: evidence(samples, pixels, area=area) for area in AREAS}
    options: list[Option] = [(rule, area) for rule in RULES for area in AREAS]
    return Answers(
        _spread(pixels.astype(np.float32), rows, pictures),
        {option: _spread(known[option[1]][option[0]], rows, pictures) for option in options},
    )


def _spread(values: np.ndarray, rows: np.ndarray, pictures: int) -> np.ndarray:
    """Values at their pictures' places."""
    found = np.zeros((pictures, *values.shape[1:]), values.dtype)
    found[rows] = values
    return found


def settled(fold: Fold, masks: np.ndarray, answers: Mapping[str, Answers]) -> dict[str, System]:
    """All systems, with what was chosen on validation pictures.

    "mask only" decides by its mask, having no other way; "joint", "two networks" and "shuffled"
    by the rule that does best there; "joint, by ..." by each. In "..., any pixel from ..." nothing
    is chosen.
    """
    rules: dict[str, Sequence[Rule]] = {}
    rules |= dict.fromkeys(answers, RULES) | {MASK: ("mask",)}
    said = dict(answers) | dict.fromkeys(BY_RULE, answers[JOINT])
    rules |= {name: (rule,) for name, rule in BY_RULE.items()}
    levels = {name: _level(fold, masks, one, name) for name, one in answers.items()}
    levels |= dict.fromkeys(BY_RULE, levels[JOINT])
    defective = np.asarray(masks.any(axis=(1, 2)))
    plain = {
        name: System(answers[net], level, *[Decision("mask", level)] * 2)
        for name, (net, level) in PLAIN.items()
    }
    return plain | {
        name: System(one, levels[name], *_decisions(fold, defective, one, rules[name], name))
        for name, one in said.items()
    }


def _level(fold: Fold, masks: np.ndarray, answers: Answers, name: str) -> float:
    """The probability from which on pixels are marked."""

    def overlap(level: float, rows: np.ndarray) -> float:
        rows = rows[masks[rows].any(axis=(1, 2))]
        return sample_scores(masks[rows], answers.pixels[rows] >= level).seg_miou_pos

    return fold.choose(f"{name}: pixel", PIXELS, overlap)


def _decisions(
    fold: Fold, defective: np.ndarray, answers: Answers, rules: Sequence[Rule], name: str
) -> list[Decision]:
    """Rule, area and both thresholds."""

    def order(option: Option, rows: np.ndarray) -> float:
        return _auc(answers.evidence[option][rows], defective[rows])

    options = [
        (rule, area) for rule in rules for area in (AREAS[:1] if rule == "classifier" else AREAS)
    ]
    chosen = fold.choose(f"{name}: rule and area", options, order)

    def few_alarms(threshold: float, rows: np.ndarray) -> float:
        values, truth = answers.evidence[chosen][rows], defective[rows]
        allowed = threshold >= threshold_at(values, truth, RATE)
        return float(np.mean(values[truth] >= threshold)) if allowed else -np.inf

    def f1(threshold: float, rows: np.ndarray) -> float:
        called, truth = answers.evidence[chosen][rows] >= threshold, defective[rows]
        return float(2 * (called & truth).sum() / (called.sum() + truth.sum()))

    values, truth = (part[fold.validation] for part in (answers.evidence[chosen], defective))
    levels = sorted({*values.tolist(), threshold_at(values, truth, RATE)})
    rule, area = chosen
    return [
        Decision(rule, fold.choose(f"{name}: {score.__name__}", levels, score), area)
        for score in (few_alarms, f1)
    ]


def judged(system: System, masks: np.ndarray, rows: np.ndarray) -> dict[str, Any]:
    """What a system reaches on pictures.

    Returns:
        "rule", "pixel"; at few false alarms: the fields of `SampleScores` and "seg_recall(tau)";
        "reported_miou", pooled over masks that are empty where the system says free; "auc" of its
        evidence and "caught", the share of the defective pictures found at exactly 5 % false
        alarms along the ROC curve; "best_f1" at the other threshold; "boundary", the mean F of the
        defects; "outcome" by picture. Precisions are 0 where nothing is called defective.
    """
    truth, found = masks[rows], system.masks(rows)
    called, defective = system.called(rows), truth.any(axis=(1, 2))
    told, values = report(truth, found, called), system.scores(rows)
    scores = sample_scores(truth, found, called)
    at_tau = {
        f"seg_recall({tau:g})": sample_scores(truth, found, called, tau).seg_recall for tau in TAUS
    }
    edge = boundary_f(found[defective].astype(float), truth[defective], 0.5)
    return {
        **{name: float(np.nan_to_num(value)) for name, value in scores._asdict().items()},
        **at_tau,
        "reported_miou": reported(system, masks, rows).miou,
        "auc": _auc(values, defective),
        "caught": caught(values, defective),
        "best_f1": sample_scores(truth, found, system.called(rows, balanced=True)).f1,
        "boundary": float(np.nanmean(edge)) if np.isfinite(edge).any() else float("nan"),
        "outcome": list(told.outcome),
        "rule": system.decision.rule,
        "pixel": system.pixel,
    }


def caught(values: np.ndarray, defective: np.ndarray, rate: float = RATE) -> float:
    """Height of the ROC curve at a rate of false alarms, between its corners by a straight line.

    No threshold is chosen by it: it orders systems at one rate, whatever their thresholds do.
    """
    free, found = np.sort(values[~defective]), values[defective]
    levels = np.unique(values)[::-1]
    alarms = [0.0, *((free >= level).mean() for level in levels)]
    hits = [0.0, *((found >= level).mean() for level in levels)]
    # At equal rates of false alarms the highest point counts.
    corners = {
        alarm: max(h for a, h in zip(alarms, hits, strict=True) if a == alarm) for alarm in alarms
    }
    return float(np.interp(rate, list(corners), list(corners.values())))


class Reported(NamedTuple):
    """What two ways of counting say of a system; masks are empty where it says free."""

    miou: float
    recall: float


def reported(system: System, masks: np.ndarray, rows: np.ndarray) -> Reported:
    """Pooled mIoU and Seg_Recall of what a system reports."""
    shown = system.masks(rows) & system.called(rows)[:, None, None]
    scores = sample_scores(masks[rows], shown)
    return Reported(scores.pooled_miou, scores.seg_recall)


def reversal(one: Reported, other: Reported) -> float:
    """The lesser of two leads: of the first system in mIoU, of the second in Seg_Recall."""
    return min(one.miou - other.miou, other.recall - one.recall)


def _reversal(names: Sequence[str], pair: Sequence[Reported]) -> dict[str, Any]:
    return {
        "names": list(names),
        "miou": [one.miou for one in pair],
        "recall": [one.recall for one in pair],
        "least": reversal(*pair),
    }


def _auc(values: np.ndarray, truth: np.ndarray) -> float:
    return float(auc(values[None].astype(float), truth[None])[0])
