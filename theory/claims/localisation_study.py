"""The study behind the claims on class activation maps: one protocol for every method.

Protocol, for every seed:

1. The pieces of material are dealt into ten folds with equal shares of every kind. Two folds are
   for testing, other ones for each seed; one is held out; a network learns from seven, from the
   image labels "defective" and "free" alone (`localisation_study_detectors`).
2. A method explains the logit of the defect for defective tiles of both, the same tiles for every
   method: 15 held out and 30 for testing, spread over the kinds, whether the network finds the
   defect or not. Negative values become zero, each map is brought to [0, 1] and then enlarged to
   the tile's size.
3. The threshold with the best IoU of the defect on the held-out tiles, mean over tiles, is chosen
   from 49 (0.02 to 0.98), for every method alike, and judged on the test tiles, tile by tile. (By
   the mean with the background's IoU, of tiles that are hardly defective, weak maps do best to
   mark nothing at all, and all of them are equal.)

How others build on it::

    from theory.claims.localisation_study import Method, outcome, table

    layer = Method("layer_cam", "stage2")
    fused = Method("fusion_cam", ("stage1", "stage2"), {"gains": (2.0, 0.0)})
    outcome(lab, layer, seed)["miou"]      # by test tile, in [0, 1]
    table(lab, {"LayerCAM": layer})        # by name and seed, the means

Everything is recalled under names that depend on method, options, network and seed only: claims of
different papers share what they measure.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.ndimage import gaussian_filter

from neurons.explain import INPUT_METHODS, METHODS, cam, finish, refine_cam, split
from neurons.explain import metrics as judge
from neurons.explain.fusion import fusion_cam
from neurons.explain.region_aware import region_fusion_cam
from theory.claims import localisation_study_detectors as detectors
from theory.claims.claim import Lab
from theory.claims.exact import numpy_generator
from theory.claims.localisation_study_detectors import Arm

TESTS, HELD_OUT = 30, 15  # defective tiles of each seed
CHUNK = 15  # tiles that are explained at once
STAGES = ("stem", "stage1", "stage2", "stage3", "stage4")
SHOWN = 40  # side of the maps that are kept for figures
DIGITS = 4


@dataclass(frozen=True)
class Method:
    """A way to a map.

    Args:
        name: in `neurons.explain.METHODS` or `INPUT_METHODS`; "fusion_cam", "region_fusion_cam" or
            "refine_cam", which take several stages; or a control of :data:`CONTROLS`.
        stage: where the network is cut, or the stages; None for methods at the input and controls.
        options: the method's own, strings, numbers and tuples.
        arm: which network is explained, see :func:`localisation_study_detectors.detector`.
    """

    name: str
    stage: str | tuple[str, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    arm: Arm = "trained"

    def __str__(self) -> str:
        stages = self.stage if isinstance(self.stage, str) else "+".join(self.stage or ())
        options = ", ".join(f"{name}={value}" for name, value in sorted(self.options.items()))
        return f"{self.name}({stages}; {options}; {self.arm})"


def centre_blob(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The same bump in the middle of every tile."""
    side = np.linspace(-1, 1, images.shape[1])
    bump = np.exp(-2 * (side[:, None] ** 2 + side**2))
    return np.broadcast_to(bump, images.shape)


