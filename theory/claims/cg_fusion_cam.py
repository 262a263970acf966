"""Claims on CG-fusion class activation maps: continuous gradients, and layers fused.

Data: a `neurons.data.PretrainedTiles` (magnetic tiles with masks, ImageNet weights), or drawn tiles
(`neurons.data.SimulatedDefects`).
"""

from theory.claims import cg_fusion_cam_experiments as experiments
from theory.claims.cam_contrasts import LEFT, STANDARD, UNREAD, claims_of

PAPER = (
    "H.-C. Dong et al., CG-fusion CAM: online segmentation of laser-induced damage on "
    "large-aperture optics, arXiv 2307.09161 (High Power Laser Sci. Eng. 12, e4, 2024)"
)
READING = f"our reading of {PAPER}, abstract: only that was at hand"
DIFFERS = (
    "Surface defects of magnetic tiles in place of laser damage; a network whose first stages are "
    "MobileNetV2's, frozen, and whose last two are trained on image labels, one max pooling "
    "between them; equal shares of the gradient in a pooling's window, ReLUs as they are; maximum "
    "over four layers, tanh of the shallow ones and of the fused map."
)
_claim = claims_of("cg_fusion_cam", READING, DIFFERS, experiments.FAULTS)

CLAIMS = (
    _claim(
        "randomisation",
        "CG-fusion maps depend on the parameters: with random ones the rank correlation falls "
        "below 0.5",
        experiments.randomisation,
        STANDARD,
    ),
    _claim(
        "beats_layer_cam",
        "CG-fusion CAM has a higher IoU than LayerCAM fused over the same layers",
        experiments.beats_layer_cam,
    ),
    _claim(
        "scatter",
        "CG-fusion CAM marks fewer connected components per true region than LayerCAM",
        experiments.scatter,
    ),
    _claim(
        "holes",
        "The shapes that CG-fusion CAM marks have fewer holes than LayerCAM's",
        experiments.holes,
    ),
    _claim(
        "under_activation",
        "At LayerCAM's own precision CG-fusion CAM recalls more pixels of the defects",
        experiments.under_activation,
    ),
    _claim(
        "sizes",
        "CG-fusion CAM gains IoU for the smallest third of the defects and for the largest",
        experiments.sizes,
    ),
    _claim(
        "spread_as_stated",
        "The IoU of CG-fusion CAM differs less between small and large defects than LayerCAM's",
        experiments.spread_as_stated,
    ),
    _claim(
        "large_gain",
        "CG-fusion CAM gains IoU for the largest third of the defects",
        experiments.large_gain,
        LEFT,
    ),
    _claim(
        "gradient_alone",
        "The continuous gradient alone raises the IoU of LayerCAM of one layer",
        experiments.gradient_alone,
    ),
    _claim(
        "fusion_alone",
        "Fusing four layers alone raises the IoU of LayerCAM of one layer",
        experiments.fusion_alone,
    ),
    _claim(
        "activation_as_stated",
        "At the fixed threshold 0.5 the non-linear activation of the fused map raises its IoU",
        experiments.activation_as_stated,
    ),
    _claim(
        "activation_is_a_threshold",
        "The non-linear activation of the fused map hardly changes the order of its pixels: the "
        "average precision stays within half a point",
        experiments.activation_is_a_threshold,
        LEFT,
    ),
    _claim(
        "near_supervision",
        "CG-fusion CAM is comparable to full supervision: less than 10 points of IoU below a "
        "decoder trained on masks",
        experiments.near_supervision,
        f"{READING}; the margin is ours",
        DIFFERS,
        f"{UNREAD} The abstract: comparable to full supervision.",
    ),
    _claim(
        "half_of_supervision",
        "CG-fusion CAM reaches half of the IoU of a decoder trained on masks",
        experiments.half_of_supervision,
        LEFT,
    ),
    _claim(
        "cost",
        "CG-fusion CAM of four layers takes less than twice the arithmetic of Grad-CAM of the last",
        experiments.cost,
        f"{READING}: suited to online use; the margin is ours",
    ),
)
