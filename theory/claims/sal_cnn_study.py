"""The study on remaining life: leave one bearing out, and the challenge's own split.

Every bearing is predicted by networks that learned from the others of its condition, one network
for each arm and seed. What a network answered for its bearing is one unit of the lab's memory.
"""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

import numpy as np

from neurons.backbones.remaining_life import Constant, LinearRMS, MeanLife
from neurons.data.life_labels import linear_label
from neurons.data.phm2012 import PERIOD, Life
from neurons.data.phm2012_challenge import TEST, leave_one_out, truncation
from theory.claims import sal_cnn_networks as networks
from theory.claims.claim import Lab
from theory.claims.sal_cnn_networks import ARMS, BANDS, MULTI, SAL

CONSTANT, RMS, CLOCK = "constant 50 %", "linear RMS", "mean life"
BASELINES = (RMS, CLOCK, CONSTANT)
JUDGED = (SAL, MULTI)  # by the challenge's score
NEVER_ENDS = 1e-3  # of life at least is over: a share of 1 would last for ever

Shares = Mapping[str, np.ndarray]


def bearings(lab: Lab) -> tuple[str, ...]:
    """Names, in the order of the set."""
    return tuple(lab.data.bearings)


def life(lab: Lab, name: str) -> Life:
    """The life of a bearing."""
    return _lives(lab.data)[name]


@lru_cache(maxsize=4)
def _lives(data: Any) -> Mapping[str, Life]:
    return {one.name: one for one in data.lives}


def truth(lab: Lab) -> Shares:
    """The share that is left at every record, by bearing."""
    return {name: linear_label(life(lab, name)).astype(float) for name in bearings(lab)}


def unit(lab: Lab, arm: str, bearing: str, seed: int) -> dict[str, Any]:
    """What a bearing left out was predicted to be, recalled or computed.

    Returns:
        "share" of life that is left, one for each record; "loss" at the end of training; of
        SAL-CNN also "hidden", the share for each band that is set to the training mean, and
        "attribution" of every frequency.
    """
    name = f"{lab.data.name}, remaining life, {arm}, {bearing}, {seed}"
    return dict(lab.recall(name, partial(_unit, lab, arm, bearing, seed)))


def _unit(lab: Lab, arm: str, bearing: str, seed: int) -> dict[str, Any]:
    one = life(lab, bearing)
    known = networks.trained(lab, arm, _others(lab, bearing), seed)
    answer = partial(networks.predicted, lab, arm, known, one)
    found: dict[str, Any] = {"share": _listed(answer()), "loss": known.loss}
    if arm == SAL:
        found["hidden"] = {band: _listed(answer(band)) for band in BANDS}
        found["attribution"] = _listed(networks.attribution(lab, arm, known, one))
    return found


def _others(lab: Lab, bearing: str) -> tuple[Life, ...]:
    (fold,) = (fold for fold in leave_one_out(bearings(lab)) if fold.test == (bearing,))
    return tuple(life(lab, name) for name in fold.train)


def _listed(values: np.ndarray) -> list[float]:
    return [round(float(value), 5) for value in values]


def shares(lab: Lab, arm: str, seed: int, hidden: str = "") -> Shares:
    """What a network or a baseline predicts of every bearing.

    Args:
        lab: the lab.
        arm: key of `ARMS`, or one of :data:`BASELINES`, which know no seed.
        seed: the seed.
        hidden: a band that SAL-CNN does not see.
    """
    if arm in BASELINES:
        return _baseline(lab.data, arm)
    found = {name: unit(lab, arm, name, seed) for name in bearings(lab)}
    return {
        name: np.array(one["hidden"][hidden] if hidden else one["share"])
        for name, one in found.items()
    }


@lru_cache(maxsize=16)
def _baseline(data: Any, name: str) -> Shares:
    known, found = _lives(data), {}
    for train, (bearing,) in leave_one_out(tuple(known)):
        others, one = [known[other] for other in train], known[bearing]
        if name == CONSTANT:
            found[bearing] = Constant()(one.signals)
        elif name == CLOCK:
            clock = MeanLife.fit([other.records * PERIOD for other in others])
            found[bearing] = clock(one.elapsed + PERIOD)
        else:
            signals = np.concatenate([other.signals for other in others])
            labels = np.concatenate([linear_label(other) for other in others])
            found[bearing] = LinearRMS.fit(signals, labels)(one.signals)
    return found


def errors(lab: Lab, arm: str, hidden: str = "", power: int = 1) -> np.ndarray:
    """Mean absolute error, or with power 2 root mean squared error, in % of life.

    Returns:
        `(seeds, bearings)`.
    """
    known = truth(lab)
    table = []
    for seed in range(lab.budget.seeds):
        found = shares(lab, arm, seed, hidden)
        gaps = [np.abs(found[name] - known[name]) ** power for name in bearings(lab)]
        table.append([float(gap.mean()) ** (1 / power) for gap in gaps])
    return 100 * np.array(table)


def learned(lab: Lab, arm: str) -> np.ndarray:
    """Root mean squared error on the training bearings at the end, by seed, in % of life."""
    seeds = range(lab.budget.seeds)
    losses = [[unit(lab, arm, name, seed)["loss"] for name in bearings(lab)] for seed in seeds]
    return np.asarray(100 * np.sqrt(np.mean(losses, axis=1)))


def official(lab: Lab, arm: str, seed: int) -> dict[str, float]:
    """Remaining life in s at each test bearing's truncation, by the challenge's own split.

    One network learns from the learning bearings of all conditions. A share p that is left after
    n records stands for `p / (1 - p) n` records to come.
    """
    if arm == CLOCK:
        return _clock(lab)
    name = f"{lab.data.name}, remaining life, official split, {arm}, {seed}"
    found = lab.recall(name, partial(_official, lab, arm, seed))
    return {bearing: float(value) for bearing, value in found.items()}


def tested(lab: Lab) -> tuple[str, ...]:
    """Test bearings of the challenge that the data has."""
    return tuple(name for name in bearings(lab) if name in TEST)


def _learning(lab: Lab) -> tuple[Life, ...]:
    return tuple(life(lab, name) for name in bearings(lab) if name not in TEST)


def _clock(lab: Lab) -> dict[str, float]:
    mean = float(np.mean([one.records * PERIOD for one in _learning(lab)]))
    left = {name: mean - truncation(life(lab, name)) * PERIOD for name in tested(lab)}
    return {name: max(0.0, seconds) for name, seconds in left.items()}


def _official(lab: Lab, arm: str, seed: int) -> dict[str, float]:
    known = networks.trained(lab, arm, _learning(lab), seed)
    found = {}
    for name in tested(lab):
        one, count = life(lab, name), truncation(life(lab, name))
        seen = one.index < count
        # The networks look back only, so what comes after the truncation changes nothing.
        share = networks.predicted(lab, arm, known, one)[seen][-1]
        last = int(one.index[seen][-1]) + 1  # records so far when the last one at hand was taken
        over = max(1 - float(share), NEVER_ENDS)
        left = float(share) / over * last - (count - last)
        found[name] = max(0.0, left) * PERIOD
    return found


def piece(lab: Lab, arm: str, seed: int) -> None:
    """Everything that one arm and seed needs."""
    for name in bearings(lab):
        unit(lab, arm, name, seed)
    if arm in JUDGED:
        official(lab, arm, seed)


NETWORKS = tuple(ARMS)
