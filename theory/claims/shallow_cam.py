"""Claims on shallow class activation maps with truncated positive gradients.

Data: a `neurons.data.PretrainedTiles` (magnetic tiles with masks, ImageNet weights), or drawn tiles
(`neurons.data.SimulatedDefects`).
"""

from theory.claims import shallow_cam_experiments as experiments
from theory.claims.cam_contrasts import LEFT, STANDARD, claims_of

PAPER = "H.-C. Dong et al., Rethinking class activation maps, arXiv 2308.02118"
READING = f"our reading of {PAPER}, abstract: only that was at hand"
DIFFERS = (
    "Surface defects in place of photographs; one class of defect against none; a network whose "
    "first stages are MobileNetV2's, frozen, and whose last two are trained on image labels; "
    "truncation by the median of the positive gradients unless a share is named."
)
SHARES = f"{DIFFERS} Shares 0, 0.5, 0.7, 0.9, 0.99 of the positive gradients at the third layer."
_claim = claims_of("shallow_cam", READING, DIFFERS, experiments.FAULTS)

CLAIMS = (
    _claim(
        "randomisation",
        "Truncated maps of a shallow layer depend on the parameters: with random ones the rank "
        "correlation falls below 0.5",
        experiments.randomisation,
        STANDARD,
    ),
    _claim(
        "randomisation_backprop",
        "So do maps for which every ReLU behind the layer truncates: the rank correlation falls "
        "below 0.5",
        experiments.randomisation_backprop,
        STANDARD,
    ),
    _claim(
        "fine_detail",
        "Maps of the second layer follow the boundaries of defects better than those of the last",
        experiments.fine_detail,
    ),
    _claim(
        "shallow_gain_as_stated",
        "Truncating the positive gradient raises the IoU of maps of the second and third layer",
        experiments.shallow_gain_as_stated,
    ),
    _claim(
        "shallow_gain",
        "Truncating the positive gradient changes the IoU of maps of the second and third layer by "
        "less than 2 points",
        experiments.shallow_gain,
        LEFT,
    ),
    _claim(
        "depth",
        "The gain is larger at the second layer than at the fourth",
        experiments.depth,
    ),
    _claim(
        "noise_removed",
        "Truncating nine tenths of the positive gradients brings more of the relevance into the "
        "defect",
        experiments.noise_removed,
    ),
    _claim(
        "optimum_as_stated",
        "There is a best share strictly between none and nearly all",
        experiments.optimum_as_stated,
        READING,
        SHARES,
    ),
    _claim(
        "optimum",
        "The more is truncated, up to 99 %, the more of the relevance lies in the defect",
        experiments.optimum,
        LEFT,
        SHARES,
    ),
    _claim(
        "plug_in_as_stated",
        "Truncation raises the IoU of LayerCAM, Grad-CAM and Grad-CAM++ alike",
        experiments.plug_in_as_stated,
    ),
    _claim(
        "plug_in",
        "Truncation lowers the IoU of Grad-CAM, into whose weights negative gradients enter",
        experiments.plug_in,
        LEFT,
    ),
    _claim(
        "fused_iou",
        "Truncated maps of four layers, fused, have a higher IoU than the map of the last layer",
        experiments.fused_iou,
    ),
    _claim(
        "fused_boundary",
        "Truncated maps of four layers, fused, follow the defect's boundary better than the map of "
        "the last layer",
        experiments.fused_boundary,
    ),
    _claim(
        "discriminative",
        "The truncated map of the class that is there has more of its relevance in the defect than "
        "the map of the class that is not",
        experiments.discriminative,
    ),
)
