"""The study behind the claims on Tri-path DINO: what every arm reaches on a seed's test pairs.

The division, the lessons and the training are those of `change_study`, on drawn pairs cut to
squares of 32 pixels. Nothing is chosen by test pairs: pixels are decided at even odds, all arms
take as many steps. (One seed's test scores of four arms were seen while this was built; afterwards
the rate was raised, by pairs of other places, and the steps, when a step had become faster.)
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

from neurons.backbones.change_detection import TriPath
from neurons.data import Scenes
from theory.claims import change_gallery as gallery
from theory.claims import change_study as study
from theory.claims import side_by_side
from theory.claims import tri_path_dino_maps as maps
from theory.claims.claim import Lab
from theory.claims.inspection_study_networks import in_chunks
from theory.claims.tri_path_dino_networks import (
    ARMS,
    AUXILIARY,
    FULL,
    MAIN,
    PLAIN,
    SIDE,
    trained,
)

EXAMPLES = 4  # pairs that figures show, of the first seed
DRAWN = (FULL, MAIN, AUXILIARY, PLAIN)
REGIONS = (FULL, MAIN)  # arms whose regions are compared by size
SIZES = ("small", "large")


def outcome(lab: Lab, seed: int) -> dict[str, Any]:
    """What all arms reach on one seed's test pairs, recalled or computed.

    Returns:
        "scores": by arm, per cent, see `change_study.score`. "regions": by arm of
        :data:`REGIONS`, "small" and "large", the mean share of a region of change that is found,
        per cent. "maps": of the full network, see `tri_path_dino_maps.described`. "exchange": the
        largest difference of logits, and the share of pixels decided otherwise, between the maps
        of exchanged pictures and exchanged maps, for the full network as trained. "identical": of
        pairs of one picture twice, the largest difference between the two maps, and the share of
        pixels called changed; "unchanged", that share of the unchanged pixels of true pairs; per
        cent. Of the first seed alone: "shown", some pairs to be drawn, see :func:`shown`; "real",
        the same of real pairs, that no network learned from, if there are any.
    """
    name = f"{lab.data.name}, tri-path outcome, {seed}"
    return dict(lab.recall(name, partial(_outcome, study.tiled(lab, SIDE), seed)))


def pieces(lab: Lab) -> side_by_side.Pieces:
    """The outcomes of the seeds, which need no others, as functions that keep them."""
    return side_by_side.by_seed(lab, outcome)


def _outcome(lab: Lab, seed: int) -> dict[str, Any]:
    rows = study.division(lab, seed).test
    some = study.pairs(lab).take(rows)
    nets = {arm: trained(lab, arm, seed) for arm in ARMS}
    found = {arm: study.decided(net, some) for arm, net in nets.items()}
    least = usual_area(study.pairs(lab))
    both = np.stack([some.before, some.after], axis=1)
    looked = maps.path_maps(nets[FULL], both)
    return {
        "scores": {arm: dict(study.scores(study.tally(one, some))) for arm, one in found.items()},
        "regions": {arm: by_size(found[arm], some, least) for arm in REGIONS},
        "area": least,
        "maps": maps.described(looked, some.changed),
        **checked(nets[FULL], some, found[FULL]),
        "shown": [] if seed else shown(some, {arm: found[arm] for arm in DRAWN}, looked),
        "real": [] if seed else real(lab.data.second, nets),
    }


def real(scenes: Scenes | None, nets: Mapping[str, TriPath]) -> list[dict[str, Any]]:
    """Tiles of real pairs as `change_gallery.shown`, none without real pairs."""
    tiles = gallery.real_tiles(scenes, SIDE, EXAMPLES)
    if tiles is None:
        return []
    found = {arm: study.decided(nets[arm], tiles) for arm in DRAWN}
    return gallery.shown(tiles, np.arange(len(tiles)), found)


def shown(
    scenes: Scenes, found: Mapping[str, np.ndarray], looked: maps.PathMaps
) -> list[dict[str, Any]]:
    """Some pairs as `change_gallery.shown`, with "maps": by path, from 0 to 255."""
    some = gallery.chosen(scenes, np.arange(len(scenes)), EXAMPLES)
    records = gallery.shown(scenes, some, {arm: one[some] for arm, one in found.items()})
    for place, record in zip(some.tolist(), records, strict=True):
        record["maps"] = {
            path: gallery.stored(np.rint(255 * one[place] / max(one[place].max(), 1e-12)))
            for path, one in zip(maps.PATHS, looked, strict=True)
        }
    return records


def usual_area(scenes: Scenes) -> float:
    """The median area of all regions of change, pixels: regions above it are large."""
    areas, _ = maps.region_recall(scenes.changed, scenes.changed)
    return float(np.median(areas)) if len(areas) else 0.0


def by_size(found: np.ndarray, scenes: Scenes, area: float) -> dict[str, float]:
    """Mean share of small and of large regions that is found, per cent; 0 where there is none."""
    areas, shares = maps.region_recall(found[:, 0] > 0, scenes.changed)
    groups = {"small": areas <= area, "large": areas > area}
    return {
        name: 100 * float(shares[of].mean()) if of.any() else 0.0 for name, of in groups.items()
    }


def checked(net: TriPath, scenes: Scenes, decided: np.ndarray) -> dict[str, Any]:
    """The permutation checks, see :func:`outcome`; `decided` is what the network found."""
    both = np.stack([scenes.before, scenes.after], axis=1)
    found = in_chunks(partial(_checked, net), both, study.CHUNK)
    exchange, otherwise, twice, moved = (found[:, place] for place in range(4))
    false = decided[:, 0][~scenes.changed] > 0
    return {
        "exchange": {"logits": float(exchange.max()), "pixels": 100 * float(otherwise.mean())},
        "identical": {"logits": float(twice.max()), "changed": 100 * float(moved.mean())},
        "unchanged": 100 * float(false.mean()) if false.size else 0.0,
    }


@nnx.jit
def _checked(net: TriPath, pair: Array) -> Array:
    """Of each pair: difference of logits and decisions by exchange, and of one picture twice."""
    before, after = pair[:, 0], pair[:, 1]
    there, back = net(before, after), net(after, before)
    twice = net(before, before)
    every = (1, 2, 3, 4)
    logits = jnp.abs(there.stacked - back.stacked[:, ::-1]).max(axis=every)
    otherwise = there.decided() != back.decided()[:, ::-1]
    apart = jnp.abs(twice.stacked[:, 0] - twice.stacked[:, -1]).max(axis=every[:3])
    moved = twice.decided()[:, 0] > 0
    shares = (part.astype(logits.dtype) for part in (otherwise, moved))
    first, last = (part.mean(axis=tuple(range(1, part.ndim))) for part in shares)
    return jnp.stack([logits, first, apart, last], axis=1)
