"""Claims on SAL-CNN: remaining life of bearings from spectrograms, attention and memory.

Data: a `neurons.data.phm2012.Lives`, the 17 bearings of the PHM 2012 challenge.
"""

from neurons.data.simulated_lives import simulated_lives
from theory.claims import sal_cnn_bands as bands
from theory.claims import sal_cnn_experiments as experiments
from theory.claims import sal_cnn_study as study
from theory.claims.cam_contrasts import claims_of
from theory.claims.claim import Lab
from theory.claims.side_by_side import Pieces, by_seed

PAPER = (
    "B. Liu, Z. Gao, B. Lu et al., SAL-CNN: Estimate the Remaining Useful Life of Bearings Using "
    "Time-frequency Information, arXiv 2204.05045 (Sensors 22(19), 7402, 2022)"
)
READING = f"our reading of {PAPER}, abstract: only that was at hand"
SUMMARY = f"a third party's summary of {PAPER}, not compared with the paper"
OURS = "ours: what a user asks of any predictor"
SETTING = (
    "Each bearing is left out in turn and predicted from the others of its condition; whether the "
    "paper did so is not known. The file has every tenth record and the last: records lie 100 s "
    "apart, and the memory looks back on 8 of them, 800 s. Sizes are ours, and small: spectrograms "
    "(Hann 256, hop 128, logarithm) resized to 32 frequencies and 4 frames, standardised by the "
    "training bearings; four blocks of 8 to 64 channels, CBAM before each pooling (running "
    "statistics with decay 0.9, not 0.99: trainings are short), an LSTM of 32; label: share of "
    "life left, straight from 100 to 0 %. All networks take the same stretches of records, as many "
    "steps at one rate; sizes and steps were settled by the time they take, after "
    "test errors of one seed had been seen."
)
MULTI = (
    f"{SETTING} The compared method is our reading of a multi-scale CNN (Zhu, Chen, Peng 2019): "
    "the last two blocks side by side, on one record."
)
POINTS = "2.8, unit not stated; read as points, % of life"

_claim = claims_of(
    "sal_cnn",
    READING,
    SETTING,
    {**experiments.FAULTS, **bands.FAULTS},
    simulated_lives,
    "phm2012",
)

CLAIMS = (
    _claim(
        "better_on_eleven",
        "Its mean absolute error is lower than a multi-scale CNN's on at least 11 of the 17 "
        "bearings",
        experiments.better_on_eleven,
        SUMMARY,
        MULTI,
        "11 of 17",
    ),
    _claim(
        "improves_by_2_8",
        "Its mean absolute error over all bearings is lower than a multi-scale CNN's by 2.8 points "
        "or more",
        experiments.improves_by_2_8,
        SUMMARY,
        MULTI,
        POINTS,
    ),
    _claim(
        "lstm_helps",
        "Without the LSTM the mean error is higher",
        experiments.lstm_helps,
        differs=f"{SETTING} Without it the last record alone decides.",
    ),
    _claim(
        "attention_helps",
        "Without CBAM the mean error is higher",
        experiments.attention_helps,
    ),
    _claim(
        "spectrogram_helps",
        "On the raw signal in place of the spectrogram the mean error is higher",
        experiments.spectrogram_helps,
        differs=f"{SETTING} On the raw signal a learned bank of filters, 128 samples wide and "
        "every 64, replaces the spectrogram, and convolutions run along time.",
    ),
    _claim(
        "low_band_matters_more",
        "Hiding the frequencies below 3.2 kHz raises the error more than hiding those above "
        "9.6 kHz, a band of equal width",
        bands.low_band_matters_more,
        SUMMARY,
        f"{SETTING} The paper looks at attributions; here they stand beside, as attribution alone "
        "is no evidence.",
        "Low-frequency content is more important; no number reachable.",
    ),
    _claim(
        "better_than_cnn_only",
        "Its mean error is lower than that of the CNN with neither LSTM nor CBAM",
        experiments.better_than_cnn_only,
    ),
    _claim(
        "better_than_constant",
        "Its mean error is lower than that of saying 50 % at every record, which is 25 points",
        experiments.better_than_constant,
        OURS,
    ),
    _claim(
        "better_than_rms",
        "Its mean error is lower than that of a straight line on the logarithm of the root mean "
        "square",
        experiments.better_than_rms,
        OURS,
    ),
    _claim(
        "better_than_mean_life",
        "Its mean error is lower than that of the clock, which sees no vibration: 1 less elapsed "
        "time over the other bearings' mean life",
        experiments.better_than_mean_life,
        OURS,
    ),
    _claim(
        "better_score",
        "On the challenge's 11 test bearings, cut where it cut them, its score is higher than a "
        "multi-scale CNN's",
        bands.better_score,
        "ours: the data's own measure, which the abstract does not name",
        f"{MULTI} Here one network learns from the six learning bearings of all conditions; a "
        "share p left after n records stands for p / (1 - p) n records to come.",
    ),
)


def pieces(lab: Lab) -> Pieces:
    """Every arm and seed by itself: their networks share nothing."""
    return by_seed(lab, study.piece, study.NETWORKS)
