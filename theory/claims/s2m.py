"""Claims on S2M: text that masks give for nothing, and what it does for change detection.

Data: a `neurons.data.ChangeSet`, of which the drawn pairs are learned from and asked about; the
real pairs that are at hand are too few to learn from.
"""

from neurons.data import simulated_change_set
from theory.claims import s2m_experiments as experiments
from theory.claims.cam_contrasts import claims_of
from theory.claims.s2m_study import pieces as pieces

PAPER = (
    "K. Zheng, H.-C. Dong, J. Pan et al., Masks Can Talk: Extracting Structured Text Information "
    "from Single-Modal Images for Remote Sensing Change Detection (S2M), arXiv 2605.07178"
)
READING = f"our reading of {PAPER}, abstract: only that was at hand"
PUBLISHED = "SeK 17.80 % and F_scd 66.14 % on Gaza-Change-v2, which is not reachable."
SETTING = (
    "Drawn pairs, cut into tiles of 32 pixels, in place of Gaza-Change-v2; six classes, maps of "
    "both dates. A small vision transformer from scratch in place of a pretrained one; the first "
    "stage is segmentation of the same tiles, three times as long as the second. Sentences are "
    "sums of learned vectors of the quadruple's slots; the decoder reads the bank of the whole "
    "vocabulary; the contrastive loss has weight 0.3: our construction. All arms of the second "
    "stage have one start, one order of examples and as many steps. Step counts, sizes and the "
    "rate were settled after test numbers of S2M and its twin had been seen for three runs of one "
    "seed on other divisions."
)
EMULATED = (
    f"{SETTING} Captions of language models are emulated: a share of the quadruples is replaced by "
    "others of the vocabulary; coarse captions name the two classes alone."
)

_claim = claims_of("s2m", READING, SETTING, experiments.FAULTS, simulated_change_set, "scenes")

CLAIMS = (
    _claim(
        "beats_vision_twin",
        "With text from the masks, change detection has a higher SeK and F_scd than the same "
        "network without any text, at equal steps",
        experiments.beats_vision_twin,
        published=PUBLISHED,
    ),
    _claim(
        "clean_beats_noisy",
        "Text that is true and complete gives a higher SeK than text that is wrong in 25 %, 50 % "
        "or all of its captions, or coarse",
        experiments.clean_beats_noisy,
        differs=EMULATED,
    ),
    _claim(
        "noise_lowers_sek",
        "SeK falls with every step from no wrong captions to 25 %, 50 % and all",
        experiments.noise_lowers_sek,
        "ours: what the statement on noisy descriptions lets expect",
        EMULATED,
    ),
    _claim(
        "each_slot_matters",
        "Leaving out where, what, how or how many lowers SeK, whichever it is",
        experiments.each_slot_matters,
        differs=f"{SETTING} How follows from what in our table of verbs.",
    ),
    _claim(
        "two_stages_win",
        "Segmentation first, text second gives a higher SeK than both from the start, at equal "
        "total steps",
        experiments.two_stages_win,
    ),
    _claim(
        "both_directions_win",
        "The contrastive loss in both directions gives a higher SeK than in either one, and either "
        "one a higher one than none",
        experiments.both_directions_win,
    ),
    _claim(
        "retrieval_rises",
        "After the second stage sentences find a region that they are true of more often than "
        "before it",
        experiments.retrieval_rises,
        f"{READING}; recall as a measure of alignment is ours",
    ),
    _claim(
        "text_is_free",
        "Sentences come from the masks alone, without further annotation, and say what the masks "
        "say: every one can be read back",
        experiments.text_is_free,
        differs="Drawn pairs of 64 pixels; templates, grid and verbs are ours.",
    ),
    _claim(
        "no_label_when_answering",
        "What the network answers does not depend on the labels of the pictures it is asked about",
        experiments.no_label_when_answering,
        "ours: what the use of the method presupposes",
    ),
)
