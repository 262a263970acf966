"""Claims of the universal approximation paper (arXiv 1808.00098), and how they read."""

from theory.claims.claim import Claim, no_data
from theory.claims.universal_approximation_experiments import (
    efficiency,
    exponential,
    one_neuron_per_layer,
    products_cheap,
    tree_exact,
    tree_size,
)

NAME = "universal_approximation"
PAPER = (
    "F.-L. Fan, J. Xiong, G. Wang, Universal approximation with quadratic deep networks, "
    "arXiv 1808.00098, Neural Networks 124, 2020"
)
READING = f"our reading of {PAPER}; we had the abstract, not the text"


CLAIMS = (
    Claim(
        NAME,
        "efficiency",
        "|x|^(2k) is one quadratic neuron with activation z^k, but takes C(d+k-1, k) ridge "
        "functions, that is conventional neurons of any activation",
        f"{READING}, theorem 1 (expressive efficiency); this family and its exact bound are ours",
        "No number.",
        "Exact representation of powers instead of approximation of the theorem's radial function.",
        efficiency,
        no_data,
        faults={"one_direction": "the target depends on one coordinate alone"},
    ),
    Claim(
        NAME,
        "exponential_as_read",
        "What one quadratic neuron computes takes exponentially many conventional ones as the "
        "dimension grows",
        f"{READING}, theorem 1, as a reader may take it; the theorem states it for one function",
        "No number.",
        "|x|^2, whose count of ridge functions is known exactly.",
        exponential,
        no_data,
        faults={"degree_grows": "the degree grows with the dimension: |x|^(2d)"},
    ),
    Claim(
        NAME,
        "one_neuron_per_layer",
        "With one neuron per layer, quadratic networks compute functions that conventional ones of "
        "any depth cannot: x_1^2 + x_2^2, with R^2 1 against at most 1/2 under N(0, I)",
        f"{READING}, theorem 2 (unique capability); the number is ours",
        "No number.",
        "All ridge functions by quadrature, and random chains of four activations.",
        one_neuron_per_layer,
        no_data,
        faults={"two_neurons": "conventional networks get two neurons per layer"},
    ),
    Claim(
        NAME,
        "tree_exact",
        "A tree of quadratic neurons equals any polynomial of one variable to degree 32, within "
        "1e-10 of its largest value on [-1, 1]",
        f"{READING}, theorem 3 (compact architecture); the construction is ours",
        "No number.",
        "Chebyshev polynomials against their cosines, random roots against exact fractions; "
        "identity activation.",
        tree_exact,
        no_data,
        faults={"eigenvalues": "roots are eigenvalues of the companion matrix, not settled"},
    ),
    Claim(
        NAME,
        "tree_size",
        "The tree of degree N has 1 + ceil(log2(factors)) layers and at most N neurons",
        f"{READING}, theorem 3: depth O(log2 N), width at most N; the count of neurons is ours",
        "No number.",
        "Built for eight degrees from 1 to 32; an odd factor skips a layer.",
        tree_size,
        no_data,
        faults={"layered": "neurons that hand an odd factor on are counted"},
    ),
    Claim(
        NAME,
        "products_cheap",
        "A product takes one quadratic neuron, and ReLU networks whose weights grow with "
        "log2(1/error)",
        f"{READING}, theorem 4 (fewer weights)",
        "No number.",
        "Yarotsky's construction, and a lower bound from piece counts; weights are not quantised.",
        products_cheap,
        no_data,
        faults={"quadratic": "the quadratic neuron takes the ReLU network's place"},
    ),
)
