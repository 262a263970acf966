"""The quadratic family: neurons whose pre-activation is a polynomial of degree two.

Each entry is data; every one works in `Dense`, `Conv` and, unless it mixes the inputs of a window,
in `ConvTranspose`. Entries with a degenerate form start as it (ReLinear).
"""

from functools import lru_cache, partial

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from neurons.neuron import Branch, Neuron
from neurons.options import require

FAN = "F.-L. Fan, W. Cong, G. Wang, A new type of neurons for machine learning, 2018"
QUADRALIB = "Z. Xu et al., QuadraLib, MLSys 2022"


def pairwise_products(x: Float[Array, "*batch n"]) -> Float[Array, "*batch n*n"]:
    """All products `x_i x_j`, row by row."""
    products = x[..., :, None] * x[..., None, :]
    return products.reshape(*x.shape[:-1], x.shape[-1] ** 2)


def distinct_products(x: Float[Array, "*batch n"]) -> Float[Array, "*batch pairs"]:
    """The n (n + 1) / 2 products `x_i x_j` with `i <= j`, row by row."""
    rows, columns = np.triu_indices(x.shape[-1])
    return x[..., rows] * x[..., columns]


def add(*terms: Array) -> Array:
    """The sum of all branches."""
    return sum(terms[1:], terms[0])


def _product_plus(factor: Array, gate: Array, *terms: Array) -> Array:
    return add(factor * gate, *terms)


def _gated(factor: Array, gate: Array, offset: Array) -> Array:
    return factor * gate + factor + offset


def _squared(z: Array, offset: Array) -> Array:
    return jnp.square(z) + offset


def _products_summed(left: Array, right: Array, *terms: Array) -> Array:
    return add((left * right).sum(axis=-1), *terms)


def _squares_summed(z: Array, *terms: Array) -> Array:
    return add(jnp.square(z).sum(axis=-1), *terms)


linear = Branch("r")
offset = Branch("c", of=None, anchor=0.0)
free = partial(Branch, bias=False)

conventional = Neuron(
    "conventional",
    "w.x + b",
    (linear,),
    add,
    plain=lambda x, w, b: w.r @ x + b.r,
    size="n + 1",
    work="n",
    reference="W. McCulloch, W. Pitts 1943; F. Rosenblatt 1958",
)

quadratic = Neuron(
    "quadratic",
    "(w_r.x + b_r)(w_g.x + b_g) + w_b.x^2 + c",
    (
        linear,
        Branch("g", group="product", anchor=1.0),
        Branch("b", group="power", of=jnp.square, anchor=0.0),
    ),
    _product_plus,
    degenerate="conventional",
    plain=lambda x, w, b: (w.r @ x + b.r) * (w.g @ x + b.g) + w.b @ x**2 + b.b,
    size="3n + 3",
    work="3n + 1",
    reference=FAN,
)

compact = Neuron(
    "compact",
    "w_r.x + w_b.x^2 + c",
    (linear, free("b", group="power", of=jnp.square, anchor=0.0)),
    add,
    degenerate="conventional",
    plain=lambda x, w, b: w.r @ x + w.b @ x**2 + b.r,
    size="2n + 1",
    work="2n",
    reference="F.-L. Fan et al., On expressivity and trainability of quadratic networks, "
    "arXiv 2110.06081 (code)",
)

product_only = Neuron(
    "product_only",
    "(w_r.x + b_r)(w_g.x + b_g)",
    (linear, Branch("g", group="product", anchor=1.0)),
    _product_plus,
    degenerate="conventional",
    plain=lambda x, w, b: (w.r @ x + b.r) * (w.g @ x + b.g),
    size="2n + 2",
    work="2n + 1",
    reference="J.-X. Liao et al., heterogeneous autoencoder, arXiv 2204.01707 (ablation)",
)

power_only = Neuron(
    "power_only",
    "w_b.x^2 + c",
    (Branch("b", of=jnp.square),),
    add,
    plain=lambda x, w, b: w.b @ x**2 + b.b,
    size="n + 1",
    work="n",
    reference=FAN,
)

