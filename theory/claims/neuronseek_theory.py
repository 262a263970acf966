"""Claims on NeuronSeek's super-expressivity theorem (arXiv 2506.15715 v2).

The theorem's text was not at hand: the statement is the abstract's, the constructions are ours. Its
reading for polynomial aggregation, which the paper's own search yields, and the one that holds
stand side by side. No data is needed.
"""

from theory.claims.claim import Claim, no_data
from theory.claims.neuronseek_experiments import (
    bounded_parameter,
    dense_trajectory,
    polynomial_aggregation,
    shattering,
)

PAPER = "NeuronSeek, arXiv 2506.15715 v2, abstract"
PUBLISHED = (
    "Abstract: any continuous function, arbitrary error, fixed number and magnitude of parameters. "
    "No number."
)


CLAIMS = (
    Claim(
        "neuronseek_theory",
        "super_expressive_as_stated",
        "With a suitable aggregation, here the polynomial one that NeuronSeek's search yields, a "
        "ReLU network of fixed size approximates any continuous function to any error",
        f"{PAPER}; polynomial aggregation is our reading of its search space",
        PUBLISHED,
        "Target sin(m x) on an interval of 2 pi; 8 quadratic neurons, weights of any size; proved "
        "bound beside trained networks.",
        polynomial_aggregation,
        no_data,
        None,
        {"sinusoid": "the aggregation is a sine"},
    ),
    Claim(
        "neuronseek_theory",
        "oscillating_shatters",
        "One oscillating neuron with one parameter labels 15 points in every way, in float64",
        f"{PAPER}, for non-polynomial aggregation; the construction is ours",
        PUBLISHED,
        "300 random labellings a seed and K; points 10^-1 to 10^-K.",
        shattering,
        no_data,
        None,
        {"polynomial": "the sine is replaced by its Taylor polynomial of degree 7"},
    ),
    Claim(
        "neuronseek_theory",
        "dense_trajectory",
        "A dense trajectory follows K values to within eps at a frequency of about (2 eps)^-K: "
        "log W has slope K",
        f"{PAPER} (dense trajectories, by secondary sources); the rate is ours",
        PUBLISHED,
        "Whole frequencies, K = 2, 3, 4.",
        dense_trajectory,
        no_data,
        None,
        {"rational_directions": "directions are multiples of 1/7: their trajectory is not dense"},
    ),
    Claim(
        "neuronseek_theory",
        "bounded_parameter_pays_in_bits",
        "Fixed magnitude moves the cost into precision: a parameter in (0, 1] needs more than one "
        "significant bit per labelled point",
        "ours: what 'fixed magnitude' leaves out",
        "No number.",
        "s = 1/w, rounded until a label is lost; K = 2 to 14.",
        bounded_parameter,
        no_data,
        None,
        {"constant_labels": "all labels are equal, so that there is nothing to store"},
    ),
)
