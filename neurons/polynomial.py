"""Neurons of higher degree: powers, products of linear forms, factor networks.

Where weights are `shared` they belong to the layer: a hidden vector that all its neurons read.
"""

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache, partial

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from neurons.neuron import Branch, Neuron, all_inputs, own_input
from neurons.options import distinct, require
from neurons.quadratic import add, free, linear, offset

PI_NETS = "G. Chrysos et al., Pi-nets: deep polynomial neural networks, CVPR 2020"
NEURONSEEK = "NeuronSeek, arXiv 2506.15715"
_shared = partial(free, shared=True)


def monomials(x: Float[Array, "*batch n"], order: int) -> Float[Array, "*batch monomials"]:
    """All products of 1 to `order` inputs, repetitions allowed, by degree and then row by row."""
    found = []
    for degree in range(1, order + 1):
        chosen = np.array(list(itertools.combinations_with_replacement(range(x.shape[-1]), degree)))
        found.append(math.prod(x[..., column] for column in chosen.T))
    return jnp.concatenate(found, axis=-1)


def _power(x: Array, exponent: int) -> Array:
    return x**exponent


def _powers(powers: Sequence[int]) -> tuple[Branch, ...]:
    """One branch per power; the lowest has the bias, the others grow beside it."""
    first, *others = sorted(powers)
    lowest = linear if first == 1 else Branch("r", of=partial(_power, exponent=first))
    grown = (
        free(f"p{k}", group="power", of=partial(_power, exponent=k), anchor=0.0) for k in others
    )
    return (lowest, *grown)


def _plain_powers(powers: Sequence[int], x: np.ndarray, w: object, b: object) -> float:
    first, *others = sorted(powers)
    value = vars(w)["r"] @ x**first + vars(b)["r"]
    return value + sum(vars(w)[f"p{k}"] @ x**k for k in others)


def polynomial(powers: Sequence[int] = (1, 2, 3)) -> Neuron:
    """Task-based polynomial neuron `sum_k w_k.x^k + b`.

    Args:
        powers: different whole numbers of at least 1.

    Raises:
        ValueError: for powers below 1, repeated, or none.
    """
    return _polynomial(distinct("powers", powers))


@lru_cache
def _polynomial(powers: tuple[int, ...]) -> Neuron:
    return Neuron(
        "polynomial",
        " + ".join(f"w_{k}.x^{k}" for k in sorted(powers)) + " + b",
        _powers(powers),
        add,
        degenerate="conventional" if 1 in powers else None,
        plain=partial(_plain_powers, powers),
        size=f"{len(powers)}n + 1",
        work=f"{len(powers)}n",
        reference="F.-L. Fan et al., task-based neurons, arXiv 2405.02369",
    )


def interaction(u: Array) -> Array:
    """`sum_r prod_m u_rm`."""
    return u.prod(axis=-1).sum(axis=-1)


def plain_interaction(x: np.ndarray, u: np.ndarray) -> float:
    """`sum_r prod_m (u_rm.x)` of one neuron, in NumPy; `u` is `(n, rank, order)`."""
    return float(np.einsum("nrm,n->rm", u, x).prod(axis=1).sum())


@lru_cache
def cp(order: int = 3, rank: int = 2) -> Neuron:
    """A form of degree `order` >= 2 as a sum of `rank` >= 1 products, beside a linear one."""
    require("order", order, 2)
    require("rank", rank)
    return Neuron(
        "cp",
        "w.x + sum_r prod_m (u_rm.x) + b",
        (linear, free("u", group="product", shape=(rank, order))),
        lambda z, u: z + interaction(u),
        plain=lambda x, w, b: w.r @ x + b.r + plain_interaction(x, w.u),
        size=f"{order * rank + 1}n + 1",
        work=f"{order * rank + 1}n + {rank * (order - 1)}",
        reference=f"{NEURONSEEK}: interaction in canonical polyadic form",
    )


