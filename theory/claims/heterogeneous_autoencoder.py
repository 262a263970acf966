"""Claims of the heterogeneous autoencoder's paper (arXiv 2204.01707) on detecting anomalies.

Its separation theorem, and the toy at fixed width that goes with it, are the claims of the paper
`heterogeneous_theorem`. Statements as the paper has them end in `_as_stated`; ours stand beside
them.
"""

from collections.abc import Callable, Mapping
from typing import Any

from neurons.data import simulated_bearing_spectra
from theory.claims import heterogeneous_autoencoder_details as details
from theory.claims import heterogeneous_autoencoder_experiments as run
from theory.claims.claim import Claim, Finding, Lab, no_data
from theory.claims.heterogeneous_autoencoder_comparisons import negation
from theory.claims.heterogeneous_autoencoder_study import simulated_sets
from theory.claims.heterogeneous_autoencoder_tables import FIRST

PAPER = "J.-X. Liao et al., Quadratic neuron-empowered heterogeneous autoencoder, arXiv 2204.01707"
README = "README of its repository (table of eight ODDS sets)"
PROTOCOL = (
    "Splits, z-scores, Adam at 1e-3 with an L2 penalty of 1e-5, batches of 128, 100 epochs (30 at "
    "smoke), dropout, batch normalisation and alpha = .05 for every network and set, the last "
    "epoch; the README names rates, batches and alpha tuned for every set and network, without "
    "validation rows. Incomplete batches are left out. At most 2,000 rows or 128,000 numbers of a "
    "set are drawn anew for every seed at laptop, all at paper. Ten seeds (four at smoke)."
)
SIMULATIONS: Mapping[str, Callable[[], Any]] = {
    "anomalies": simulated_sets,
    "bearing_spectra": simulated_bearing_spectra,
}
_MEANS = {method: f"{FIRST[method].mean:.3f}" for method in FIRST}
FIRST_MEANS = (
    "Means of the printed cells: HAE-X {HAE-X}, HAE-Y {HAE-Y}, HAE-I {HAE-I}, AE {AE}, QAE {QAE}."
).format(**_MEANS)
FOURTEEN = "14 of the 15 sets of the supplement, KDDCUP99 not at hand"
heterogeneous = negation("heterogeneous", "HAE-X, HAE-Y and HAE-I")
homogeneous = negation("homogeneous", "the homogeneous networks and exchanged twins")


def _claim(
    name: str,
    statement: str,
    source: str,
    published: str,
    experiment: Callable[[Lab], Finding],
    faults: Mapping[str, str],
    differs: str = "",
    data: str = "anomalies",
) -> Claim:
    return Claim(
        "heterogeneous_autoencoder",
        name,
        statement,
        source,
        published,
        f"{differs} {PROTOCOL}".strip(),
        experiment,
        SIMULATIONS[data],
        data,
        faults,
    )


def _printed(
    name: str,
    statement: str,
    source: str,
    experiment: Callable[[Lab], Finding],
    faults: Mapping[str, str],
) -> Claim:
    return Claim(
        "heterogeneous_autoencoder",
        name,
        statement,
        source,
        "The tables' own cells and averages.",
        "Arithmetic on the printed cells; nothing is trained.",
        experiment,
        no_data,
        None,
        faults,
    )


OTHER_TABLE = {"other_table": "the other printed table is judged in its place"}

