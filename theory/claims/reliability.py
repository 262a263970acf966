"""Claims on the reliability guide: maps that say when "no defect" is not to be trusted.

Data: `neurons.data.Surfaces` (magnetic tiles, solar cells, drawn tiles).
"""

from neurons.data import simulated_surfaces
from theory.claims import reliability_costs as costs
from theory.claims import reliability_experiments as ranking
from theory.claims.cam_contrasts import claims_of
from theory.claims.reliability_contrasts import FAULTS
from theory.claims.reliability_study import pieces as pieces

PAPER = "H.-C. Dong et al., When Can We Trust Deep Neural Networks?, arXiv 2604.19206"
READING = f"our reading of {PAPER}, abstract: only that was at hand"
OURS = f"ours; not in {PAPER}, as far as its abstract tells"
FULL = (
    "100 % recall of false negatives with adversarial enhancement, on two industrial benchmarks, "
    "at a cost in true negatives that the abstract does not give."
)
DIFFERS = (
    "Magnetic tiles, solar cells (ELPV) and drawn tiles in place of the paper's two benchmarks; "
    "networks whose first stages are MobileNetV2's, frozen, and on drawn tiles small ones from "
    "scratch. Grad-CAM of both classes against EigenCAM, pixels above half of the maximum, "
    "the difference of overlaps; one FGSM step towards the defect by the radius (a quarter to 8 "
    "of 255) that is best on validation pictures: our construction."
)
DETECTORS = f"{DIFFERS} An ensemble of 3 networks; dropout of channels before the head."

_claim = claims_of("reliability", READING, DIFFERS, FAULTS, simulated_surfaces, "surfaces")

CLAIMS = (
    _claim(
        "above_chance",
        "Among pictures called normal the difference of overlaps ranks missed defects above true "
        "negatives more often than chance, on every set",
        ranking.above_chance,
    ),
    _claim(
        "above_chance_enhanced",
        "So does the difference after one step towards the defect",
        ranking.above_chance_enhanced,
    ),
    _claim(
        "beats_confidence",
        "The variant of the guide that is best on validation pictures ranks missed defects better "
        "than softmax confidence does, on every set",
        ranking.beats_confidence,
        differs=DETECTORS,
    ),
    _claim(
        "full_recall_as_stated",
        "With enhancement all missed defects are flagged, at a limit that flags a fifth of the "
        "true negatives of validation pictures",
        costs.full_recall_as_stated,
        f"{READING}; the price is ours",
        published=FULL,
    ),
    _claim(
        "full_recall_price",
        "All missed defects are flagged by the enhanced guide at a lower price in true negatives "
        "than by lowering the decision threshold, on every set",
        costs.full_recall_price,
        OURS,
        published=FULL,
    ),
    _claim(
        "enhancement_recall",
        "At a fixed limit the enhancement raises the recall of missed defects, on every set",
        costs.enhancement_recall,
    ),
    _claim(
        "enhancement_cost",
        "At a fixed limit the enhancement flags more true negatives, on every set",
        costs.enhancement_cost,
    ),
    _claim(
        "gap_grows",
        "The gap between the mean scores of missed defects and of true negatives is wider after "
        "the enhancement than before, on every set",
        ranking.gap_grows,
    ),
    _claim(
        "gap_turns",
        "Up to a point: at a radius of 8/255 the gap is narrower again, on every set",
        ranking.gap_turns,
    ),
    _claim(
        "no_retuning",
        "Threshold and radius that were chosen on magnetic tiles rank missed defects above chance "
        "on solar cells and drawn tiles",
        ranking.no_retuning,
    ),
    _claim(
        "beats_threshold",
        "At an equal price in true negatives the enhanced guide recalls more missed defects than "
        "lowering the decision threshold, on every set",
        costs.beats_threshold,
        f"{OURS}: the comparison that decides whether the guide adds anything",
        DETECTORS,
    ),
    _claim(
        "chosen_beats_threshold",
        "At an equal price the variant of the guide that is best on validation pictures recalls "
        "more missed defects than lowering the decision threshold, on every set",
        costs.chosen_beats_threshold,
        f"{OURS}: the same comparison, with every option of the guide open",
        DETECTORS,
    ),
    _claim(
        "beats_detectors",
        "The enhanced guide recalls more than each detector of misclassified pictures that was "
        "there before: confidence, entropy, temperature, energy, dropout, ensemble, Mahalanobis, "
        "trust score",
        costs.beats_detectors,
        f'our reading of "the first method to proactively identify errors" in {PAPER}, abstract',
        DETECTORS,
    ),
    _claim(
        "adds_to_threshold",
        "Guide and decision threshold together rank missed defects better than the threshold "
        "alone, on every set",
        ranking.adds_to_threshold,
        OURS,
    ),
)