@lru_cache
def neuronseek(order: int = 3, rank: int = 2) -> Neuron:
    """Powers 1 to `order` >= 2 and interactions of degree 2 to `order`, of `rank` >= 1."""
    require("order", order, 2)
    require("rank", rank)
    degrees = range(2, order + 1)
    factors = rank * sum(degrees)
    return Neuron(
        "neuronseek",
        "sum_k [w_k.x^k + sum_r prod_(m<=k) (u_krm.x)] + b",
        (
            *_powers(range(1, order + 1)),
            *(free(f"u{k}", group="product", shape=(rank, k)) for k in degrees),
        ),
        lambda *z: add(*z[:order], *(interaction(u) for u in z[order:])),
        plain=lambda x, w, b: (
            _plain_powers(range(1, order + 1), x, w, b)
            + sum(plain_interaction(x, vars(w)[f"u{k}"]) for k in degrees)
        ),
        size=f"{order + factors}n + 1",
        work=f"{order + factors}n + {rank * sum(k - 1 for k in degrees)}",
        reference=NEURONSEEK,
    )


@lru_cache
def pi_sigma(order: int = 2) -> Neuron:
    """The product of `order` >= 1 linear neurons."""
    require("order", order)
    return Neuron(
        "pi_sigma",
        "prod_k (w_k.x + b_k)",
        (Branch("r", shape=(order,)),),
        lambda z: z.prod(axis=-1),
        degenerate="conventional" if order == 1 else None,
        plain=lambda x, w, b: np.prod(w.r.T @ x + b.r),
        size=f"{order}n + {order}",
        work=f"{order}n + {order - 1}",
        reference="Y. Shin, J. Ghosh, The pi-sigma network, IJCNN 1991",
    )


@lru_cache
def ridge_polynomial(order: int = 3) -> Neuron:
    """The sum of pi-sigma neurons of order 1 to `order` >= 1."""
    require("order", order)
    factors = order * (order + 1) // 2
    return Neuron(
        "ridge_polynomial",
        "sum_j prod_(k<=j) (w_jk.x + b_jk)",
        tuple(Branch(f"r{j}", shape=(j,)) for j in range(1, order + 1)),
        lambda *z: add(*(one.prod(axis=-1) for one in z)),
        plain=lambda x, w, b: sum(
            np.prod(vars(w)[f"r{j}"].T @ x + vars(b)[f"r{j}"]) for j in range(1, order + 1)
        ),
        size=f"{factors}n + {factors}",
        work=f"{factors}n + {factors - order}",
        reference="Y. Shin, J. Ghosh, Ridge polynomial networks, IEEE TNN 6(3), 1995",
    )


@lru_cache
def sigma_pi(order: int = 2) -> Neuron:
    """All monomials up to degree `order` >= 1, each with its weight."""
    require("order", order)
    count = "".join(f"(n + {k})" for k in range(1, order + 1)) + f"/{math.factorial(order)}"
    return Neuron(
        "sigma_pi",
        "sum_(|S|<=r) w_S prod_(i in S) x_i + b",
        (free("r", lift=partial(monomials, order=order)), offset),
        add,
        plain=lambda x, w, b: (
            w.r
            @ [
                np.prod([x[i] for i in chosen])
                for degree in range(1, order + 1)
                for chosen in itertools.combinations_with_replacement(range(len(x)), degree)
            ]
            + b.c
        ),
        size=count,
        work=f"{count} - 1",
        reference="C. L. Giles, T. Maxwell 1987; higher-order neural units",
    )


def _readout(weights: Array, hidden: Array, beta: Array) -> Array:
    return (weights * hidden).sum(axis=-1) + beta


@lru_cache
def pi_net_ccp(order: int = 2, rank: int = 4) -> Neuron:
    """Coupled factorisation of a polynomial of degree `order` >= 1, `rank` >= 1 hidden values."""
    require("order", order)
    require("rank", rank)

    def combine(c: Array, beta: Array, *u: Array) -> Array:
        hidden = u[0]
        for factor in u[1:]:
            hidden = factor * hidden + hidden
        return _readout(c, hidden, beta)

    def plain(x: np.ndarray, w: object, b: object) -> float:
        hidden = vars(w)["u1"].T @ x
        for i in range(2, order + 1):
            hidden = (vars(w)[f"u{i}"].T @ x) * hidden + hidden
        return vars(w)["c"] @ hidden + vars(b)["beta"]

    return Neuron(
        "pi_net_ccp",
        "c.h_N + b, h_i = (U_i x) * h_(i-1) + h_(i-1), h_1 = U_1 x",
        (*_head(rank), *(_shared(f"u{i}", shape=(rank,)) for i in range(1, order + 1))),
        combine,
        plain=plain,
        size=f"{order * rank}n/m + {rank + 1}",
        work=f"({order * rank}n + {(order - 1) * rank})/m + {rank}",
        reference=PI_NETS,
    )


