"""Claims of "How to Explain Neural Networks: an Approximation Perspective" (arXiv 2105.07831).

Exact regions and boundaries of networks, and an MLP as interpreter of black boxes. The paper's
tables were not at hand: all numbers are ours.
"""

from neurons.data import simulated_tables
from theory.claims.approximation_perspective_experiments import (
    complete_boundary,
    counts,
    exactness,
    linearisation,
)
from theory.claims.claim import Claim, no_data
from theory.claims.interpreter_black_boxes import embedded
from theory.claims.interpreter_experiments import (
    beats_linear,
    beats_tree,
    local_fidelity,
    rough,
    stability,
    universal,
)
from theory.claims.interpreter_small_experiments import compression, identity

NAME = "approximation_perspective"
PAPER = (
    "H.-C. Dong et al., How to Explain Neural Networks: an Approximation Perspective, arXiv "
    "2105.07831 (versions 1 and 2); Interpretability as Approximation, Electronics 13(22):4339, "
    "2024"
)
ABSTRACT = f"our reading of the abstracts of {PAPER}"
NO_NUMBER = "No number."
NETWORKS = "Random networks in NumPy float64, ours."
STUDY = (
    "Black boxes, tables, sampling and training are ours: scikit-learn's breast cancer, wine and "
    "digits; the interpreter has two hidden layers of 64 units."
)
SHUFFLED = {"shuffled_answers": "the network learns answers that belong to other points"}

CLAIMS = (
    Claim(
        NAME,
        "exact_weights",
        "In every region a ReLU network is the affine map of its effective weights, to 1e-12",
        f"{PAPER}, the decomposition of fully connected networks; the tolerances are ours",
        NO_NUMBER,
        NETWORKS,
        exactness,
        no_data,
        None,
        {"wrong_piece": "one unit of every pattern is taken on the wrong side of its kink"},
    ),
    Claim(
        NAME,
        "region_count",
        "n generic ReLU units divide R^d into sum_(i<=d) C(n, i) regions, and all are found",
        "T. Zaslavsky, 1975; a check on the paper's division of the input space",
        NO_NUMBER,
        NETWORKS,
        counts,
        no_data,
        None,
        {"parallel": "two of the units have parallel kinks"},
    ),
    Claim(
        NAME,
        "complete_boundary",
        "The decision boundary is complete: no change of label without a facet in between",
        f"{PAPER}, version 1, completeness; the test on a grid is ours",
        NO_NUMBER,
        NETWORKS,
        complete_boundary,
        no_data,
        None,
        {"lost_facet": "the longest facet is left out"},
    ),
    Claim(
        NAME,
        "linearised_activations",
        "With tanh replaced by n best lines the network's error falls as n^-2, below its bound",
        f"{PAPER}, version 1, arbitrary activations by linearisation; rate and bound are ours",
        NO_NUMBER,
        NETWORKS,
        linearisation,
        no_data,
        None,
        {"frozen": "the number of segments stays at four"},
    ),
    Claim(
        NAME,
        "universal_interpreter",
        "One MLP says what an RBF-SVM, a forest, boosted trees, k-NN, a quadratic network and a "
        "CNN say, on more than 97 % of held-out points",
        f"{ABSTRACT}; the bar is ours",
        NO_NUMBER,
        STUDY,
        universal,
        embedded,
        None,
        SHUFFLED,
    ),
    Claim(
        NAME,
        "better_than_tree",
        "Its fidelity is higher than that of a decision tree of as many parameters",
        "ours: the rival that a user would take",
        NO_NUMBER,
        STUDY,
        beats_tree,
        embedded,
        None,
        SHUFFLED,
    ),
    Claim(
        NAME,
        "better_than_linear",
        "Its fidelity is higher than that of a linear classifier",
        "ours: the least of all surrogates",
        NO_NUMBER,
        STUDY,
        beats_linear,
        embedded,
        None,
        SHUFFLED,
    ),
    Claim(
        NAME,
        "local_fidelity",
        "It also follows the black box more closely around a point than a linear fit made there, "
        "under LIME's kernel",
        f"our reading of {PAPER}, where GIME is held against LIME",
        NO_NUMBER,
        f"{STUDY} The rival is a local linear surrogate with LIME's kernel, not the package.",
        local_fidelity,
        embedded,
        None,
        SHUFFLED,
    ),
    Claim(
        NAME,
        "stability_as_stated",
        "Explanations read off the network are more stable than those of a local linear surrogate",
        "ours: what completeness would make one expect",
        NO_NUMBER,
        f"{STUDY} Two interpreters are trained from different keys.",
        stability,
        embedded,
        None,
        {"same_network": "the network is compared with itself"},
    ),
    Claim(
        NAME,
        "noisy_table",
        "A forest of fully grown trees on noisy labels is interpreted to 97 % as well",
        f"{ABSTRACT}, where any black box is meant; the bar is ours",
        NO_NUMBER,
        "Random forest on phoneme (5,404 x 5) where the public tables are at hand; else on a "
        "simulated sphere, a tenth of whose labels is wrong.",
        rough,
        simulated_tables,
        "tabular",
        {"clean_labels": "the forest learns whether the first input exceeds its median"},
    ),
    Claim(
        NAME,
        "compression",
        "Cells that share a label merge: fewer than a tenth of the linear regions keep 99 % of "
        "the labels",
        f"{PAPER}, version 1, DecisionNet: large compression at controlled precision; the factor "
        "is ours",
        "Large compression; no number at hand.",
        "Our own growing of cells from hyperplanes that carry the boundary; hidden layers of 32.",
        compression,
        embedded,
        None,
        {"no_merging": "every linear region is a cell of its own"},
    ),
    Claim(
        NAME,
        "identity",
        "A network as black box is found again: fidelity above 0.99 and boundaries that approach "
        "each other as samples grow",
        "ours: the interpreter's sanity check",
        NO_NUMBER,
        "Teachers of two hidden layers of 16 units with random weights; students of their widths.",
        identity,
        no_data,
        None,
        SHUFFLED,
    ),
)
