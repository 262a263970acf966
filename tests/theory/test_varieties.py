"""Dimensions of functional varieties: two independent methods, a table, and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from theory.modular import modular_rank, polynomial_variety
from theory.varieties import (
    KINDS,
    PolynomialNetwork,
    ambient_dimension,
    parameter_count,
    variety_dimension,
    variety_formula,
)

KEY = jax.random.key(0)
# Widths, ambient dimension, then dimension and parameters in the order of KINDS: computed before
# and elsewhere (float64 singular values), printed in the project's notes.
TABLE = [
    ((3, 1, 1), 10, (5, 6), (10, 14), (8, 10), (7, 9)),
    ((3, 2, 1), 10, (8, 11), (10, 27), (10, 19), (7, 17)),
    ((4, 2, 1), 15, (10, 13), (15, 33), (15, 23), (9, 21)),
    ((5, 2, 1), 21, (12, 15), (21, 39), (19, 27), (11, 25)),
    ((5, 3, 1), 21, (16, 22), (21, 58), (21, 40), (11, 37)),
    ((8, 2, 1), 45, (18, 21), (39, 57), (31, 39), (17, 37)),
    ((2, 2, 2, 1), 15, (10, 15), (12, 39), (12, 27), (10, 23)),
    ((3, 2, 2, 1), 35, (12, 17), (20, 45), (18, 31), (14, 27)),
    ((3, 3, 3, 1), 35, (19, 28), (28, 76), (28, 52), (19, 46)),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: str(row[0]))
def test_exact_dimensions_equal_the_table(row):
    widths, ambient, *printed = row
    found = [polynomial_variety(kind, widths) for kind in KINDS]
    assert [(v.dimension, v.parameters) for v in found] == printed
    assert ambient == ambient_dimension(widths[0], 2 ** (len(widths) - 2))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("widths", [(3, 2, 2, 1)])
def test_singular_values_of_the_library_s_layers_agree_with_exact_arithmetic(kind, widths):
    net = PolynomialNetwork(kind, widths, rngs=nnx.Rngs(0))
    found = variety_dimension(net, in_features=widths[0], key=KEY, draws=2)
    exact = polynomial_variety(kind, widths)
    assert (found.dimension, found.parameters) == (exact.dimension, exact.parameters)
    assert found.gap > 1e6


@pytest.mark.parametrize("kind", KINDS)
def test_closed_forms_of_one_layer_hold_in_their_whole_range(kind):
    seen = 0
    for d in range(1, 8):
        for k in range(1, 9):
            try:
                formula = variety_formula(kind, d, k)
            except ValueError:
                continue
            seen += 1
            assert formula == polynomial_variety(kind, (d, k, 1)).dimension, (d, k)
    assert seen > 10


def test_any_function_of_a_pytree_will_do():
    def ridges(p, x):  # a_i tanh(w_i x): two neurons that can be told apart
        return jnp.sum(p["a"] * jnp.tanh(p["w"] * x))

    weights = {"a": jnp.zeros(2), "w": jnp.zeros(2)}
    assert variety_dimension(ridges, weights, in_features=1, key=KEY).dimension == 4

    def doubled(p, x):  # only the sum of the amplitudes matters
        return jnp.sum(p["a"]) * jnp.tanh(x[0])

    assert variety_dimension(doubled, {"a": jnp.zeros(3)}, in_features=1, key=KEY).dimension == 1


def test_several_outputs_count_together():
    net = PolynomialNetwork("conventional z^2", (2, 1, 2), rngs=nnx.Rngs(0))
    # One square of an affine form, up to scale, for both outputs: 3 - 1 + 2, and two offsets.
    found = variety_dimension(net, in_features=2, key=KEY)
    assert found.dimension == polynomial_variety("conventional z^2", (2, 1, 2)).dimension == 6


def test_a_constant_function_has_dimension_zero():
    found = variety_dimension(lambda p, x: 0.0 * p * x[0], jnp.zeros(()), in_features=1, key=KEY)
    assert found.dimension == 0


@pytest.mark.parametrize("rank", [1, 3, 6])
def test_modular_rank_of_products_of_random_factors(rank):
    generator = np.random.default_rng(rank)
    left, right = generator.integers(-9, 10, (7, rank)), generator.integers(-9, 10, (rank, 6))
    assert modular_rank(left @ right) == rank == np.linalg.matrix_rank(left @ right)


def test_modular_rank_survives_a_column_without_pivot():
    assert modular_rank(np.array([[0, 0, 1], [0, 5, 7], [0, 10, 3]])) == 2


def test_parameters_are_those_of_the_module():
    for kind in KINDS:
        net = PolynomialNetwork(kind, (3, 4, 2, 1), rngs=nnx.Rngs(0))
        leaves = jax.tree.leaves(nnx.state(net, nnx.Param))
        assert parameter_count(kind, (3, 4, 2, 1)) == sum(leaf.size for leaf in leaves)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda: variety_formula("cubic", 2, 1), "kind must be one of"),
        (lambda: variety_formula("quadratic", 0, 1), "at least 1"),
        (lambda: variety_formula("quadratic", 3, 3), "up to k=2"),
        (lambda: PolynomialNetwork("cubic", (2, 1, 1), rngs=nnx.Rngs(0)), "kind must be"),
        (lambda: PolynomialNetwork("compact", (2, 1), rngs=nnx.Rngs(0)), "hidden layers"),
        (lambda: polynomial_variety("compact", (40, 1, 1)), "overflow"),
    ],
)
def test_misuse_is_named(act, words):
    with pytest.raises(ValueError, match=words):
        act()


def test_a_function_needs_its_parameters():
    with pytest.raises(TypeError, match="needs its parameters"):
        variety_dimension(jnp.sin, in_features=1, key=KEY)
