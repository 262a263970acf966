"""Claims of the Qttention paper (arXiv 2206.00390), and some of ours about its protocol.

All take `neurons.data.Records`; "cwru" is the Case Western Reserve set at 0 hp.
"""

from neurons.data.simulator import simulated_cwru, simulated_hit
from theory.claims.claim import Claim
from theory.claims.qttention_experiments import (
    beats_level,
    factorisation,
    gap_closes,
    growing_helps,
    leak_flatters,
    loop_fault_harmless,
    maps_show_impacts,
    noise_robust,
    not_the_parameters,
    scale_zero,
    second_rig,
)

PAPER = "J.-X. Liao et al., Attention-embedded Quadratic Network (Qttention), arXiv 2206.00390"
OURS = "ours; the paper does not ask"
F1_TABLE = "Macro-F1 in %, TIM version, mean of 5 runs, settings tuned per data set and noise level"
PROTOCOL = (
    "Settings from six-point grids of equal size for every model, chosen on leak-free validation "
    "windows; then trained on the paper's windows with working momentum, annealing and loss; "
    "effort and windows as the budget says. Settings tuned at -6 dB serve every noise level."
)
RATES = (
    "The normal bearing's record was sampled at 48 kHz and the faults' at 12 kHz (by the shaft's "
    "harmonics); as in the paper's code, windows are taken without resampling."
)
SHUFFLES = {
    "shuffle_quadratic": "quadratic networks train on permuted labels",
    "shuffle_conventional": "conventional networks train on permuted labels",
}


CLAIMS = (
    Claim(
        "qttention",
        "noise_robust",
        "At -6 dB on CWRU 0 hp, QCNN's macro-F1 exceeds WDCNN's (printed: by 10.1 points)",
        f"{PAPER}, results on CWRU",
        f"98.95 against 88.83. {F1_TABLE}. The earlier version prints 97.71 and 92.68.",
        f"{PROTOCOL} {RATES}",
        noise_robust,
        simulated_cwru,
        "cwru",
        SHUFFLES,
    ),
    Claim(
        "qttention",
        "gap_closes",
        "At 6 dB on CWRU 0 hp, QCNN and WDCNN are within a point of each other",
        f"{PAPER}, results on CWRU",
        f"99.99 against 99.91. {F1_TABLE}.",
        PROTOCOL,
        gap_closes,
        simulated_cwru,
        "cwru",
        SHUFFLES,
    ),
    Claim(
        "qttention",
        "second_rig",
        "At -6 dB on the HIT rig, QCNN's macro-F1 exceeds WDCNN's (printed: by 16.8 points)",
        f"{PAPER}, results on HIT",
        f"78.40 against 61.58. {F1_TABLE}.",
        f"HIT is private: simulated records of a bearing of that type. {PROTOCOL}",
        second_rig,
        simulated_hit,
        None,
        SHUFFLES,
    ),
    Claim(
        "qttention",
        "not_the_parameters",
        "QCNN's advantage at -6 dB is not that of its 2.4 times more parameters",
        f"{OURS}: its comparison has no model of equal size",
        "No number.",
        PROTOCOL,
        not_the_parameters,
        simulated_cwru,
        "cwru",
        SHUFFLES,
    ),
    Claim(
        "qttention",
        "factorisation",
        "A quadratic neuron is an inner product of its input with an attention, a bias, a constant",
        f"{PAPER}, derivation of qttention",
        "Exact algebra.",
        "Random dense, 1-d and 2-d convolution layers.",
        factorisation,
        simulated_cwru,
        None,
        {"drop_bias": "the input-independent bias is left out"},
    ),
    Claim(
        "qttention",
        "maps_show_impacts",
        "Qttention maps show a fault's impacts better than the noisy signal does",
        f"{PAPER}, envelope spectra of maps",
        "Shown on examples; no number.",
        "Share of energy at the fault frequency and two harmonics, averaged over test windows of "
        "all nine faults at -6 dB; the map's own spectrum against the signal's envelope spectrum.",
        maps_show_impacts,
        simulated_cwru,
        "cwru",
        {
            "wrong_frequency": "the map is scored at 1.37 times the fault frequency",
            "impulse_map": "an ideal impulse train takes the map's place",
        },
    ),
    Claim(
        "qttention",
        "scale_zero",
        "With the quadratic part's learning rate at 0, QCNN trains exactly like WDCNN",
        "F.-L. Fan et al., arXiv 2110.06081 (ReLinear), used by the Qttention paper",
        "Exact statement.",
        "Losses and weights after two epochs from one start.",
        scale_zero,
        simulated_cwru,
        "cwru",
        {"scale_tenth": "the scale is 0.1"},
    ),
    Claim(
        "qttention",
        "growing_helps",
        "A slowly growing quadratic part (scale about 0.005 to 0.1) beats none at the same rate",
        f"{PAPER}, tuned scales",
        "Tuned scales of 0.005 to 0.1; no curve.",
        PROTOCOL,
        growing_helps,
        simulated_cwru,
        "cwru",
        SHUFFLES,
    ),
    Claim(
        "qttention",
        "loop_fault_harmless",
        "The faults of the authors' training loop change the gap by at most two points",
        f"{OURS}: in its code the optimizer is made anew for every batch, so that momentum and "
        "annealing never act, and the loss takes a softmax twice",
        "No number.",
        PROTOCOL,
        loop_fault_harmless,
        simulated_cwru,
        "cwru",
        {**SHUFFLES, "sound_loop": "the authors' loop is replaced by the sound one"},
    ),
    Claim(
        "qttention",
        "leak_flatters",
        "Validation windows that overlap training windows flatter by more than a point",
        f"{OURS}: in its code validation windows are drawn from the training stretch",
        "No number.",
        PROTOCOL,
        leak_flatters,
        simulated_cwru,
        "cwru",
        {"no_leak": "both validation parts are separate in time"},
    ),
    Claim(
        "qttention",
        "beats_level",
        "At -6 dB QCNN knows more than the level of a window: it beats a classifier of levels",
        OURS,
        "No number; QCNN 98.95 and WDCNN 88.83 under this protocol.",
        PROTOCOL,
        beats_level,
        simulated_cwru,
        "cwru",
        {
            **SHUFFLES,
            "standardise": "levels are removed from the windows that the level classifier sees",
        },
    ),
)
