"""Claims on the separation theorem of the heterogeneous autoencoder (arXiv 2204.01707, supplement).

The theorem's literal reading and the one that holds stand side by side. No data is needed.
"""

from theory.claims.claim import Claim, no_data
from theory.claims.heterogeneous_experiments import (
    exponential_width,
    general_quadratic,
    heterogeneous_wins,
    radial_plateau,
    ridges_cannot_radial,
)

PAPER = (
    "J.-X. Liao et al., Quadratic neuron-empowered heterogeneous autoencoder, arXiv 2204.01707, "
    "supplement"
)
MEASURE = (
    "x ~ N(0, I_d) in place of the measure of Eldan and Shamir; the paper's own g_ip with "
    "delta = 1/2"
)
RADIAL_PART = "the radial part cos(2 z), z the standardised |x|^2, in place of their shells"


CLAIMS = (
    Claim(
        "heterogeneous_theorem",
        "exponential_width_as_stated",
        "One-hidden-layer quadratic networks leave a constant error on the inner-product part "
        "unless they are exponentially wide in d",
        f"{PAPER}, theorems 1 (part 2) and 2, read with the quadratic neuron that the paper "
        "defines",
        "No number: existence of constants.",
        f"{MEASURE}. 32 neurons, d up to 50.",
        exponential_width,
        no_data,
        None,
        {"radial_only": "the quadratic neurons are sigma(omega |x|^2 + b) only"},
    ),
    Claim(
        "heterogeneous_theorem",
        "radial_ceiling",
        "Radial quadratic neurons cannot represent an inner-product function: at every width their "
        "R^2 stays below an exact ceiling that falls with d",
        f"{PAPER}, theorem 2 as its proof has it; the ceiling at every width is ours",
        "Exponential lower bound on the width; no number.",
        f"{MEASURE}. Ceilings by quadrature; networks trained at d = 5 on cos(2 v.x).",
        radial_plateau,
        no_data,
        None,
        {"ridge_neurons": "half of the neurons are conventional"},
    ),
    Claim(
        "heterogeneous_theorem",
        "ridges_cannot_radial",
        "n conventional neurons' directions explain n/d of |x|^2 - d, and no directions more",
        f"{PAPER}, theorem 3 (the radial part), in its simplest exact case; ours",
        "Exponential lower bound on the width; no number.",
        "The radial function is |x|^2 - d under N(0, I_d), for which the law is exact: linear in "
        "d, not exponential.",
        ridges_cannot_radial,
        no_data,
        None,
        {"quadratic_neuron": "one quadratic neuron |x|^2 joins the ridges"},
    ),
    Claim(
        "heterogeneous_theorem",
        "heterogeneous_wins",
        "On the sum of an inner-product and a radial part, conventional and radial neurons side by "
        "side beat either alone at equal width",
        f"{PAPER}, theorem 1 (part 3)",
        "Width C1 c d^3.75 + C2 c against exponential; no number.",
        f"{MEASURE}; {RADIAL_PART}. 32 neurons, chosen greedily; d = 5, 10, 20.",
        heterogeneous_wins,
        no_data,
        None,
        {"ridge_only": "the target is the inner-product part alone"},
    ),
    Claim(
        "heterogeneous_theorem",
        "general_quadratic_ties",
        "A layer of general quadratic neurons comes within half a decade of the heterogeneous "
        "layer's error on the sum",
        "ours: the theorem's literal reading denies it",
        "No number.",
        f"{MEASURE}; {RADIAL_PART}. Trained at d = 10 with 32 neurons of each kind; at equal "
        "width the quadratic layer has more parameters.",
        general_quadratic,
        no_data,
        None,
        {"conventional_in_disguise": "the quadratic neurons are conventional ones"},
    ),
)