def darkness(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The tile itself, dark for high: most defects are dark."""
    return 1 - images


def local_contrast(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """How far a pixel is from the mean of its surroundings."""
    reach = max(3.0, images.shape[1] / 16)
    return abs(gaussian_filter(images, (0, 1, 1)) - gaussian_filter(images, (0, reach, reach)))


def random_map(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Smooth noise."""
    reach = images.shape[1] / 16
    return gaussian_filter(random.normal(size=images.shape), (0, reach, reach))


Control = Callable[[np.ndarray, np.random.Generator], np.ndarray]
CONTROLS: Mapping[str, Control] = {
    "centre blob": centre_blob,
    "darkness": darkness,
    "local contrast": local_contrast,
    "random map": random_map,
}
SEVERAL: Mapping[str, Callable[..., Array]] = {
    "fusion_cam": fusion_cam,
    "region_fusion_cam": region_fusion_cam,
    "refine_cam": refine_cam,
}


def outcome(lab: Lab, method: Method, seed: int) -> dict[str, Any]:
    """What a method reaches on one seed's test tiles, recalled or computed.

    Returns:
        By test tile: "tile" (its number in the data), "kind", "area" (share of the tile); "iou"
        (of the defect), "miou" (mean of defect and background), "f1", "precision", "recall" at the
        threshold (0 where nothing is marked); "ap" and "aupro" of the map; "mass" (share of the
        map within the mask) and "rank"; "components" per true region, "holes" and "boundary" (F
        within 2 pixels) of the marked shape. Over all tiles: "threshold", "pooled_miou", "curve"
        (pooled "precision" and "recall" at 49 thresholds).
    """
    name = f"{lab.data.name}, at the best IoU, {method}, {seed}"
    return dict(lab.recall(name, partial(_outcome, lab, method, seed)))


def table(lab: Lab, methods: Mapping[str, Method], score: str = "miou") -> dict[str, list[float]]:
    """By method and seed, the mean of a score over the test tiles; NaN does not count."""
    seeds = range(lab.budget.seeds)
    return {
        name: [mean(outcome(lab, method, seed)[score]) for seed in seeds]
        for name, method in methods.items()
    }


def mean(values: Sequence[float] | np.ndarray) -> float:
    """The mean of what is a number; NaN if nothing is."""
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    return float(known.mean()) if known.size else float("nan")


def tiles(lab: Lab, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the held-out and of the test tiles that are explained."""
    where = detectors.division(lab, seed)
    return (
        _spread(lab, where.held_out, HELD_OUT, seed),
        _spread(lab, where.test, TESTS, seed),
    )


def _spread(lab: Lab, places: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Tiles with a mask that is not empty, kinds taking turns."""
    marked = lab.data.masks[places].any(axis=(1, 2))
    shuffled = numpy_generator(lab, 3, seed).permutation(places[marked])
    kinds = np.array(lab.data.kinds)[shuffled]
    turn = np.array([(kinds[:place] == kind).sum() for place, kind in enumerate(kinds)])
    return shuffled[np.lexsort((kinds, turn))][:count]


def maps(lab: Lab, method: Method, seed: int, places: np.ndarray) -> np.ndarray:
    """Finished maps of tiles, `(tiles, side, side)` in [0, 1]."""
    side = lab.data.masks.shape[1:]
    if method.name in CONTROLS:
        given = np.asarray(lab.data.images[places], np.float64)
        raw = CONTROLS[method.name](given, numpy_generator(lab, 4, seed))
        return np.asarray(finish(jnp.asarray(raw - raw.min(), jnp.float32)))
    return explained(lab, method, detectors.network(lab, seed, method.arm), places, side)


def explained(
    lab: Lab, method: Method, net: Any, places: np.ndarray, side: tuple[int, ...]
) -> np.ndarray:
    """Finished maps that a method makes of a network."""
    x = detectors.images(lab.data)[places]
    padded = jnp.concatenate([x, jnp.repeat(x[:1], -len(x) % CHUNK, axis=0)])
    parts = jnp.split(padded, len(padded) // CHUNK)
    if method.name in SEVERAL:
        splits = tuple(split(net, stage) for stage in method.stage or ())
        options = tuple(sorted(method.options.items()))
        run = partial(_fused, splits, name=method.name, side=side, options=options)
    else:
        run = partial(_single, net, method=method, side=side)
    return np.concatenate([np.asarray(run(part)) for part in parts])[: len(places)]


def _single(net: Any, x: Array, *, method: Method, side: tuple[int, ...]) -> Array:
    if method.name not in METHODS and method.name not in INPUT_METHODS:
        known = (*METHODS, *INPUT_METHODS, *SEVERAL, *CONTROLS)
        raise ValueError(f"a method is one of {', '.join(known)}; got {method.name!r}")
    # Where the network is cut changes nothing for a method at the input.
    stage = method.stage or STAGES[-1]
    return cam(net, x, 1, method=method.name, stage=stage, size=side, **dict(method.options))


@partial(jax.jit, static_argnames=("name", "side", "options"))
def _fused(splits: Any, x: Array, *, name: str, side: tuple[int, ...], options: Any) -> Array:
    return finish(SEVERAL[name](splits, x, 1, **dict(options)), side)


def _outcome(lab: Lab, method: Method, seed: int) -> dict[str, Any]:
    held_out, test = tiles(lab, seed)
    found = maps(lab, method, seed, np.concatenate([held_out, test]))
    masks = lab.data.masks
    threshold = judge.best_threshold(
        found[: len(held_out)], masks[held_out], name="iou", pooled=False
    )
    record = scores(found[len(held_out) :], masks[test], threshold)
    record["tile"] = test.tolist()
    record["kind"] = [lab.data.kinds[place] for place in test]
    return record


def scores(found: np.ndarray, masks: np.ndarray, threshold: float) -> dict[str, Any]:
    """Everything that is measured of maps at a threshold; see :func:`outcome`."""
    counts = judge.confusion(found, masks, threshold)
    pooled = judge.confusion(found, masks, judge.GRID).pooled()
    by_tile = {
        "area": masks.mean(axis=(1, 2)),
        "iou": counts.iou,
        "miou": counts.miou,
        "f1": counts.f1,
        "precision": np.nan_to_num(counts.precision),
        "recall": counts.recall,
        "ap": judge.pixel_ap(found, masks),
        "aupro": judge.aupro(found, masks),
        "mass": judge.relevance_mass(found, masks),
        "rank": judge.relevance_rank(found, masks),
        "components": judge.components_per_region(found, masks, threshold),
        "holes": judge.holes(found >= threshold),
        "boundary": judge.boundary_f(found, masks, threshold),
    }
    curve = {"precision": pooled.precision, "recall": pooled.recall}
    return {
        **{name: rounded(values) for name, values in by_tile.items()},
        "threshold": threshold,
        "pooled_miou": float(counts.pooled().miou),
        "curve": {name: rounded(np.nan_to_num(values)) for name, values in curve.items()},
    }


def rounded(values: np.ndarray) -> list[float]:
    """Numbers as they are kept."""
    return [round(float(value), DIGITS) for value in values]


def small(values: np.ndarray) -> list[list[int]]:
    """A map or picture in [0, 1] as at most 40 x 40 whole numbers from 0 to 99."""
    step = max(1, len(values) // SHOWN)
    side = len(values) // step
    blocks = values[: side * step, : side * step].reshape(side, step, side, step)
    return np.rint(99 * np.nan_to_num(blocks.mean(axis=(1, 3)))).astype(int).tolist()


def sheet(lab: Lab) -> dict[str, Any]:
    """By kind of defect the first test tile of seed 0, its mask, and its number, for figures."""
    _, test = tiles(lab, 0)
    kinds = [lab.data.kinds[place] for place in test]
    first = {kind: test[kinds.index(kind)] for kind in sorted(set(kinds))}
    return {
        "images": {kind: small(lab.data.images[place]) for kind, place in first.items()},
        "masks": {
            kind: small(lab.data.masks[place].astype(float)) for kind, place in first.items()
        },
        "tile": {kind: int(place) for kind, place in first.items()},
    }
