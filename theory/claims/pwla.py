"""Claims of the PWLA paper (arXiv 2110.08259), and how they read.

The paper asks four questions: is the optimum characterised; does a lattice neural network (LNN)
converge to the global optimum; to a local one; does it solve the problem. We had its abstract, not
its text: each question is put as it is asked, and as it holds.
"""

from theory.claims.claim import Claim, no_data
from theory.claims.pwla_experiments import (
    characterised,
    continuity_free,
    minimax,
    rate,
    representation,
    stationary,
    stationary_as_stated,
)
from theory.claims.pwla_training import (
    competitive,
    global_improved,
    global_plain,
    local_improved,
    local_plain,
    solves,
)

NAME = "pwla"
PAPER = (
    "H.-C. Dong et al., Training neural networks for solving 1-D optimal piecewise linear "
    "approximation, arXiv 2110.08259"
)
READING = f"our reading of {PAPER}; we had the abstract, not the text"
NO_NUMBER = "No number that we had: the abstract claims the result."
EIGHT = (
    "Eight functions of ours, L2, 8 pieces; 513 samples, denser at the ends, with quadrature "
    "weights, of which descent sees 128 means; errors are integrals over the function."
)

CLAIMS = (
    Claim(
        NAME,
        "representation",
        "Every continuous piecewise-linear function of one variable with n pieces is a lattice of "
        "n affine maps, to 1e-12",
        "S. Ovchinnikov, Max-min representation of piecewise linear functions, 2002, on which the "
        "LNN rests; the one-dimensional construction of the groups is ours",
        "A theorem; no number.",
        "Random functions of 1 to 11 pieces in float64.",
        representation,
        no_data,
        faults={"one_line_less": "the last line is left out of the groups"},
    ),
    Claim(
        NAME,
        "characterised",
        "Question 1: at the optimum every piece is the least-squares line of its own segment, and "
        "neighbours meet",
        f"{READING}, question 1 (characters of the optimum); the conditions are ours",
        NO_NUMBER,
        "Eight functions of ours, 8 segments, L2; certified optima, checked by quadrature.",
        characterised,
        no_data,
        faults={"even_knots": "the optimum's knots are spread evenly"},
    ),
    Claim(
        NAME,
        "stationary_as_stated",
        "Question 1, the other way: a fit whose pieces are the least-squares lines of their own "
        "segments, and meet, is optimal",
        f"{READING}, question 1, as a reader may take a characterisation",
        NO_NUMBER,
        "Eight functions of ours, 8 segments, L2; stationary fits reached from random lattices.",
        stationary_as_stated,
        no_data,
        faults={"one_way": "only functions that bend one way are looked at"},
    ),
    Claim(
        NAME,
        "stationary",
        "Question 1, as it holds: for functions that bend one way such a fit is optimal",
        f"ours, after {READING}; for f'' > 0 with log f'' concave (x^2, exp, the sine's quarter) "
        "it is a theorem of D. Barrow et al., Math. Comp. 32, 1978; for sqrt and log we found it",
        NO_NUMBER,
        "Five functions of ours, 8 segments, L2; stationary fits reached from random lattices.",
        stationary,
        no_data,
        faults={"both_ways": "functions that bend both ways are looked at, too"},
    ),
    Claim(
        NAME,
        "continuity_free",
        "For functions that bend one way the best fit is continuous by itself: letting pieces jump "
        "gains nothing",
        "ours; it makes the continuous LNN no restriction there",
        "Not stated, as far as we know.",
        "Five functions of ours, 2 to 16 segments, L2.",
        continuity_free,
        no_data,
        faults={"both_ways": "the functions bend both ways"},
    ),
    Claim(
        NAME,
        "rate",
        "The least error falls as n^-2, with the constant (1/sqrt 720) (integral "
        "|f''|^(2/5))^(5/2), within 2 % at 32 segments",
        "ours, by the classical argument for free knots; what any LNN is up against",
        "Not stated, as far as we know.",
        "Five functions of ours, L2; sqrt, whose f'' is infinite at an end, is held to 3 %.",
        rate,
        no_data,
        faults={"even_knots": "the knots are spread evenly"},
    ),
    Claim(
        NAME,
        "global_as_stated",
        "Question 2: gradient descent takes an LNN to within 1 % of the global optimum, from 95 % "
        "of random starts",
        f"{READING}, question 2; the measure of success is ours",
        NO_NUMBER,
        f"{EIGHT} Adam from random lines, inputs and outputs standardised; a maximum of 8 lines "
        "for convex functions, a minimum for concave ones, else the largest of four minima of two.",
        global_plain,
        no_data,
        faults={"improved": "lattices are trained with the improvements"},
    ),
    Claim(
        NAME,
        "global_improved",
        "Question 2, as it holds: with quantile start, annealed softness, revival of dead pieces, "
        "six starts and a second-order polish 95 % of seeds come within 1 % of the global optimum",
        f"ours; {PAPER} improves training, too, by a method we do not know",
        NO_NUMBER,
        EIGHT,
        global_improved,
        no_data,
        faults={"plain": "lattices are trained plainly"},
    ),
    Claim(
        NAME,
        "local_as_stated",
        "Question 3: gradient descent takes an LNN to a local optimum of all its pieces, from 90 % "
        "of random starts",
        f"{READING}, question 3; the measure of success is ours",
        NO_NUMBER,
        f"{EIGHT} Trained as for question 2.",
        local_plain,
        no_data,
        faults={"improved": "lattices start at quantiles, are softened, and revived"},
    ),
    Claim(
        NAME,
        "local_improved",
        "Question 3, as it holds: with quantile start, annealed softness and revival of dead "
        "pieces gradient descent alone takes 90 % of LNNs to a local optimum of all their pieces",
        f"ours, after {READING}",
        NO_NUMBER,
        f"{EIGHT} One start, two revivals, no polish.",
        local_improved,
        no_data,
        faults={"plain": "lattices are trained plainly"},
    ),
    Claim(
        NAME,
        "solves",
        "Question 4: an LNN, polished to second order, solves the problem for smooth functions "
        "that bend one way: its error is the certified optimum's up to 1e-6, for 2 to 16 pieces",
        f"{READING}, question 4; the polish and the certificate are ours",
        NO_NUMBER,
        "Four functions of ours, L2; 4,097 samples with quadrature weights.",
        solves,
        no_data,
        faults={"no_polish": "training ends with the descent"},
    ),
    Claim(
        NAME,
        "competitive",
        "An LNN comes within 1 % of the best fit to the same samples, in all eight functions",
        f'{READING}: "competitive with the state of the art"; the rival is ours',
        NO_NUMBER,
        "129 even samples; the rival searches for the best knots, values and pieces by dynamic "
        "programming and refines them. pwlf is compared with in the benchmarks.",
        competitive,
        no_data,
        faults={"plain": "lattices are trained plainly"},
    ),
    Claim(
        NAME,
        "minimax",
        "In the largest error, too, the best lattice is that of Imamoto and Tang's descent, up to "
        "1e-6",
        "H. Imamoto, T. G. Tang, Optimal piecewise linear approximation of convex functions, 2008, "
        "the baseline that we take the paper to mean",
        "No number of the paper.",
        "Five functions of ours, 8 pieces; and a closed form for sqrt.",
        minimax,
        no_data,
        faults={"interpolated": "the lattice passes through the function at its knots"},
    ),
)