qres = Neuron(
    "qres",
    "(w_1.x)(w_2.x) + w_1.x + b",
    (free("r"), free("g", group="product", anchor=0.0), offset),
    _gated,
    degenerate="conventional",
    plain=lambda x, w, b: (w.r @ x) * (w.g @ x) + w.r @ x + b.c,
    size="2n + 1",
    work="2n + 1",
    reference="J. Bu, A. Karpatne, Quadratic residual networks, SDM 2021",
)

quadralib_t1 = Neuron(
    "quadralib_t1",
    "x^T W x + c",
    (free("b", lift=pairwise_products), offset),
    add,
    plain=lambda x, w, b: x @ w.b.reshape(len(x), len(x)) @ x + b.c,
    size="n^2 + 1",
    work="n^2",
    reference="K. F. Cheung, C. S. Leung 1991; type T1 of " + QUADRALIB,
)

quadralib_t2 = Neuron(
    "quadralib_t2",
    "w.x^2 + c",
    (free("b", of=jnp.square), offset),
    add,
    plain=lambda x, w, b: w.b @ x**2 + b.c,
    size="n + 1",
    work="n",
    reference="type T2 of " + QUADRALIB,
)

quadralib_t3 = Neuron(
    "quadralib_t3",
    "(w.x)^2 + c",
    (free("r"), offset),
    _squared,
    plain=lambda x, w, b: (w.r @ x) ** 2 + b.c,
    size="n + 1",
    work="n + 1",
    reference="type T3 of " + QUADRALIB,
)

quadralib_t4 = Neuron(
    "quadralib_t4",
    "(w_a.x)(w_b.x) + c",
    (free("r"), free("g"), offset),
    _product_plus,
    plain=lambda x, w, b: (w.r @ x) * (w.g @ x) + b.c,
    size="2n + 1",
    work="2n + 1",
    reference="type T4 of " + QUADRALIB,
)

quadralib = Neuron(
    "quadralib",
    "(w_a.x)(w_b.x) + w_c.x + c",
    (free("r"), free("g"), free("b"), offset),
    _product_plus,
    plain=lambda x, w, b: (w.r @ x) * (w.g @ x) + w.b @ x + b.c,
    size="3n + 1",
    work="3n + 1",
    reference=QUADRALIB,
)

quadralib_t12 = Neuron(
    "quadralib_t12",
    "x^T W x + w.x^2 + c",
    (free("b", lift=pairwise_products), free("s", of=jnp.square), offset),
    add,
    plain=lambda x, w, b: x @ w.b.reshape(len(x), len(x)) @ x + w.s @ x**2 + b.c,
    size="n^2 + n + 1",
    work="n^2 + n",
    reference="types T1 and T2 of " + QUADRALIB,
)

quadralib_t24 = Neuron(
    "quadralib_t24",
    "(w_a.x)(w_b.x) + w_c.x^2 + c",
    (free("r"), free("g"), free("b", of=jnp.square), offset),
    _product_plus,
    plain=lambda x, w, b: (w.r @ x) * (w.g @ x) + w.b @ x**2 + b.c,
    size="3n + 1",
    work="3n + 1",
    reference="types T2 and T4 of " + QUADRALIB,
)

bilinear = Neuron(
    "bilinear",
    "x^T W x + w.x + b",
    (linear, free("b", group="product", lift=pairwise_products, anchor=0.0)),
    add,
    degenerate="conventional",
    plain=lambda x, w, b: w.r @ x + x @ w.b.reshape(len(x), len(x)) @ x + b.r,
    size="n^2 + n + 1",
    work="n^2 + n",
    reference="K. F. Cheung, C. S. Leung 1991; second-order Volterra: G. Zoumpourlis et al., "
    "ICCV 2017; dendritic integration (DIQNN), arXiv 2307.13609",
)

