"""NeuronSeek's own search (NS-TD): gates that are trained, in one compiled program.

`y = b + sum_(k<=K) [z_k BN(w_k . x^k) + z'_k BN(sum_(r<=R) prod_(m<=k) (u_kmr . x))]`

Every term is normalised over the batch and multiplied by a hard-concrete gate, whose expected
number of open gates is penalised. This is the published procedure, for comparison;
:func:`neurons.search.interactions.interactions` finds the same class by least squares. Note that
`k` starts at 1 in both sums: the interaction of order 1 is the power 1 once more.
"""

import math
from dataclasses import dataclass
from functools import lru_cache, partial, reduce
from itertools import pairwise
from operator import mul
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree
from jax.typing import ArrayLike
from jaxtyping import Float

from neurons.options import require

_STRETCH = (-0.1, 1.1)
_TEMPERATURE = 0.66


@dataclass(frozen=True)
class NsTd:
    """Settings; the defaults are those of the paper's search, see also :data:`SPARSE_SCRIPT`.

    Args:
        order: highest power and order of interactions.
        rank: products per order.
        epochs: passes over the data.
        batch: rows per step; an incomplete last batch is dropped.
        penalty: weight of the expected number of open gates, once it is fully on.
        warm: fraction of the epochs before gates train and the penalty begins to grow.
        full: fraction of the epochs at which the penalty is fully on.
        open_at_start: `sigmoid(log_alpha)` of the gates at the start.
        power_rate: Adam's rate for the powers' weights; all rates anneal by a cosine.
        core_rate: for factors and normalisation.
        gate_rate: for gates.
        bias_rate: for the constant, which the paper's search leaves out of its optimizer.
        last_rate: where the cosine ends.
        power_decay: weight decay of the powers' weights, added to the gradient.
        factor_decay: of the factors.
        clip: largest norm of the gradient.

    Raises:
        ValueError: for sizes below 1, or fractions out of order.

    References:
        H. Pei et al., NeuronSeek, arXiv 2506.15715, version 2; code HanyuPei22/NeuronSeek. Gates:
        C. Louizos et al., Learning sparse neural networks through L0 regularization, ICLR 2018.
    """

    order: int = 5
    rank: int = 8
    epochs: int = 200
    batch: int = 64
    penalty: float = 0.05
    warm: float = 0.25
    full: float = 0.75
    open_at_start: float = 0.9
    power_rate: float = 5e-3
    core_rate: float = 1e-2
    gate_rate: float = 1e-2
    bias_rate: float = 0.0
    last_rate: float = 1e-5
    power_decay: float = 1e-4
    factor_decay: float = 1e-5
    clip: float = 1.0

    def __post_init__(self) -> None:
        for label in ("order", "rank", "epochs", "batch"):
            require(label, getattr(self, label))
        if not 0 <= self.warm <= self.full <= 1 or not 0 < self.open_at_start < 1:
            raise ValueError(
                "needs 0 <= warm <= full <= 1 and open_at_start in (0, 1): "
                f"{self.warm}, {self.full}, {self.open_at_start}"
            )


SPARSE_SCRIPT = NsTd(
    epochs=100,
    penalty=0.6,
    warm=0.4,
    full=0.4,
    power_rate=1e-2,
    gate_rate=5e-2,
    bias_rate=1e-2,
    last_rate=0.0,
    power_decay=0.0,
    factor_decay=0.0,
    clip=math.inf,
)
"""The settings of the authors' own recovery benchmark, `run_sparse_benchmark.py`."""


