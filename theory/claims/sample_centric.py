"""Claims on sample-centric multi-task learning: one network that decides and marks.

Data: a `neurons.data.Surfaces`, of which the magnetic tiles and the drawn tiles have masks; solar
cells have none and take no part.
"""

from neurons.data import simulated_surfaces
from theory.claims import sample_centric_experiments as experiments
from theory.claims import sample_centric_gradients as gradients
from theory.claims.cam_contrasts import claims_of
from theory.claims.sample_centric_scores import pieces as pieces

PAPER = (
    "H.-C. Dong, Y. Jiao, F. Wei et al., Sample-Centric Multi-Task Learning for Detection and "
    "Segmentation of Industrial Surface Defects, arXiv 2510.13226"
)
READING = f"our reading of {PAPER}, abstract: only that was at hand"
SETTING = (
    "Magnetic tiles and drawn tiles in place of the paper's two sets: ELPV has no masks. Three "
    "trained stages on MobileNetV2's frozen ones (drawn tiles: from scratch) and a small decoder, "
    "cross-entropy and Dice, the classification's weight 0.5, decision rules of our own: our "
    "construction. Both arms have one start, one order of examples and as many steps; thresholds "
    "and rules are chosen on validation pictures alike. Steps, batch and rate were settled for "
    "both after test numbers of two seeds had been seen."
)
METRICS = f"{SETTING} The metrics' formulas are ours."
REVERSAL = (
    f"{METRICS} The systems that call a sample defective from any pixel were added after test "
    "numbers had been seen: exploratory."
)


_claim = claims_of(
    "sample_centric", READING, SETTING, experiments.FAULTS, simulated_surfaces, "surfaces"
)

CLAIMS = (
    _claim(
        "fewer_misses",
        "At 5 % false alarms a network that also learns to classify samples misses fewer defective "
        "ones than the same network that learns to segment alone",
        experiments.fewer_misses,
    ),
    _claim(
        "better_f1",
        "Its decisions about samples have a higher F1",
        experiments.better_f1,
    ),
    _claim(
        "sample_metrics_rise",
        "Seg_mIoU and Seg_Recall rise",
        experiments.sample_metrics_rise,
        differs=METRICS,
    ),
    _claim(
        "classical_miou_stays",
        "Classical mIoU changes by less than 2 points",
        experiments.classical_miou_stays,
        f"{READING}; the margin is ours",
    ),
    _claim(
        "small_gain_most",
        "More defects are located in the smallest quarter, by more than in the other three",
        experiments.small_gain_most,
        differs=METRICS,
    ),
    _claim(
        "low_contrast_gain_most",
        "More defects are located in the quarter of lowest contrast, by more than in the other "
        "three",
        experiments.low_contrast_gain_most,
        differs=f"{METRICS} Contrast: mean grey level of the defect against a ring of 5 pixels.",
    ),
    _claim(
        "tiny_share_rises",
        "Defects of less than 0.1 % of the picture contribute a larger share of the shared "
        "encoder's gradient than when the network learns to segment alone",
        gradients.tiny_share_rises,
    ),
    _claim(
        "tasks_agree",
        "In most batches the gradients of segmentation and classification in the shared encoder "
        "do not oppose each other",
        gradients.tasks_agree,
        "ours: what the statement on gradients presupposes",
    ),
    _claim(
        "boundaries_stay",
        "The masks' boundaries are not worse than those of the network that segments alone, by "
        "more than 2 points of boundary F",
        experiments.boundaries_stay,
        f"{READING}; the margin is ours",
    ),
    _claim(
        "ranking_reversal",
        "There are two systems of which classical mIoU prefers one and Seg_Recall the other",
        experiments.ranking_reversal,
        differs=REVERSAL,
    ),
)
