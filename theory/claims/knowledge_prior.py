"""Claims on training with a network's own saliency maps as prior knowledge.

Data: a `neurons.data.Surfaces` (magnetic tiles, solar cells, drawn tiles), real or drawn.
"""

from neurons.data import simulated_surfaces
from theory.claims import knowledge_prior_experiments as experiments
from theory.claims.cam_contrasts import LEFT, claims_of
from theory.claims.knowledge_prior_study import pieces as pieces

PAPER = (
    "H.-C. Dong, G. Liu, D. Ye, B. Liu, Network Knowledge Prior Guided Learning for Data-Efficient "
    "Surface Defect Detection, arXiv 2605.17780"
)
READING = f"our reading of {PAPER}, abstract: only that was at hand"
OURS = "ours: the control that decides how the gain may be read"
SAME = (
    "Magnetic tiles, ELPV solar cells and drawn tiles in place of the paper's sets; on real ones "
    "MobileNetV2's first stages, frozen, and two trained stages, on drawn ones a small network "
    "from scratch. Grad-CAM of the labelled class after the last stage, of defective pictures "
    "alone, warm-up over a tenth of the steps, mean squares (weight 0.5) or the Kullback-Leibler "
    "divergence (weight 2), chosen on held-out pictures: our construction."
)
TENTH = f"{SAME} At a tenth of the data; every control chooses from two terms, too."


_claim = claims_of(
    "knowledge_prior", READING, SAME, experiments.FAULTS, simulated_surfaces, "surfaces"
)

CLAIMS = (
    _claim(
        "accuracy",
        "A network that learns with the saliency maps of a first one has a higher accuracy than "
        "the first, on each of three sets",
        experiments.accuracy,
    ),
    _claim(
        "precision",
        "It has a higher average precision of defects than the first, on each of three sets",
        experiments.precision,
    ),
    _claim(
        "data_efficiency",
        "What it gains in average precision is more at 10 % of the training data than at all of "
        "it, on each of three sets",
        experiments.data_efficiency,
    ),
    _claim(
        "few_data",
        "At a tenth of the training data it gains average precision, on average over three sets",
        experiments.few_data,
        LEFT,
    ),
    _claim(
        "same_network",
        "The network in use has the parameters and the multiplications of the first one",
        experiments.same_network,
    ),
    _claim(
        "same_time",
        "It takes the time of the first one, within a tenth",
        experiments.same_time,
        f"{READING}; the margin is ours",
    ),
    _claim(
        "concentrated",
        "Its saliency maps of magnetic tiles are more concentrated: less spatial entropy, a higher "
        "Gini index",
        experiments.concentrated,
    ),
    _claim(
        "spread",
        "Its saliency maps of magnetic tiles are spread wider: more spatial entropy, a lower Gini "
        "index",
        experiments.spread,
        LEFT,
    ),
    _claim(
        "in_the_defect",
        "They are where people see the defect: more relevance within the mask, more highest points "
        "within it",
        experiments.in_the_defect,
    ),
    _claim(
        "smaller_gap",
        "The prior regularises: the accuracy falls less from training to test pictures, on each of "
        "three sets",
        experiments.smaller_gap,
    ),
    _claim(
        "calibration",
        "Its calibration error is at most a point above that of the first network, on each of "
        "three sets",
        experiments.calibration,
        f"{READING}; the margin is ours",
    ),
    _claim(
        "beats_longer_training",
        "It has a higher average precision than the same network without a prior, trained as long "
        "or twice as long, on each of three sets",
        experiments.beats_longer_training,
        OURS,
        TENTH,
    ),
    _claim(
        "beats_wrong_maps",
        "The maps matter: it has a higher average precision than with another picture's map and "
        "with a blob in the centre, on each of three sets",
        experiments.beats_wrong_maps,
        OURS,
        TENTH,
    ),
    _claim(
        "beats_distillation",
        "It has a higher average precision than the same network taught by the first one's logits "
        "and by its attention, on each of three sets",
        experiments.beats_distillation,
        OURS,
        TENTH,
    ),
    _claim(
        "beats_ensemble",
        "It has a higher average precision than two networks side by side, which cost twice, on "
        "each of three sets",
        experiments.beats_ensemble,
        OURS,
        TENTH,
    ),
    _claim(
        "masks_are_better",
        "Masks of the defects in place of maps raise the average precision further: they bound the "
        "method from above",
        experiments.masks_are_better,
        OURS,
        TENTH,
    ),
)
