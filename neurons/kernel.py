"""Neurons that are no polynomials: distances, kernels, gates, maxima, products with real powers."""

from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from neurons.neuron import Branch, Neuron, ones
from neurons.options import require
from neurons.quadratic import free, linear, offset

KERVOLUTION = "C. Wang et al., Kervolutional neural networks, CVPR 2019"
SMALLEST = 1e-6  # a product unit's inputs below it count as it: the logarithm stays finite
LARGEST_EXPONENT = 80.0  # exp(80) is the last decade but three of float32

_own_weights = partial(free, of=None)
_squared_length = free("t", of=jnp.square, kernel=ones, shared=True)
_distance = (_squared_length, free("r"), free("s", of=jnp.ones_like, kernel="r", weigh=jnp.square))


def log_magnitude(x: Array) -> Array:
    """`ln |x|`, with magnitudes below 1e-6 raised to it."""
    return jnp.log(jnp.maximum(jnp.abs(x), SMALLEST))


def is_negative(x: Array) -> Array:
    """1 where `x < 0`, else 0."""
    return (x < 0).astype(x.dtype)


def _squared_distance(length: Array, product: Array, own: Array) -> Array:
    """`|x - w|^2 = |x|^2 - 2 w.x + |w|^2`."""
    return length - 2 * product + own


def _bell(length: Array, product: Array, own: Array, gamma: Array) -> Array:
    return jnp.exp(-gamma * _squared_distance(length, product, own))


def _absolute_difference(x: Array, w: Array) -> Array:
    return jnp.abs(x - w)


def _power_with_sign(log: Array, negative: Array) -> Array:
    return jnp.exp(jnp.minimum(log, LARGEST_EXPONENT)) * jnp.cos(jnp.pi * negative)


radial = Neuron(
    "radial",
    "w |x|^2 + b",
    (_squared_length, _own_weights("w"), Branch("c", of=None)),
    lambda length, w, b: w * length + b,
    plain=lambda x, w, b: w.w * (x @ x) + b.c,
    size="2",
    work="1",
    reference="J.-X. Liao et al., heterogeneous autoencoder, arXiv 2204.01707, supplement",
)

rbf = Neuron(
    "rbf",
    "-g |x - w|^2 + b",
    (*_distance, _own_weights("gamma", anchor=1.0), offset),
    lambda length, product, own, gamma, b: -gamma * _squared_distance(length, product, own) + b,
    plain=lambda x, w, b: -w.gamma * np.sum((x - w.r) ** 2) + b.c,
    size="n + 2",
    work="n + 2",
    reference="D. Broomhead, D. Lowe 1988: radial basis functions, before the exponential",
)

gaussian = Neuron(
    "gaussian",
    "exp(-g |x - w|^2)",
    (*_distance, _own_weights("gamma", anchor=1.0)),
    _bell,
    plain=lambda x, w, b: np.exp(-w.gamma * np.sum((x - w.r) ** 2)),
    size="n + 1",
    work="n + 2",
    reference=KERVOLUTION,
)

kervolution_l2 = Neuron(
    "kervolution_l2",
    "-|x - w|^2",
    _distance,
    lambda *distance: -_squared_distance(*distance),
    plain=lambda x, w, b: -np.sum((x - w.r) ** 2),
    size="n",
    work="n + 1",
    reference=KERVOLUTION,
)

kervolution_l1 = Neuron(
    "kervolution_l1",
    "-sum_i |x_i - w_i|",
    (free("r", compare=_absolute_difference),),
    lambda distance: -distance,
    plain=lambda x, w, b: -np.sum(np.abs(x - w.r)),
    size="n",
    work="0",
    reference=KERVOLUTION,
)

kervolution_sigmoid = Neuron(
    "kervolution_sigmoid",
    "tanh(g w.x + c)",
    (free("r"), _own_weights("gamma", anchor=1.0), offset),
    lambda z, gamma, c: jnp.tanh(gamma * z + c),
    plain=lambda x, w, b: np.tanh(w.gamma * (w.r @ x) + b.c),
    size="n + 2",
    work="n + 1",
    reference=KERVOLUTION,
)

