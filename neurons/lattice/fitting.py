"""Fit lattices to samples of a function of one variable: the plain way, and improved."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from neurons.lattice import descent, pieces, starts
from neurons.lattice.descent import Nets
from neurons.lattice.layer import Lattice
from neurons.lattice.polish import polished, settled
from neurons.lattice.samples import Samples
from neurons.options import require

# Samples that the descent sees, at most: means of neighbours where there are more.
_SEEN = 128
# Samples per segment from which on their sum and the integral have the same optimum.
_MANY = 64


@dataclass(frozen=True)
class Recipe:
    """How a lattice is trained: gradient descent, and what is added to it.

    Args:
        start: "quantile" puts the first knots at a density of |f''|^(2/5), estimated from the
            samples, and takes the mask from them; "random" draws all lines, for a given mask.
        starts: attempts of every seed, of which the best at the samples is kept.
        revivals: how often, after a descent, dead pieces are put where the fit is worst, the mask
            is taken from the pieces anew, and the descent goes on.
        soft: temperature of max and min at the start of every descent, in units of a net's error
            there; 0 for max and min themselves.
        polish: end with Newton's method on the knots, instead of where the descent ends; and,
            where segments hold few samples, with a search between samples.
        steps: of Adam per descent.
        rate: of Adam at first, in units of a net's error at the start; falls to 0 on a cosine.
    """

    start: Literal["quantile", "random"] = "quantile"
    starts: int = 6
    revivals: int = 1
    soft: float = 1.0
    polish: bool = True
    steps: int = 100
    rate: float = 0.3

    def __post_init__(self) -> None:
        if self.start not in ("quantile", "random"):
            raise ValueError(f'start must be "quantile" or "random", got {self.start!r}')
        require("starts", self.starts)
        require("revivals", self.revivals, 0)
        require("steps", self.steps)
        if not (self.rate > 0 and self.soft >= 0):
            raise ValueError(
                f"rate must be above 0 and soft at least 0, got {self.rate} and {self.soft}"
            )


IMPROVED = Recipe()
PLAIN = Recipe("random", starts=1, revivals=0, soft=0.0, polish=False, steps=2000, rate=0.02)


@dataclass(frozen=True)
class LatticeFit:
    """A lattice fitted to samples.

    Args:
        model: the lattice.
        knots: `(segments + 1,)` where its pieces end, in float64.
        values: `(segments + 1,)` there.
        error: root mean square of what it misses at the samples.
        losses: `(steps,)` the same before every step of descent, at the samples that it saw.
        attempts: `(starts,)` error of every start; the smallest was kept.
    """

    model: Lattice
    knots: Float[np.ndarray, " knots"]
    values: Float[np.ndarray, " knots"]
    error: float
    losses: Float[np.ndarray, " steps"]
    attempts: Float[np.ndarray, " starts"]


def fit_lattice(
    x: ArrayLike,
    y: ArrayLike,
    segments: int,
    *,
    key: Array,
    weights: ArrayLike | None = None,
    recipe: Recipe = IMPROVED,
    mask: ArrayLike | None = None,
    dtype: DTypeLike = jnp.float32,
) -> LatticeFit:
    """Fit one lattice to samples of a function of one variable, see :func:`fit_lattice_seeds`.

    Example:
        >>> x = np.linspace(0, 1, 500)
        >>> fit = fit_lattice(x, x**2, 4, key=jax.random.key(0))
        >>> bool(np.abs(fit.knots - [0, 0.25, 0.5, 0.75, 1]).max() < 1e-3)
        True
    """
    return fit_lattice_seeds(
        x, y, segments, keys=[key], weights=weights, recipe=recipe, mask=mask, dtype=dtype
    )[0]


def fit_lattice_seeds(
    x: ArrayLike,
    y: ArrayLike,
    segments: int,
    *,
    keys: Sequence[Array] | Array,
    weights: ArrayLike | None = None,
    recipe: Recipe = IMPROVED,
    mask: ArrayLike | None = None,
    dtype: DTypeLike = jnp.float32,
) -> tuple[LatticeFit, ...]:
    """Fit a lattice per key by least squares; all seeds and starts descend in one program.

    Args:
        x: `(points,)`.
        y: `(points,)`.
        segments: affine maps of the lattice.
        keys: one per fit; fits know nothing of each other.
        weights: `(points,)` of the squares; equal by default.
        recipe: :data:`PLAIN`, :data:`IMPROVED`, or your own.
        mask: `(groups, segments)`, for a random start alone; by default groups of two.
        dtype: of the models' parameters.

    Returns:
        One fit per key.

    Raises:
        ValueError: without a key, for samples that are none (see :meth:`Samples.of`), fewer places
            than segments + 1, or a mask where the recipe makes its own.
    """
    require("segments", segments)
    samples = Samples.of(x, y, weights)
    if len(keys) == 0:
        raise ValueError("fit_lattice_seeds needs at least one key")
    if samples.x.size <= segments:
        raise ValueError(
            f"{segments} segments need samples at {segments + 1} places, got {samples.x.size}"
        )
    seen = samples.thinned(max(_SEEN, 8 * segments))
    nets = _begin(seen, segments, keys, recipe, mask)
    nets, losses = _trained(seen, nets, segments, recipe)
    fits = _pieces(nets)
    if recipe.polish:
        fits = _polished(samples, fits, segments)
    errors = np.array([float(samples.errors(t[None], v[None])[0]) for t, v in fits])
    found = []
    for attempts in np.arange(len(fits)).reshape(len(keys), recipe.starts):
        best = int(attempts[errors[attempts].argmin()])
        t, v = samples.restored(*fits[best])
        untouched = None if recipe.polish else _model(nets, best, samples, dtype)
        model = untouched or Lattice.from_pieces(t, v, dtype=dtype)
        scale = samples.frame[3]
        history, every = scale * np.sqrt(losses[:, best]), scale * errors[attempts]
        found.append(LatticeFit(model, t, v, float(every.min()), history, every))
    return tuple(found)


def _begin(
    samples: Samples,
    segments: int,
    keys: Sequence[Array] | Array,
    recipe: Recipe,
    mask: ArrayLike | None,
) -> Nets:
    """The nets at their start: every seed's starts side by side."""
    if recipe.start == "random":
        return _random(segments, keys, recipe.starts, mask)
    if mask is not None:
        raise ValueError('a mask belongs to start="random"; others are taken from the pieces')
    knots = []
    for key in keys:
        generator = np.random.default_rng(np.asarray(jax.random.key_data(key)))
        for number in range(recipe.starts):
            # Every other start looks elsewhere than where the density would have it.
            shares = starts.random_shares(generator, segments, wild=number % 2 == 1)
            knots.append(starts.knot_places(samples, segments, shares))
    return _through(samples, knots)