class Found(NamedTuple):
    """What a run of NS-TD decided.

    Args:
        powers: powers whose gate is open with probability above one half.
        orders: orders of interactions, likewise.
        gates: that probability, `(2, order)`: powers, then interactions.
        losses: mean training loss of every epoch, without the penalty, in units of `y` squared.
    """

    powers: tuple[int, ...]
    orders: tuple[int, ...]
    gates: Float[np.ndarray, "2 order"]
    losses: Float[np.ndarray, " epochs"]

    @property
    def merged(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Powers and orders with the interaction of order 1 counted as what it is: power 1."""
        linear = (1,) if 1 in self.orders else ()
        powers = tuple(sorted({*self.powers, *linear}))
        return powers, tuple(k for k in self.orders if k > 1)


def search_by_gates(
    x: ArrayLike, y: ArrayLike, *, key: Array, settings: NsTd | None = None
) -> Found:
    """Run NS-TD once.

    Args:
        x: `(rows, inputs)`, at least one batch.
        y: `(rows,)`; standardise it, since the penalty does not scale with it.
        key: JAX random key; the same key gives the same result.
        settings: the published ones by default.

    Raises:
        ValueError: for wrong shapes, values that are not finite, or less than a batch of rows.
    """
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    return search_many_by_gates(x[None], y[None], keys=key[None], settings=settings)[0]


def search_many_by_gates(
    x: ArrayLike, y: ArrayLike, *, keys: Array, settings: NsTd | None = None
) -> list[Found]:
    """Run NS-TD on several data sets of one shape, side by side in one program.

    Args:
        x: `(runs, rows, inputs)`.
        y: `(runs, rows)`.
        keys: one key per run; run i equals :func:`search_by_gates` with `keys[i]`.
        settings: the published ones by default.

    Raises:
        ValueError: as :func:`search_by_gates`.
    """
    settings = settings or NsTd()
    x, y = jnp.asarray(x, jnp.float32), jnp.asarray(y, jnp.float32)
    if x.ndim != 3 or y.shape != x.shape[:2] or keys.shape != x.shape[:1] or 0 in x.shape:
        raise ValueError(
            f"x, y and keys do not belong together: {x.shape}, {y.shape}, {keys.shape}"
        )
    if not (jnp.isfinite(x).all() and jnp.isfinite(y).all()):
        raise ValueError("x and y must be finite in float32")
    if x.shape[1] < settings.batch:
        raise ValueError(f"needs at least one batch of {settings.batch} rows, got {x.shape[1]}")
    gates, losses = compiled(settings)(x, y, keys)
    return [_found(g, e) for g, e in zip(np.asarray(gates), np.asarray(losses), strict=True)]


def _found(gates: np.ndarray, losses: np.ndarray) -> Found:
    powers, orders = (tuple(int(k) + 1 for k in np.flatnonzero(row > 0.5)) for row in gates)
    return Found(powers, orders, gates, losses)


@lru_cache
def compiled(settings: NsTd) -> Any:
    """The jitted program of :func:`search_many_by_gates`: `(x, y, keys)` to gates and losses."""
    return jax.jit(jax.vmap(partial(_run, settings)))


def terms(params: dict[str, Array], x: Float[Array, "batch inputs"]) -> Float[Array, "terms batch"]:
    """Values of all powers, then of all interactions, before normalisation and gates."""
    order = len(params["pure"])
    powers = jnp.stack([x**k for k in range(1, order + 1)])
    pure = jnp.einsum("kbd,kd->kb", powers, params["pure"])
    projected = jnp.einsum("bd,mdr->mrb", x, params["factors"])
    firsts = [k * (k - 1) // 2 for k in range(1, order + 2)]  # the factors of all orders in a row
    mixed = [reduce(mul, projected[a:b]).sum(axis=0) for a, b in pairwise(firsts)]
    return jnp.concatenate([pure, jnp.stack(mixed)])


def gate_openness(log_alpha: Array) -> Array:
    """Probability that a gate is not zero."""
    low, high = _STRETCH
    return jax.nn.sigmoid(log_alpha - _TEMPERATURE * math.log(-low / high))


def gate_sample(log_alpha: Array, key: Array) -> Array:
    """Hard-concrete values in [0, 1], one for each gate and batch."""
    low, high = _STRETCH
    u = jax.random.uniform(key, log_alpha.shape)
    noise = jnp.log(u + 1e-8) - jnp.log(1 - u + 1e-8)
    return jnp.clip(jax.nn.sigmoid((noise + log_alpha) / _TEMPERATURE) * (high - low) + low, 0, 1)


def _start(settings: NsTd, inputs: int, key: Array) -> dict[str, Array]:
    pure, factors = jax.random.split(key)
    count = settings.order * (settings.order + 1) // 2
    open_odds = settings.open_at_start / (1 - settings.open_at_start)
    return {
        "pure": 0.05 * jax.random.normal(pure, (settings.order, inputs)),
        "factors": 0.05 * jax.random.normal(factors, (count, inputs, settings.rank)),
        "scale": jnp.ones(2 * settings.order),
        "shift": jnp.zeros(2 * settings.order),
        "gates": jnp.full(2 * settings.order, math.log(open_odds)),
        "bias": jnp.zeros(()),
    }


def _loss(
    params: dict[str, Array], x: Array, y: Array, penalty: Array, key: Array
) -> tuple[Array, Array]:
    values = terms(params, x)
    centred = values - values.mean(axis=1, keepdims=True)
    normal = centred * jax.lax.rsqrt(jnp.square(centred).mean(axis=1, keepdims=True) + 1e-5)
    gates = gate_sample(params["gates"], key)
    out = params["bias"] + (gates * params["scale"]) @ normal + gates @ params["shift"]
    error = jnp.square(out - y).mean()
    return error + penalty * gate_openness(params["gates"]).sum(), error


class _Groups(NamedTuple):
    """Per parameter, in one vector: rate, decay, and whether it is a gate."""

    rate: Array
    decay: Array
    gate: Array

    @classmethod
    def of(cls, params: dict[str, Array], settings: NsTd) -> "_Groups":
        def spread(default: float, **values: float) -> Array:
            filled = {n: jnp.full_like(p, values.get(n, default)) for n, p in params.items()}
            return ravel_pytree(filled)[0]

        rates = {"pure": settings.power_rate, "gates": settings.gate_rate}
        return cls(
            spread(settings.core_rate, **rates, bias=settings.bias_rate),
            spread(0.0, pure=settings.power_decay, factors=settings.factor_decay),
            spread(0.0, gates=1.0),
        )


def _run(settings: NsTd, x: Array, y: Array, key: Array) -> tuple[Array, Array]:
    """All epochs of one run: gates `(2, order)` and losses `(epochs,)`."""
    begin, train = jax.random.split(key)
    tree = _start(settings, x.shape[1], begin)
    params, unravel = ravel_pytree(tree)
    groups, steps = _Groups.of(tree, settings), len(x) // settings.batch
    warm, full = int(settings.epochs * settings.warm), int(settings.epochs * settings.full)

    def epoch(carry: Any, number: Array) -> tuple[Any, Array]:
        shuffle, draw = jax.random.split(jax.random.fold_in(train, number))
        rows = jnp.argsort(jax.random.uniform(shuffle, (len(x),)))[: steps * settings.batch]
        cosine = 0.5 * (1 + jnp.cos(jnp.pi * number / settings.epochs))
        rate = (settings.last_rate + (groups.rate - settings.last_rate) * cosine) * (
            groups.rate > 0
        )
        ramp = jnp.clip((number - warm) / max(full - warm, 1), 0.0, 1.0)
        penalty = settings.penalty * jnp.where(number >= full, 1.0, ramp)
        trained = jnp.where(number >= warm, 1.0, 1.0 - groups.gate)

        def step(carry: Any, batch: Any) -> tuple[Any, Array]:
            params, state = carry
            chosen, noise = batch
            tree = unravel(params)
            slope, error = jax.grad(_loss, has_aux=True)(tree, x[chosen], y[chosen], penalty, noise)
            flat = trained * ravel_pytree(slope)[0]
            flat *= jnp.minimum(1.0, settings.clip / (jnp.linalg.norm(flat) + 1e-6))
            moved, state = _adam(
                params, flat + groups.decay * params, state, rate * trained, trained
            )
            return (moved, state), error

        batches = (rows.reshape(steps, settings.batch), jax.random.split(draw, steps))
        carry, errors = jax.lax.scan(step, carry, batches)
        return carry, errors.mean()

    start = _Adam(*(jnp.zeros_like(params) for _ in _Adam._fields))
    (params, _), losses = jax.lax.scan(epoch, (params, start), jnp.arange(settings.epochs))
    return gate_openness(unravel(params)["gates"]).reshape(2, settings.order), losses


class _Adam(NamedTuple):
    """Adam's moments, and its steps for every parameter: frozen ones have not begun to count."""

    first: Array
    second: Array
    steps: Array


def _adam(
    params: Array, slope: Array, state: _Adam, rate: Array, counts: Array
) -> tuple[Array, _Adam]:
    """One step; moments of frozen parameters stay zero, and their steps do not count."""
    state = _Adam(
        0.9 * state.first + 0.1 * slope,
        0.999 * state.second + 0.001 * jnp.square(slope),
        state.steps + counts,
    )
    counted = jnp.maximum(state.steps, 1.0)
    first = state.first / (1 - 0.9**counted)
    second = state.second / (1 - 0.999**counted)
    return params - rate * first / (jnp.sqrt(second) + 1e-8), state
