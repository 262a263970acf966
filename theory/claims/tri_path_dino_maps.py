"""What the two paths' maps look at: boundaries, frequencies, and each other.

Both maps of a pair are Grad-CAM at the finest level of a path, for the evidence of change where
the network sees change, from one forward and one backward pass.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array
from jaxtyping import Bool, Float
from scipy import ndimage

from neurons.backbones.change_detection import TriPath, change_evidence
from neurons.beside import Beside
from theory.claims.inspection_study_networks import in_chunks

PATHS = ("main", "auxiliary")
EDGE = 1  # pixels on either side of a boundary; 3 of 512 in our reading of the paper
CHUNK = 24
Maps = Float[np.ndarray, "pairs rows columns"]
Masks = Bool[np.ndarray, "pairs height width"]


class PathMaps(NamedTuple):
    """Rectified Grad-CAM of both paths, `(pairs, rows, columns)` each."""

    main: np.ndarray
    auxiliary: np.ndarray


def path_maps(net: TriPath, both: np.ndarray) -> PathMaps:
    """Maps of pairs.

    Args:
        net: with both paths.
        both: `(pairs, 2, height, width, 3)` pictures of both dates.
    """
    found = in_chunks(partial(_path_maps, net), both, CHUNK)
    return PathMaps(*(found[:, place] for place in range(2)))


@nnx.jit
def _path_maps(net: TriPath, pair: Array) -> Array:
    """Both maps of each pair, one behind the other."""
    given = net.features(pair, "main1")
    frame, beside = given.rest
    finest, *coarser = beside["auxiliary"]

    def score(activations: tuple[Array, Array]) -> Array:
        main, auxiliary = activations
        rest = (frame, {**beside, "auxiliary": [auxiliary, *coarser]})
        return change_evidence(net.head(Beside(main, rest), "main1")).sum()

    activations = (given.activations, finest)
    gradients = jax.grad(score)(activations)
    maps = [
        (g.mean(axis=(1, 2), keepdims=True) * a).sum(axis=-1)
        for a, g in zip(activations, gradients, strict=True)
    ]
    return jax.nn.relu(jnp.stack(maps, axis=1))


def boundaries(changed: Masks, width: int = EDGE) -> Masks:
    """Pixels at most `width` away from where changed and unchanged meet."""
    cross = ndimage.generate_binary_structure(2, 1)[None]
    inner = changed & ~ndimage.binary_erosion(changed, cross, border_value=1)
    outer = ~changed & ndimage.binary_dilation(changed, cross)
    edge = inner | outer
    return edge if width == 1 else ndimage.binary_dilation(edge, cross, iterations=width - 1)


def energy_within(maps: Maps, regions: Masks) -> Float[np.ndarray, " pairs"]:
    """Share of a map's energy inside a region; NaN of a blank map."""
    times = regions.shape[1] // maps.shape[1]
    shares = regions.reshape(len(maps), maps.shape[1], times, maps.shape[2], times).mean((2, 4))
    with np.errstate(invalid="ignore"):
        return np.asarray((maps * shares).sum((1, 2)) / maps.sum((1, 2)))


def centroid(maps: Maps) -> Float[np.ndarray, " pairs"]:
    """Mean frequency of a map by power, cycles a place, its mean left out; NaN of a flat map."""
    power = spectrum(maps)
    rows, columns = (np.fft.fftfreq(size) for size in maps.shape[1:])
    radius = np.hypot(rows[:, None], columns[None, :])
    with np.errstate(invalid="ignore"):
        return np.asarray((power * radius).sum((1, 2)) / power.sum((1, 2)))


def spectrum(maps: Maps) -> Float[np.ndarray, "pairs rows columns"]:
    """Power by frequency, that of the mean set to zero."""
    power = np.abs(np.fft.fft2(maps)) ** 2
    power[:, 0, 0] = 0
    # What is left of a flat map by rounding is no power.
    power[power < 1e-10 * np.square(maps).sum((1, 2), keepdims=True) * maps[0].size] = 0
    return np.asarray(power)


def radial(maps: Maps, bins: int = 8) -> Float[np.ndarray, " bins"]:
    """Mean over pairs of the share of power by frequency, in rings up to half a cycle a place."""
    power = spectrum(maps)
    total = power.sum((1, 2))
    kept = power[total > 0] / total[total > 0, None, None]
    rows, columns = (np.fft.fftfreq(size) for size in maps.shape[1:])
    radius = np.hypot(rows[:, None], columns[None, :]).ravel()
    ring = np.minimum((radius / 0.5 * bins).astype(int), bins - 1)
    mean = kept.mean(axis=0).ravel() if len(kept) else np.zeros(radius.size)
    return np.bincount(ring, mean, bins)


def correlation(one: Maps, other: Maps) -> Float[np.ndarray, " pairs"]:
    """Pearson's correlation of two maps of a pair; NaN where one is flat."""
    a, b = (maps - maps.mean((1, 2), keepdims=True) for maps in (one, other))
    with np.errstate(invalid="ignore"):
        found = (a * b).sum((1, 2)) / np.sqrt((a * a).sum((1, 2)) * (b * b).sum((1, 2)))
    return np.asarray(found)


def region_recall(found: Masks, changed: Masks) -> tuple[np.ndarray, np.ndarray]:
    """Areas of the regions of change, and the share of each that is found.

    Args:
        found: what a network calls changed.
        changed: what did; its 8-connected components are the regions.
    """
    areas: list[float] = []
    shares: list[float] = []
    for seen, truth in zip(found, changed, strict=True):
        numbered, count = ndimage.label(truth, np.ones((3, 3)))
        index = np.arange(1, count + 1)
        areas.extend(ndimage.sum_labels(truth, numbered, index))
        shares.extend(ndimage.mean(seen.astype(float), numbered, index) if count else ())
    return np.asarray(areas, float), np.asarray(shares, float)


def described(maps: PathMaps, changed: Masks) -> dict[str, Any]:
    """Means over the pairs with change whose maps are neither blank nor flat.

    Returns:
        "pairs"; by path "edge", "centroid" and "spectrum"; "correlation"; "chance", the energy
        within boundaries of a map that is the same everywhere.
    """
    lines = boundaries(changed)
    values = {name: (energy_within(one, lines), centroid(one)) for name, one in _named(maps)}
    alike = correlation(*maps)
    usable = changed.any((1, 2)) & np.isfinite(alike)
    for edge, middle in values.values():
        usable &= np.isfinite(edge) & np.isfinite(middle)
    found: dict[str, Any] = {
        name: {
            "edge": _mean(edge[usable]),
            "centroid": _mean(middle[usable]),
            "spectrum": radial(getattr(maps, name)[usable]).round(6).tolist(),
        }
        for name, (edge, middle) in values.items()
    }
    chance = _mean(lines[usable].mean((1, 2)))
    return {
        **found,
        "correlation": _mean(alike[usable]),
        "chance": chance,
        "pairs": int(usable.sum()),
    }


def _named(maps: PathMaps) -> list[tuple[str, np.ndarray]]:
    return list(zip(PATHS, maps, strict=True))


def _mean(values: np.ndarray) -> float:
    return round(float(values.mean()), 6) if values.size else 0.0