CLAIMS = (
    _claim(
        "beats_plain_on_eight_sets_as_stated",
        "On the eight ODDS sets of its first table, HAE-X, HAE-Y and HAE-I have a higher mean AUC "
        "than AE and than QAE",
        f"{PAPER}, {README}",
        FIRST_MEANS,
        run.beats_plain_here,
        {**heterogeneous, **homogeneous},
    ),
    _claim(
        "beats_plain_autoencoders_as_stated",
        "On sets like these eight, HAE-X, HAE-Y and HAE-I have a higher AUC than AE and than QAE",
        f"{PAPER}: the conclusion drawn from {README}",
        FIRST_MEANS,
        run.beats_plain,
        {**heterogeneous, **homogeneous},
    ),
    _claim(
        "largest_gains_as_stated",
        "On pima and on optdigits, where the paper gains most, HAE-X has a higher AUC than AE",
        f"{PAPER}, {README}",
        "pima .726 against .657, optdigits .680 against .652.",
        run.largest_gains,
        {**heterogeneous, **homogeneous},
    ),
    _claim(
        "twins_ordered_as_stated",
        "In one architecture, mixed neurons beat quadratic ones, and these beat conventional ones: "
        "HAE-X above QAE-X above AE-X in mean AUC",
        f"{PAPER}, supplement, tables IV and V",
        "Mean AUC of 15 sets: .765, .733, .718; precision .667, .630, .626.",
        run.twins_ordered,
        heterogeneous,
        f"{FOURTEEN}.",
    ),
    _claim(
        "beats_twins_as_stated",
        "HAE-X, HAE-Y and HAE-I have a higher mean AUC than all their homogeneous twins, HAE-Y and "
        "HAE-I than those with the neurons exchanged",
        f"{PAPER}, supplement, table IV",
        "Mean AUC of 15 sets: X .765 against .733 and .718; Y .754 against .738, .719 and .721; I "
        ".752 against .725.",
        run.twins_beaten,
        {**heterogeneous, **homogeneous},
        "The eight sets of the first table.",
    ),
    _claim(
        "forms_ordered_as_stated",
        "The standard quadratic neuron beats its linear and power parts alone, and these beat the "
        "product alone, in the mean AUC of HAE-X",
        f"{PAPER}, supplement, ablation of the quadratic form",
        "Mean AUC of seven sets, XJTU-SY among them: .698, .678, .669.",
        run.forms_ordered,
        {**heterogeneous, **negation("forms", "the shortened forms")},
        "Six of the seven sets.",
    ),
    _claim(
        "quadratic_degrades_with_depth",
        "QAE loses AUC with depth on optdigits, from V1 (d/2, d/4) to V4 (d/2, d/3, d/3, d/4, d/4)",
        f"{PAPER}, supplement, depth",
        "QAE .599 to .316, AE .652 to .572, HAE-X .680 to .647.",
        details.quadratic_degrades,
        {"depths_reversed": "V4 is taken for V1"},
    ),
    _claim(
        "mixing_survives_depth_as_stated",
        "At every depth up to V4, HAE-X, HAE-Y and HAE-I keep an AUC above .61 on optdigits",
        f"{PAPER}, supplement, depth; the bar is our reading of its numbers",
        "The lowest of twelve is HAE-I at V4: .613.",
        details.heterogeneous_survive,
        heterogeneous,
    ),
    _claim(
        "bearings_f1_as_stated",
        "On vibration spectra of failing bearings HAE-X, HAE-Y and HAE-I have a higher macro F1 "
        "than AE",
        f"{PAPER}, section on bearings",
        "F1 .803, .800 and .795 against .731.",
        details.bearing_f1,
        {**heterogeneous, **homogeneous},
        "Three run-to-failure bearings of PHM 2012 and the CWRU records in place of XJTU-SY, which "
        "we have not; 64 bands of a spectrum in place of 512 amplitudes.",
        "bearing_spectra",
    ),
    _claim(
        "small_ratio_is_stable_as_stated",
        "On optdigits and glass the AUC of HAE-X and HAE-Y changes less with alpha, the quadratic "
        "parameters' share of the learning rate, for alpha in [0, .4] than in [.4, .8]",
        f"{PAPER}, supplement, sweep of alpha; our reading of its 'unstable'",
        "A figure; no number.",
        details.small_ratio_is_stable,
        {"ranges_exchanged": "the two ranges of alpha change places"},
        "Steps of .1 in place of .05; half the seeds.",
    ),
    _claim(
        "beats_wide_autoencoder",
        "HAE-X has a higher mean AUC than a plain autoencoder with as many parameters and the same "
        "bottleneck",
        "ours: the paper's HAE-X has four times the parameters of its AE",
        "No number.",
        run.beats_wide,
        {**heterogeneous, **negation("wide", "the wide autoencoder")},
    ),
    _claim(
        "beats_baselines_as_stated",
        "HAE-X has a higher mean AUC than Isolation Forest, LOF, one-class SVM and PCA",
        f"{PAPER}: best of all detectors compared",
        f"{README}: mean of the printed cells {_MEANS['HAE-X']}, of one-class SVM "
        f"{_MEANS['OCSVM']}.",
        run.beats_baselines,
        {**heterogeneous, **negation("baselines", "the four baselines")},
        f"{FOURTEEN}; the paper's other baselines are not rebuilt. scikit-learn's defaults.",
    ),
    _claim(
        "beats_distance",
        "Training pays: HAE-X has a higher mean AUC than the distance of z-scored rows from their "
        "mean",
        "ours: with inputs that are z-scored and outputs within (0, 1), this distance is most of "
        "the score",
        "No number.",
        run.beats_distance,
        {**heterogeneous, **negation("baselines", "the distance")},
        f"{FOURTEEN}.",
    ),
    _claim(
        "correction_helps",
        "Without the sigmoid and the dropout that end the published network, HAE-X has a higher "
        "mean AUC",
        "ours: z-scored targets reach beyond the sigmoid's range",
        "No number.",
        run.correction_helps,
        {**heterogeneous, **negation("corrected", "the corrected network")},
    ),
    _claim(
        "best_epoch_changes_little",
        "Keeping the epoch with the lowest loss on the training rows instead of the last changes "
        "the mean AUC of HAE-X by less than .01",
        "ours; the released code means to keep the best and keeps the last",
        "No number.",
        run.best_epoch_matters_little,
        negation("best", "the best epoch"),
    ),
    _claim(
        "averaging_matters",
        "Macro averaging raises the F1 of one and the same detector by more than the paper's "
        "largest difference in F1 between detectors",
        "ours; the repository averages both ways in different files, and changed over time",
        "XJTU-SY: .803 for HAE-X, .731 for AE.",
        run.averaging_matters,
        {"one_averaging": "both readings are binary"},
        f"{FOURTEEN}.",
    ),
    _printed(
        "printed_averages_as_stated",
        "The averages printed in the table of eight sets are the means of its cells",
        f"{PAPER}, {README}",
        details.first_averages,
        OTHER_TABLE,
    ),
    _printed(
        "supplement_averages",
        "The averages printed in the supplement's table of 15 sets are the means of its cells",
        f"{PAPER}, supplement, table IV",
        details.fifteen_averages,
        OTHER_TABLE,
    ),
    _printed(
        "printed_order_survives",
        "By the means of the printed cells, HAE-X, HAE-Y and HAE-I are above all other methods of "
        "the table of eight sets",
        f"ours, from the cells of {README}",
        details.ranking_survives,
        {"cells_exchanged": "HAE-X and AE change places"},
    ),
)