symmetric = Neuron(
    "symmetric",
    "sum_(i<=j) w_ij x_i x_j + w.x + b",
    (linear, free("b", group="product", lift=distinct_products, anchor=0.0)),
    add,
    degenerate="conventional",
    plain=lambda x, w, b: w.r @ x + w.b @ np.outer(x, x)[np.triu_indices(len(x))] + b.r,
    size="n(n + 1)/2 + n + 1",
    work="n(n + 1)/2 + n",
    reference="the bilinear neuron without its redundant half",
)


@lru_cache
def low_rank(rank: int = 2) -> Neuron:
    """Quadratic form of low rank and any signature; `rank` >= 1."""
    require("rank", rank)
    return Neuron(
        "low_rank",
        "sum_k l_k (q_k.x)^2 + w.x + b",
        (
            free("q", group="product", shape=(rank,)),
            free("l", group="product", of=None, anchor=0.0, shape=(rank,)),
            linear,
        ),
        lambda q, scale, z: (scale * jnp.square(q)).sum(axis=-1) + z,
        degenerate="conventional",
        plain=lambda x, w, b: w.l @ (w.q.T @ x) ** 2 + w.r @ x + b.r,
        size=f"{rank + 1}n + {rank + 1}",
        work=f"{rank + 1}n + {2 * rank}",
        reference="efficient quadratic neurons, arXiv 2306.07294",
    )


@lru_cache
def positive(rank: int = 2) -> Neuron:
    """Positive semidefinite quadratic form beside a linear one; `rank` >= 1."""
    require("rank", rank)
    return Neuron(
        "positive",
        "|U x|^2 + w.x + b",
        (free("u", group="product", shape=(rank,)), linear),
        _squares_summed,
        plain=lambda x, w, b: np.sum((w.u.T @ x) ** 2) + w.r @ x + b.r,
        size=f"{rank + 1}n + 1",
        work=f"{rank + 1}n + {rank}",
        reference="symmetric factor; S. Burer, R. D. C. Monteiro 2003 for the factorisation",
    )


@lru_cache
def dendritic(rank: int = 2) -> Neuron:
    """Dendritic integration of low rank, whose form need not be symmetric; `rank` >= 1."""
    require("rank", rank)
    return Neuron(
        "dendritic",
        "sum_k (l_k.x)(r_k.x) + w.x + b",
        (
            free("p", group="product", shape=(rank,)),
            free("q", group="product", shape=(rank,), anchor=0.0),
            linear,
        ),
        _products_summed,
        degenerate="conventional",
        plain=lambda x, w, b: (w.p.T @ x) @ (w.q.T @ x) + w.r @ x + b.r,
        size=f"{2 * rank + 1}n + 1",
        work=f"{2 * rank + 1}n + {rank}",
        reference="dendritic integration based quadratic networks (LR-DIQNN), arXiv 2307.13609",
    )


@lru_cache
def factorisation_machine(rank: int = 2) -> Neuron:
    """All pairwise interactions through factors of `rank` >= 1, without squares."""
    require("rank", rank)
    return Neuron(
        "factorisation_machine",
        "w.x + 1/2 sum_k [(v_k.x)^2 - v_k^2.x^2] + b",
        (
            free("v", group="product", shape=(rank,)),
            free("s", of=jnp.square, shape=(rank,), kernel="v", weigh=jnp.square),
            linear,
        ),
        lambda v, s, z: 0.5 * (jnp.square(v) - s).sum(axis=-1) + z,
        plain=lambda x, w, b: (
            sum(w.v[i] @ w.v[j] * x[i] * x[j] for j in range(len(x)) for i in range(j))
            + w.r @ x
            + b.r
        ),
        size=f"{rank + 1}n + 1",
        work=f"{2 * rank + 1}n + {rank + 1}",
        reference="S. Rendle, Factorization machines, ICDM 2010",
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
    quadralib_t12,
    quadralib_t24,
    bilinear,
    symmetric,
    low_rank(),
    positive(),
    dendritic(),
    factorisation_machine(),
)
