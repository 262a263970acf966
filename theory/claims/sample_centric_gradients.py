"""Experiments on who moves the shared encoder: small defects, and whether the tasks agree."""

from collections.abc import Mapping, Sequence

import numpy as np

from theory.claims import sample_centric_networks as networks
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.sample_centric_networks import Which
from theory.claims.sample_centric_scores import SETS, TITLES, seeds
from theory.claims.sample_centric_study import JOINT, MASK
from theory.claims.statistics import greater, mean_effect

FAULTS: Mapping[str, Mapping[str, str]] = {
    "tiny_share_rises": {
        "swapped": "the two losses change places",
        "all": "under the joint loss only tiny defects have a gradient",
    },
    "tasks_agree": {"turned": "the classification's gradient is turned round"},
}


def tiny_share_rises(lab: Lab) -> Finding:
    """Share of the encoder's gradient that comes from tiny defects: joint less mask only."""
    group = "tiny"
    joint, alone = (_shares(lab, arm, group) for arm in ("joint", "mask"))
    if lab.fault == "swapped":
        joint, alone = alone, joint
    if lab.fault == "all":
        joint = [(100.0, other) for _, other in joint]
    own = [ours - theirs for (ours, _), (theirs, _) in zip(joint, alone, strict=True)]
    added = [other - ours for ours, other in alone]  # the loss alone changes
    comparison = mean_effect(own)
    small = {arm: _shares(lab, arm, "small") for arm in ("mask", "joint")}
    drawn = {arm: _shares(lab, arm, "small", "drawn") for arm in ("mask", "joint")}
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        "points of the gradient's norm",
        (
            Row.mean("tiny defects, mask-only training, %", [one for one, _ in alone]),
            Row.mean("tiny defects, joint training, %", [one for one, _ in joint]),
            Row.mean("smallest quarter, mask-only training, %", [one for one, _ in small["mask"]]),
            Row.mean("smallest quarter, joint training, %", [one for one, _ in small["joint"]]),
        ),
        (
            Control.above(
                "On one network, that of mask-only training, the joint loss raises the share",
                mean_effect(added),
            ),
            Control.above(
                "The share of the smallest quarter of the defects rises",
                mean_effect(_lead(small)),
            ),
            Control.above(
                "On drawn tiles the share of the smallest quarter rises",
                mean_effect(_lead(drawn)),
            ),
        ),
        "Tiny: below 0.1 % of the tile; drawn tiles have none. Norms of the gradients of single "
        "training pictures in the shared encoder, the mean of half-way and of the end, at equal "
        "steps.",
        {
            "tiles": {"mask only": [a for a, _ in alone], "joint": [a for a, _ in joint]},
            "smallest quarter": {
                TITLES[which]: {
                    MASK: [a for a, _ in found["mask"]], JOINT: [a for a, _ in found["joint"]]
                }
                for which, found in (("tiles", small), ("drawn", drawn))
            },
        },
    )  # fmt: skip


def tasks_agree(lab: Lab) -> Finding:
    """Share of the batches in which the two tasks' gradients do not oppose each other."""
    found = {which: _cosines(lab, which) for which in SETS}
    if lab.fault == "turned":
        found = {which: [-values for values in by_seed] for which, by_seed in found.items()}
    comparison = mean_effect(_agreeing(found["tiles"]))
    return Finding(
        greater(comparison, 50.0),
        comparison,
        50.0,
        "% of the batches",
        tuple(
            Row.mean(f"cosine of the tasks' gradients, {TITLES[which]}", [v.mean() for v in values])
            for which, values in found.items()
        ),
        (
            Control.above(
                "It holds on drawn tiles, too", mean_effect(_agreeing(found["drawn"])), 50.0
            ),
        ),
        f"Batches of {networks.BATCH} training pictures, the network of joint training half-way "
        "and at the end; 'mostly' is read as more than half of them.",
        {TITLES[which]: np.concatenate(values).tolist() for which, values in found.items()},
    )


def _shares(
    lab: Lab, arm: networks.Arm, group: str, which: Which = "tiles"
) -> list[tuple[float, float]]:
    """By seed, percent of the gradient from a group: under the arm's loss, under the other."""
    found = []
    for seed in seeds(lab):
        moments = networks.record(lab, which, arm, seed)["moments"]
        own, other = np.mean([moment[group] for moment in moments], axis=0)
        found.append((100 * float(own), 100 * float(other)))
    return found


def _lead(shares: Mapping[str, Sequence[tuple[float, float]]]) -> list[float]:
    return [
        ours - theirs
        for (ours, _), (theirs, _) in zip(shares["joint"], shares["mask"], strict=True)
    ]


def _cosines(lab: Lab, which: Which) -> list[np.ndarray]:
    """By seed, the cosine of the tasks' gradients in every batch of the joint network."""
    records = [networks.record(lab, which, "joint", seed) for seed in seeds(lab)]
    return [np.concatenate([moment["cosine"] for moment in one["moments"]]) for one in records]


def _agreeing(cosines: Sequence[np.ndarray]) -> list[float]:
    return [100 * float((values >= 0).mean()) for values in cosines]
