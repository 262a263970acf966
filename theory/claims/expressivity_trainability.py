"""Claims of the expressivity and trainability paper (arXiv 2110.06081), and how they read.

None needs data: the exact ones need nothing, the trained ones a synthetic task of their own.
"""

from theory.claims.claim import Claim, no_data
from theory.claims.expressivity_trainability_experiments import (
    conventional_cannot,
    degree_doubles,
    piece_counts,
    splines_exact,
)
from theory.claims.residual_depth import (
    fewer_explode,
    fewer_explode_normalised,
    scale_zero,
    small_scale_harmless,
)
from theory.claims.variety_experiments import (
    equal_parameters,
    more_dimensions,
    share_of_parameters,
)

NAME = "expressivity_trainability"
PAPER = (
    "F.-L. Fan, M. Li, F. Wang, R. Lai, G. Wang, On Expressivity and Trainability of Quadratic "
    "Networks, arXiv 2110.06081, IEEE TNNLS 2023"
)
READING = f"our reading of {PAPER}; we had the abstract and the code, not the text"
EXACT = "No chance but the choice of random networks, whose number the budget sets."
RANKS = "Ranks over a prime field; the closed forms and float64 ranks of the layers agree in tests."
RESIDUAL = (
    "Dense residual networks of width 16 on 512 points inside or outside a sphere in 8 dimensions "
    "instead of QResNets on images; stochastic gradient descent, rate 0.05, momentum 0.9; four "
    "runs per seed of the budget. A run explodes if its loss is not finite or ends above ten times "
    "that of guessing."
)


def synthetic() -> str:
    """What the trained claims make themselves, from the lab's key."""
    return "synthetic sphere in 8 dimensions"


CLAIMS = (
    Claim(
        NAME,
        "splines_exact",
        "One hidden layer of at most 2(n-1)+3 quadratic ReLU neurons equals any continuous "
        "piecewise-quadratic spline of n pieces",
        f"{READING} (spline theory); the construction is ours",
        "No number.",
        EXACT,
        splines_exact,
        no_data,
        faults={"no_curvature": "the network is built from chords, as conventional neurons would"},
    ),
    Claim(
        NAME,
        "conventional_cannot",
        "A conventional ReLU network of n pieces misses x^2 on [0, 1] by at least 1/(6 sqrt5 n^2) "
        "in root mean square, so that no finite one equals it",
        f"{READING} (without quadratic activation); the bound is classical",
        "No number.",
        EXACT,
        conventional_cannot,
        no_data,
        faults={"quadratic": "quadratic neurons take the conventional ones' place"},
    ),
    Claim(
        NAME,
        "piece_counts",
        "With n neurons in each of L layers, conventional ReLU networks of one variable have at "
        "most (n+1)^L pieces and quadratic ones prod(2^l n + 1); one layer attains both",
        READING,
        "No number.",
        EXACT,
        piece_counts,
        no_data,
        faults={"linear_bound": "quadratic networks are judged by the conventional bound"},
    ),
    Claim(
        NAME,
        "degree_doubles",
        "The pieces of L quadratic layers reach degree 2^L; those of conventional ReLU layers are "
        "of degree 1",
        READING,
        "No number.",
        EXACT,
        degree_doubles,
        no_data,
        faults={"frozen": "the product and the power keep their silent start"},
    ),
    Claim(
        NAME,
        "more_dimensions_as_stated",
        "At equal numbers of neurons, the functional variety of quadratic networks has a larger "
        "dimension than that of conventional ones with activation z^2",
        f"{READING} (measure from algebraic geometry)",
        "No number.",
        RANKS,
        more_dimensions,
        no_data,
        faults={"no_product": "quadratic neurons lose their product (the compact neuron)"},
    ),
    Claim(
        NAME,
        "dimensions_per_parameter_as_read",
        "Each parameter of a quadratic network buys more dimensions than one of a conventional "
        "network with activation z^2",
        "ours: how 'more expressive' may be read; the paper does not state it",
        "No number.",
        RANKS,
        share_of_parameters,
        no_data,
        faults={"swapped": "the two networks are exchanged"},
    ),
    Claim(
        NAME,
        "dimensions_at_equal_parameters_as_read",
        "At equal numbers of parameters, quadratic networks always have the larger variety",
        "ours: how 'more expressive' may be read; the paper does not state it",
        "No number.",
        f"{RANKS} One hidden layer; the widest conventional network with no more parameters.",
        equal_parameters,
        no_data,
        faults={"half": "conventional networks get half the parameters"},
    ),
    Claim(
        NAME,
        "scale_zero",
        "With the quadratic part's learning rate at 0, ReLinear trains exactly like the "
        "conventional network",
        f"{PAPER}, definition of ReLinear",
        "Exact statement.",
        RESIDUAL,
        scale_zero,
        synthetic,
        faults={"scale_tenth": "the scale is 0.1"},
    ),
    Claim(
        NAME,
        "fewer_explode",
        "ReLinear makes exploding runs rarer than a random start with one learning rate, at depths "
        "10 to 56",
        f"{PAPER}, abstract: ReLinear stabilises training",
        "No number for exploding runs at hand.",
        f"{RESIDUAL} No normalisation.",
        fewer_explode,
        synthetic,
        faults={"relinear_twice": "ReLinear on both sides"},
    ),
    Claim(
        NAME,
        "fewer_explode_normalised",
        "ReLinear makes exploding runs rarer in normalised networks too",
        f"{READING}: its networks have batch normalisation",
        "No number for exploding runs at hand.",
        f"{RESIDUAL} Layers are standardised over their features; depths 10 and 56.",
        fewer_explode_normalised,
        synthetic,
        faults={"no_normalisation": "the layers are not standardised"},
    ),
    Claim(
        NAME,
        "small_scale_harmless",
        "A small scale of the quadratic part's rate (0.001) is never worse than none, by 0.02 nats "
        "of validation loss",
        f"{READING}, README figure 2: the curve rises from the conventional value to an optimum",
        "A curve without numbers.",
        f"{RESIDUAL} Depth 10.",
        small_scale_harmless,
        synthetic,
        faults={"random_start": "a random start with one rate takes the small scale's place"},
    ),
)
