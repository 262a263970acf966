"""Claims on region-aware class activation maps and segmentation without masks.

Data: a `neurons.data.PretrainedTiles` (magnetic tiles with masks, ImageNet weights), or drawn tiles
(`neurons.data.SimulatedDefects`).
"""

from theory.claims import region_aware_cam_experiments as experiments
from theory.claims.cam_contrasts import LEFT, STANDARD, claims_of

PAPER = "H.-C. Dong et al., Region-Aware CAM, arXiv 2506.22866"
READING = f"our reading of {PAPER}, abstract: only that was at hand"
MAPS = (
    "Magnetic tiles in place of the paper's industrial sets; a network whose first stages are "
    "MobileNetV2's, frozen, and whose last two are trained on image labels. Filter at the median "
    "of the positive gradients, weights by channel, the three deepest layers fused by maximum: "
    "our construction."
)
ROUNDS = (
    f"{MAPS} A decoder on frozen activations in place of a whole U-Net; 3 rounds of one "
    "network, seeds at the threshold that is best on held-out tiles and background below 0.4 of it."
)


_claim = claims_of("region_aware_cam", READING, MAPS, experiments.FAULTS)

CLAIMS = (
    _claim(
        "randomisation",
        "Region-aware maps depend on the parameters: with random ones the rank correlation falls "
        "below 0.5",
        experiments.randomisation,
        STANDARD,
    ),
    _claim(
        "randomisation_fgbp",
        "So do the filtered gradients at the input: the rank correlation falls below 0.5",
        experiments.randomisation_fgbp,
        STANDARD,
    ),
    _claim(
        "beats_standard",
        "Seeds of region-aware CAM have a higher IoU than those of Grad-CAM, Grad-CAM++, LayerCAM, "
        "XGrad-CAM, Score-CAM and EigenCAM",
        experiments.beats_standard,
    ),
    _claim(
        "beats_noise",
        "They have a higher IoU than a blob in the centre, the tile's darkness, its local contrast "
        "and smooth noise",
        experiments.beats_noise,
        STANDARD,
    ),
    _claim(
        "filter_helps",
        "Filtering gradient magnitudes brings more of the relevance into the defect than guided "
        "backpropagation does",
        experiments.filter_helps,
    ),
    _claim(
        "optimum_as_stated",
        "There is a best share to filter out, strictly between none and nearly all",
        experiments.optimum_as_stated,
        READING,
        f"{MAPS} Shares 0, 0.5 and 0.9.",
    ),
    _claim(
        "optimum",
        "Of the shares 0, 0.5 and 0.9 the largest brings most of the relevance into the defect",
        experiments.optimum,
        LEFT,
        f"{MAPS} Shares 0, 0.5 and 0.9.",
    ),
    _claim(
        "filter_in_module",
        "The filter raises the IoU of the region-aware module",
        experiments.filter_in_module,
    ),
    _claim(
        "parts",
        "Filtered backpropagation alone, the module alone, both, and both with pseudo labels: each "
        "addition raises the IoU",
        experiments.parts,
        READING,
        ROUNDS,
    ),
    _claim(
        "rounds_rise",
        "Every round of training on pseudo labels raises the IoU",
        experiments.rounds_rise,
        READING,
        ROUNDS,
    ),
    _claim(
        "rounds_exceed_seeds",
        "After the last round the IoU exceeds that of the seeds",
        experiments.rounds_exceed_seeds,
        READING,
        ROUNDS,
    ),
    _claim(
        "near_supervision",
        "After the last round the IoU is less than 5 points below that of the same decoder "
        "trained on masks",
        experiments.near_supervision,
        f"{READING}; the margin is ours",
        ROUNDS,
    ),
)