def _random(
    segments: int, keys: Sequence[Array] | Array, attempts: int, mask: ArrayLike | None
) -> Nets:
    """Lines at random, in the samples' scale."""
    groups = np.kron(np.eye(-(-segments // 2), dtype=bool), np.ones((1, 2), bool))[:, :segments]
    chosen = groups if mask is None else np.asarray(mask)
    if chosen.ndim != 2 or chosen.dtype != bool or chosen.shape[1] != segments:
        raise ValueError(f"mask must be Boolean, (groups, {segments}), got {chosen.tolist()}")
    drawn = np.concatenate(
        [jax.random.uniform(key, (attempts, 2, segments), jnp.float32, -1, 1) for key in keys]
    )
    at_zero, one = np.zeros_like(drawn[:, 0]), np.ones_like(drawn[:, 0])
    masks = np.broadcast_to(chosen, (len(drawn), *chosen.shape))
    return _on_device(drawn[:, 0], drawn[:, 1], at_zero, one, masks)


def _through(samples: Samples, knots: Sequence[np.ndarray]) -> Nets:
    """Nets that are the best fits with these knots."""
    values = [starts.fitted_values(samples, t) for t in knots]
    masks = [pieces.lattice_mask(t, v) for t, v in zip(knots, values, strict=True)]
    t, v = np.stack(knots), np.stack(values)
    middle, width, rise = (t[:, 1:] + t[:, :-1]) / 2, np.diff(t), np.diff(v)
    return _on_device(rise, (v[:, 1:] + v[:, :-1]) / 2, middle, width, np.stack(masks))


def _on_device(
    slope: np.ndarray, height: np.ndarray, centre: np.ndarray, width: np.ndarray, mask: np.ndarray
) -> Nets:
    slopes, heights, centres, widths = (
        jnp.asarray(part, jnp.float32) for part in (slope, height, centre, width)
    )
    return Nets(slopes, heights, centres, widths, jnp.asarray(mask))


def _trained(
    samples: Samples, nets: Nets, segments: int, recipe: Recipe
) -> tuple[Nets, np.ndarray]:
    """Descents with revivals between them, and the loss before every step."""
    data = [jnp.asarray(part, jnp.float32) for part in (samples.x, samples.y, samples.weights)]
    losses = []
    for turn in range(recipe.revivals + 1):
        if turn:
            found = [starts.revived(samples, t, segments) for t, _ in _pieces(nets)]
            nets = _through(samples, found)
        nets, loss = descent.descend(
            nets, *data, steps=recipe.steps, rate=recipe.rate, soft=recipe.soft
        )
        losses.append(np.asarray(loss, np.float64))
    return nets, np.concatenate(losses)


def _lines(nets: Nets) -> list[pieces.Lines]:
    """Every net's lines, in the samples' scale."""
    parts = (nets.slope, nets.height, nets.centre, nets.width)
    slopes, heights, centres, widths = (np.asarray(part, np.float64) for part in parts)
    rows = zip(slopes / widths, heights, centres, strict=True)
    return [pieces.Lines(slope, height, centre) for slope, height, centre in rows]


def _pieces(nets: Nets) -> list[tuple[np.ndarray, np.ndarray]]:
    """Every net's knots and values, in the samples' scale."""
    pairs = zip(_lines(nets), np.asarray(nets.mask), strict=True)
    return [pieces.active_pieces(lines, mask, -1.0, 1.0) for lines, mask in pairs]


def _polished(
    samples: Samples, fits: Sequence[tuple[np.ndarray, np.ndarray]], segments: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Stationary fits; where polishing made one worse, it is left as it was."""
    before = np.stack([starts.revived(samples, t, segments) for t, _ in fits])
    few = samples.x.size < _MANY * segments
    chosen = []
    for pair in zip(before, polished(samples, before), strict=True):
        # Judged by what was polished: sums over samples differ from it by more than pieces do.
        left, right = (samples.joined_error(t, starts.fitted_values(samples, t)) for t in pair)
        knots = pair[1] if right <= left else pair[0]
        knots = settled(samples, knots) if few else knots
        chosen.append((knots, starts.fitted_values(samples, knots)))
    return chosen


def _model(nets: Nets, number: int, samples: Samples, dtype: DTypeLike) -> Lattice:
    """One net as a module, in the scale in which the samples were given."""
    middle, half, mean, scale = samples.frame
    slope, height, centre = _lines(nets)[number]
    mask: Bool[np.ndarray, "groups pieces"] = np.asarray(nets.mask[number])
    lines = pieces.Lines(scale / half * slope, mean + scale * height, middle + half * centre)
    return Lattice.from_lines(lines, mask, dtype=dtype)
