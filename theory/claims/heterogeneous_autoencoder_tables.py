"""Numbers that the heterogeneous autoencoder's paper, its supplement and its repository print.

Data only: shares from 0 to 1 as printed. Means are computed from the printed cells wherever we
need one; the printed means stand beside them, since the two differ.

References:
    J.-X. Liao et al., Quadratic Neuron-empowered Heterogeneous Autoencoder for Unsupervised
    Anomaly Detection, arXiv 2204.01707, IEEE Transactions on Artificial Intelligence, 2024;
    supplement, tables IV and V; README of asdvfghg/Heterogeneous_Autoencoder_by_Quadratic_Neurons.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np


class Printed(NamedTuple):
    """A row of a printed table.

    Args:
        cells: one number a set.
        average: as printed beside them, `None` where none is.
    """

    cells: tuple[float, ...]
    average: float | None = None

    @property
    def mean(self) -> float:
        """The mean of the printed cells."""
        return float(np.mean(self.cells))


FIRST_SETS = (
    "arrhythmia",
    "glass",
    "musk",
    "optdigits",
    "pendigits",
    "pima",
    "vertebral",
    "wbc",
)
# AUC of the README's table (published before the paper's own, which was not found).
FIRST: Mapping[str, Printed] = {
    "OCSVM": Printed((0.805, 0.595, 1.000, 0.622, 0.935, 0.712, 0.469, 0.947), 0.781),
    "SUOD": Printed((0.770, 0.775, 0.568, 0.469, 0.562, 0.624, 0.273, 0.950), 0.660),
    "SO-GAAL": Printed((0.568, 0.386, 0.438, 0.367, 0.657, 0.292, 0.634, 0.078), 0.389),
    "DeepSVDD": Printed((0.704, 0.517, 0.502, 0.494, 0.507, 0.485, 0.279, 0.834), 0.615),
    "DAGMM": Printed((0.603, 0.474, 0.903, 0.290, 0.872, 0.531, 0.487, 0.834), 0.648),
    "RCA": Printed((0.806, 0.602, 1.000, 0.622, 0.856, 0.711, 0.456, 0.906), 0.763),
    "AE": Printed((0.807, 0.571, 1.000, 0.652, 0.943, 0.657, 0.568, 0.924), 0.765),
    "QAE": Printed((0.807, 0.587, 1.000, 0.599, 0.949, 0.652, 0.567, 0.932), 0.761),
    "HAE-X": Printed((0.820, 0.593, 1.000, 0.680, 0.944, 0.726, 0.558, 0.934), 0.795),
    "HAE-Y": Printed((0.822, 0.606, 1.000, 0.681, 0.938, 0.722, 0.558, 0.935), 0.796),
    "HAE-I": Printed((0.817, 0.583, 1.000, 0.617, 0.948, 0.721, 0.558, 0.937), 0.790),
}
FIRST_RANKS: Mapping[str, float] = {
    "OCSVM": 4.375,
    "SUOD": 6.625,
    "SO-GAAL": 9.375,
    "DeepSVDD": 9.25,
    "DAGMM": 8.875,
    "RCA": 5.25,
    "AE": 4.375,
    "QAE": 4.5,
    "HAE-X": 2.875,
    "HAE-Y": 2.5,
    "HAE-I": 3.625,
}

FIFTEEN_SETS = (
    *FIRST_SETS,
    "ALOI",
    "Ionosphere",
    "KDDCUP99",
    "Shuttle",
    "Waveform",
    "WDBC",
    "WPBC",
)
# Supplement, table IV: AUC of nine architectures.
# fmt: off
FIFTEEN: Mapping[str, Printed] = {
    "HAE-X": Printed(
        (0.832, 0.605, 1, 0.772, 0.962, 0.739, 0.574, 0.926,
         0.556, 0.929, 0.989, 0.473, 0.692, 0.985, 0.438),
        0.765,
    ),
    "QAE-X": Printed(
        (0.819, 0.600, 1, 0.604, 0.945, 0.690, 0.481, 0.909,
         0.553, 0.920, 0.994, 0.385, 0.681, 0.981, 0.440),
        0.733,
    ),
    "AE-X": Printed(
        (0.815, 0.551, 1, 0.476, 0.931, 0.577, 0.571, 0.857,
         0.546, 0.906, 0.989, 0.488, 0.643, 0.978, 0.445),
        0.718,
    ),
    "HAE-Y": Printed(
        (0.816, 0.608, 1, 0.787, 0.943, 0.695, 0.573, 0.876,
         0.547, 0.910, 0.989, 0.500, 0.651, 0.978, 0.443),
        0.754,
    ),
    "QAE-Y": Printed(
        (0.826, 0.585, 1, 0.656, 0.947, 0.606, 0.561, 0.868,
         0.554, 0.919, 0.989, 0.453, 0.688, 0.980, 0.439),
        0.738,
    ),
    "AE-Y": Printed(
        (0.813, 0.554, 1, 0.475, 0.934, 0.582, 0.570, 0.857,
         0.546, 0.905, 0.989, 0.491, 0.655, 0.979, 0.442),
        0.719,
    ),
    "HAE-Yc": Printed(
        (0.816, 0.559, 1, 0.487, 0.935, 0.581, 0.571, 0.856,
         0.547, 0.907, 0.989, 0.491, 0.647, 0.980, 0.442),
        0.721,
    ),
    "HAE-I": Printed(
        (0.817, 0.591, 1, 0.668, 0.967, 0.701, 0.573, 0.915,
         0.553, 0.910, 0.989, 0.495, 0.680, 0.980, 0.439),
        0.752,
    ),
    "HAE-Ic": Printed(
        (0.814, 0.581, 1, 0.510, 0.937, 0.581, 0.572, 0.855,
         0.547, 0.908, 0.989, 0.495, 0.657, 0.981, 0.442),
        0.725,
    ),
}
# fmt: on
# Supplement, table V: precision (macro in the later code), averages over the fifteen sets.
PRECISION: Mapping[str, float] = {
    "HAE-X": 0.667,
    "QAE-X": 0.630,
    "AE-X": 0.626,
    "HAE-Y": 0.651,
    "QAE-Y": 0.650,
    "AE-Y": 0.626,
    "HAE-Yc": 0.642,
    "HAE-I": 0.659,
    "HAE-Ic": 0.627,
}

# Average AUC over seven sets, XJTU-SY among them, by the quadratic neuron's form.
FORM_SETS = ("arrhythmia", "glass", "optdigits", "ALOI", "Shuttle", "Waveform")
FORMS: Mapping[str, Mapping[str, float]] = {
    "HAE-X": {"product only": 0.669, "linear and power": 0.678, "standard": 0.698},
    "HAE-Y": {"product only": 0.671, "linear and power": 0.672, "standard": 0.695},
    "HAE-I": {"product only": 0.661, "linear and power": 0.664, "standard": 0.681},
}

# AUC, precision, recall, F1 on bearing 2_5 of XJTU-SY.
BEARING: Mapping[str, tuple[float, float, float, float]] = {
    "AE": (0.942, 0.755, 0.712, 0.731),
    "QAE": (0.944, 0.790, 0.715, 0.744),
    "HAE-X": (0.957, 0.956, 0.740, 0.803),
    "HAE-Y": (0.958, 0.957, 0.737, 0.800),
    "HAE-I": (0.961, 0.959, 0.730, 0.795),
}

# AUC on optdigits by depth.
DEPTHS = ("V1", "V2", "V3", "V4")
DEPTH: Mapping[str, tuple[float, float, float, float]] = {
    "AE": (0.652, 0.613, 0.582, 0.572),
    "QAE": (0.599, 0.528, 0.447, 0.316),
    "HAE-X": (0.680, 0.669, 0.671, 0.647),
    "HAE-Y": (0.681, 0.653, 0.666, 0.653),
    "HAE-I": (0.617, 0.636, 0.625, 0.613),
}


def printed(
    table: Mapping[str, Printed], sets: Sequence[str], method: str, name: str
) -> float | None:
    """A printed cell, `None` where the paper has none.

    Example:
        >>> printed(FIRST, FIRST_SETS, "HAE-X", "pima")
        0.726
    """
    if method not in table or name not in sets:
        return None
    return float(table[method].cells[sets.index(name)])