sine = Neuron(
    "sine",
    "sin(w.x + b)",
    (linear,),
    jnp.sin,
    plain=lambda x, w, b: np.sin(w.r @ x + b.r),
    size="n + 1",
    work="n",
    reference="V. Sitzmann et al., Implicit neural representations with periodic activation "
    "functions, NeurIPS 2020",
)

complex_modulus = Neuron(
    "complex_modulus",
    "|(u + iv).x + b|^2",
    (Branch("r", shape=(2,)),),
    lambda z: jnp.square(z).sum(axis=-1),
    plain=lambda x, w, b: abs((w.r[:, 0] + 1j * w.r[:, 1]) @ x + b.r[0] + 1j * b.r[1]) ** 2,
    size="2n + 2",
    work="2n + 2",
    reference="A. Hirose, Complex-valued neural networks, 2006; real input, squared modulus",
)

glu = Neuron(
    "glu",
    "(w.x + b) sigmoid(v.x + c)",
    (linear, Branch("g", group="product")),
    lambda z, gate: z * jax.nn.sigmoid(gate),
    plain=lambda x, w, b: (w.r @ x + b.r) / (1 + np.exp(-(w.g @ x + b.g))),
    size="2n + 2",
    work="2n + 1",
    reference="Y. Dauphin et al., Language modeling with gated convolutional networks, ICML 2017",
)

swiglu = Neuron(
    "swiglu",
    "(w.x)(v.x) sigmoid(v.x)",
    (free("r"), free("g", group="product")),
    lambda z, gate: z * (gate * jax.nn.sigmoid(gate)),
    plain=lambda x, w, b: (w.r @ x) * (w.g @ x) / (1 + np.exp(-(w.g @ x))),
    size="2n",
    work="2n + 2",
    reference="N. Shazeer, GLU variants improve transformer, arXiv 2002.05202",
)

product_unit = Neuron(
    "product_unit",
    "prod_i x_i^w_i = exp(w.ln|x|) cos(pi w.[x < 0])",
    (free("r", of=log_magnitude), free("s", of=is_negative, kernel="r")),
    _power_with_sign,
    plain=lambda x, w, b: np.prod(np.abs(x) ** w.r) * np.cos(np.pi * w.r @ (x < 0)),
    size="n",
    work="2n + 2",
    reference="R. Durbin, D. Rumelhart, Product units, Neural Computation 1(1), 1989",
)


@lru_cache
def kervolution_polynomial(power: int = 3) -> Neuron:
    """Polynomial kernel `(w.x + c)^power`; `power` >= 1."""
    require("power", power)
    return Neuron(
        "kervolution_polynomial",
        f"(w.x + c)^{power}",
        (linear,),
        lambda z: z**power,
        degenerate="conventional" if power == 1 else None,
        plain=lambda x, w, b: (w.r @ x + b.r) ** power,
        size="n + 1",
        work=f"n + {power - 1}",
        reference=KERVOLUTION,
    )


@lru_cache
def maxout(pieces: int = 2) -> Neuron:
    """The largest of so many linear neurons; `pieces` >= 1."""
    require("pieces", pieces)
    return Neuron(
        "maxout",
        "max_k (w_k.x + b_k)",
        (Branch("r", shape=(pieces,)),),
        lambda z: z.max(axis=-1),
        degenerate="conventional" if pieces == 1 else None,
        plain=lambda x, w, b: np.max(w.r.T @ x + b.r),
        size=f"{pieces}n + {pieces}",
        work=f"{pieces}n",
        reference="I. Goodfellow et al., Maxout networks, ICML 2013",
    )


FAMILY = (
    radial,
    rbf,
    gaussian,
    kervolution_l2,
    kervolution_l1,
    kervolution_polynomial(),
    kervolution_sigmoid,
    sine,
    complex_modulus,
    maxout(),
    glu,
    swiglu,
    product_unit,
)