def _head(rank: int) -> tuple[Branch, ...]:
    return free("c", of=None, shape=(rank,)), Branch("beta", of=None, anchor=0.0)


@lru_cache
def pi_net_ncp(order: int = 2, rank: int = 4, skip: bool = False) -> Neuron:
    """Nested coupled factorisation, of degree `order` >= 1 with `rank` >= 1 hidden values.

    Args:
        order: degree.
        rank: hidden values.
        skip: add each hidden vector to the next.
    """
    require("order", order)
    require("rank", rank)
    numbers = range(1, order + 1)

    def combine(c: Array, beta: Array, *rest: Array) -> Array:
        a, b, s = rest[:order], rest[order : 2 * order], rest[2 * order :]
        hidden = a[0] * b[0]
        for factor, bias, mix in zip(a[1:], b[1:], s, strict=True):
            mixed = (mix * hidden[..., None, :]).sum(axis=-1) + bias
            hidden = factor * mixed + hidden if skip else factor * mixed
        return _readout(c, hidden, beta)

    def plain(x: np.ndarray, w: object, b: object) -> float:
        of, hidden = vars(w), 0.0
        for i in numbers:
            before = hidden
            hidden = of[f"b{i}"] + (of[f"s{i}"] @ hidden if i > 1 else 0.0)
            hidden = (of[f"a{i}"].T @ x) * hidden + (before if skip and i > 1 else 0.0)
        return of["c"] @ hidden + vars(b)["beta"]

    mixes = order - 1
    return Neuron(
        "pi_net_ncp_skip" if skip else "pi_net_ncp",
        "c.h_N + b, h_i = (A_i x) * (S_i h_(i-1) + b_i)" + (" + h_(i-1)" if skip else ""),
        (
            *_head(rank),
            *(_shared(f"a{i}", shape=(rank,)) for i in numbers),
            *(_shared(f"b{i}", of=None, shape=(rank,)) for i in numbers),
            *(_shared(f"s{i}", of=None, shape=(rank, rank)) for i in numbers[1:]),
        ),
        combine,
        plain=plain,
        size=f"({order * rank}n + {mixes * rank**2 + order * rank})/m + {rank + 1}",
        work=f"({order * rank}n + {mixes * rank**2 + order * rank})/m + {rank}",
        reference=f"{PI_NETS}; the product B_i^T b_i is one vector b_i",
    )


cross = Neuron(
    "cross",
    "x_i (w.x) + b_i + x_i",
    (free("x", kernel=own_input), _shared("w"), Branch("c", of=None, anchor=0.0)),
    lambda own, z, b: own * z + b + own,
    plain=lambda x, w, b: x[w.i] * (w.w @ x) + b.c + x[w.i],
    size="n/m + 1",
    work="n/m + 1",
    reference="R. Wang et al., Deep and cross network, ADKDD 2017",
)

cross_v2 = Neuron(
    "cross_v2",
    "x_i (w_i.x + b_i) + x_i",
    (free("x", kernel=own_input), linear),
    lambda own, z: own * z + own,
    plain=lambda x, w, b: x[w.i] * (w.r @ x + b.r) + x[w.i],
    size="n + 1",
    work="n + 1",
    reference="R. Wang et al., DCN V2, WWW 2021",
)

dendrite = Neuron(
    "dendrite",
    "v.((W x) * x) + c",
    (
        _shared("w", shape=("inputs",)),
        _shared("x", shape=("inputs",), kernel=all_inputs),
        free("v", of=None, shape=("inputs",)),
        offset,
    ),
    lambda mixed, x, v, c: _readout(v, mixed * x, c),
    plain=lambda x, w, b: w.v @ ((w.w.T @ x) * x) + b.c,
    size="n^2/m + n + 1",
    work="(n^2 + n)/m + n",
    reference="G. Liu, J. Wang, Dendrite net, IEEE Trans. Cybernetics, 2021; one module",
)

FAMILY = (
    polynomial(),
    cp(),
    neuronseek(),
    pi_sigma(),
    ridge_polynomial(),
    sigma_pi(),
    pi_net_ccp(),
    pi_net_ncp(),
    pi_net_ncp(skip=True),
    cross,
    cross_v2,
    dendrite,
)
