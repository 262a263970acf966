"""The quadratic family: neurons whose pre-activation is a polynomial of degree two.

Each entry is data; every one works in `Dense`, `Conv` and, unless it lifts its input, in
`ConvTranspose`. Entries with a degenerate form start as it (ReLinear).
"""

from functools import partial

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from neurons.layer import Branch, Neuron

FAN = "F.-L. Fan, W. Cong, G. Wang, A new type of neurons for machine learning, 2018"
QUADRALIB = "Z. Xu et al., QuadraLib, MLSys 2022"


def pairwise_products(x: Float[Array, "*batch n"]) -> Float[Array, "*batch n*n"]:
    """All products `x_i x_j`, row by row."""
    products = x[..., :, None] * x[..., None, :]
    return products.reshape(*x.shape[:-1], x.shape[-1] ** 2)


def _first(z: Array, *offset: Array) -> Array:
    return sum((jnp.broadcast_to(o, z.shape) for o in offset), z)


def _product_plus(factor: Array, gate: Array, *terms: Array) -> Array:
    return _first(factor * gate, *terms)


def _gated(factor: Array, gate: Array, offset: Array) -> Array:
    return _first(factor * gate + factor, offset)


def _squared(z: Array, offset: Array) -> Array:
    return _first(jnp.square(z), offset)


_linear = Branch("r")
_offset = Branch("c", of=None, anchor=0.0)
_free = partial(Branch, bias=False)

conventional = Neuron("conventional", "w.x + b", (_linear,), _first)

quadratic = Neuron(
    "quadratic",
    "(w_r.x + b_r)(w_g.x + b_g) + w_b.x^2 + c",
    (
        _linear,
        Branch("g", group="product", anchor=1.0),
        Branch("b", group="power", of=jnp.square, anchor=0.0),
    ),
    _product_plus,
    products=1,
    degenerate="conventional",
    reference=FAN,
)

compact = Neuron(
    "compact",
    "w_r.x + w_b.x^2 + c",
    (_linear, Branch("b", group="power", of=jnp.square, bias=False, anchor=0.0)),
    _first,
    degenerate="conventional",
    reference="F.-L. Fan et al., On expressivity and trainability of quadratic networks, "
    "arXiv 2110.06081 (code)",
)

product_only = Neuron(
    "product_only",
    "(w_r.x + b_r)(w_g.x + b_g)",
    (_linear, Branch("g", group="product", anchor=1.0)),
    _product_plus,
    products=1,
    degenerate="conventional",
    reference="J.-X. Liao et al., heterogeneous autoencoder, arXiv 2204.01707 (ablation)",
)

power_only = Neuron(
    "power_only",
    "w_b.x^2 + c",
    (Branch("b", of=jnp.square),),
    _first,
    reference=FAN,
)

qres = Neuron(
    "qres",
    "(w_1.x)(w_2.x) + w_1.x + b",
    (_free("r"), _free("g", group="product", anchor=0.0), _offset),
    _gated,
    products=1,
    degenerate="conventional",
    reference="J. Bu, A. Karpatne, Quadratic residual networks, SDM 2021",
)

quadralib_t1 = Neuron(
    "quadralib_t1",
    "x^T W x + c",
    (_free("b", lift=pairwise_products), _offset),
    _first,
    reference="K. F. Cheung, C. S. Leung 1991; type T1 of " + QUADRALIB,
)

quadralib_t2 = Neuron(
    "quadralib_t2",
    "w.x^2 + c",
    (_free("b", of=jnp.square), _offset),
    _first,
    reference="type T2 of " + QUADRALIB,
)

quadralib_t3 = Neuron(
    "quadralib_t3",
    "(w.x)^2 + c",
    (_free("r"), _offset),
    _squared,
    products=1,
    reference="type T3 of " + QUADRALIB,
)

quadralib_t4 = Neuron(
    "quadralib_t4",
    "(w_a.x)(w_b.x) + c",
    (_free("r"), _free("g"), _offset),
    _product_plus,
    products=1,
    reference="type T4 of " + QUADRALIB,
)

quadralib = Neuron(
    "quadralib",
    "(w_a.x)(w_b.x) + w_c.x + c",
    (_free("r"), _free("g"), _free("b"), _offset),
    _product_plus,
    products=1,
    reference=QUADRALIB,
)

FAMILY = (
    conventional,
    quadratic,
    compact,
    product_only,
    power_only,
    qres,
    quadralib_t1,
    quadralib_t2,
    quadralib_t3,
    quadralib_t4,
    quadralib,
)
