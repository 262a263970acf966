"""Claims of NeuronSeek (arXiv 2506.15715) on its search and its networks, and some of ours.

Its theorem on super-expressivity has claims of its own: `neuronseek_theory`.
"""

from theory.claims.claim import Claim, no_data
from theory.claims.neuronseek_limits import flat_in_inputs, structure_is_not_unique
from theory.claims.neuronseek_networks import networks, powers_explode
from theory.claims.neuronseek_structure import (
    beats_power_sums,
    least_squares_is_stable,
    least_squares_recovers,
    stability,
)

PAPER = "H. Pei et al., NeuronSeek, arXiv 2506.15715 (version 2)"
CODE = "code in HanyuPei22/NeuronSeek"
OURS = "ours; the paper does not ask"
SCORE = "Its benchmark prints exact recoveries out of 15; no printed score is known to us."
CASES = (
    "The authors' 15 formulas and settings; coefficients, projections, rows and NS-TD's starts "
    "from our seeds, NS-TD rewritten in JAX (an incomplete last batch is dropped)."
)


CLAIMS = (
    Claim(
        "neuronseek",
        "beats_power_sums",
        "NS-TD recovers the exact structure of more of the 15 synthetic cases than any search over "
        "sums of powers, which cannot express interactions",
        f"Our reading of {PAPER}: its synthetic benchmark, {CODE}",
        SCORE,
        f"{CASES} In place of TN-SR alone: the best that its class has to offer.",
        beats_power_sums,
        no_data,
        None,
        {"shuffle_gates": "NS-TD sees the targets in another order"},
    ),
    Claim(
        "neuronseek",
        "least_squares_recovers",
        "Least squares with the extended BIC recovers more of the 15 cases than NS-TD",
        OURS,
        SCORE,
        CASES,
        least_squares_recovers,
        no_data,
        None,
        {"shuffle_least_squares": "least squares sees the targets in another order"},
    ),
    Claim(
        "neuronseek",
        "stability_as_stated",
        "NS-TD finds the same structure in more pairs of seeds than TN-SR does",
        f"{PAPER}, abstract: superior stability; the measure is ours",
        "No number known to us.",
        f"{CASES} Seeds draw new rows, too. TN-SR: population 1000, 10 generations, as its authors "
        "set it beside NS-TD, with the defects of the released package.",
        stability,
        no_data,
        None,
        {"tiny_population": "TN-SR is the better of two random programs"},
    ),
    Claim(
        "neuronseek",
        "least_squares_is_stable",
        "Least squares finds the same structure in more pairs of seeds than NS-TD does",
        OURS,
        "No number.",
        f"{CASES} Seeds draw new rows, too.",
        least_squares_is_stable,
        no_data,
        None,
        {"one_seed": "NS-TD meets the same rows and starts every time"},
    ),
    Claim(
        "neuronseek",
        "structure_is_not_unique",
        "Within NS-TD's model the power 1 is an interaction of order 1, and w . x^2 an interaction "
        "of order 2 of at most 8 products if at most 8 weights share a sign: its gates choose "
        "between equal functions",
        OURS,
        "No number.",
        "Exact algebra on random weights of 10 inputs.",
        structure_is_not_unique,
        no_data,
        None,
        {"one_sign": "all 10 weights of x^2 are positive, which 8 products cannot express"},
    ),
    Claim(
        "neuronseek",
        "flat_in_inputs_as_stated",
        "NS-TD's search time does not grow from 10 to 100 inputs (by half at most)",
        f"Our reading of {PAPER}: scalability experiment, {CODE}",
        "No number of the paper is known to us. A results file in HanyuPei22/NeuronSeek2.0 lists "
        "17.2, 22.6, 29.3 and 44.7 s for TN-SR at 10, 30, 50 and 100 inputs, and failed runs for "
        "NeuronSeek.",
        "Hybrid case 1 as in the paper; CPU time of one run at a time, compiled, so that no "
        "overhead of the framework hides the work.",
        flat_in_inputs,
        no_data,
        None,
        {"per_input": "seconds are divided by the number of inputs"},
    ),
    Claim(
        "neuronseek",
        "networks",
        "A network of NeuronSeek's neurons has a smaller test error than an MLP of its size",
        f"{PAPER}, benchmark on tables; settings from its {CODE}",
        "On California housing the repository's notebook prints the opposite: test MSE 0.28 for an "
        "MLP of 2,689 parameters, 0.89 and 3.90 for NS-Nets of 6,529 and 10,945.",
        "A simulated case in place of tables; hidden layers of 6 and 3 neurons with powers and "
        "products up to order 3, of rank 1; the MLP gets at least as many parameters. No early "
        "stopping. Normalised: over the batch after every hidden layer, not for every term.",
        networks,
        no_data,
        None,
        {"shuffle": "NS-Net trains on permuted targets"},
    ),
    Claim(
        "neuronseek",
        "powers_explode",
        "With heavy-tailed inputs NS-Net's test error exceeds that of an MLP of its size",
        f"{OURS}; the notebook in HanyuPei22/NeuronSeek shows it on California housing",
        "Test MSE on California housing: MLP 0.28 (2,689 parameters), NS-Net 3.90 (10,945) and, "
        "with shared factors of rank 8, 0.89 (6,529).",
        "A simulated table: Student's t inputs of 2 degrees of freedom, standardised, and a "
        "bounded target; networks as before.",
        powers_explode,
        no_data,
        None,
        {"light_tails": "Gaussian inputs, and a target of products"},
    ),
)
