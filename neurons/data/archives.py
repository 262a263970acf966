"""Arrays by name from the archives of MATLAB and NumPy, whatever their bytes."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat, matlab

from neurons.data.registry import DataError

Arrays = Mapping[str, NDArray[np.generic]]


def arrays(path: str | Path, names: Sequence[str]) -> Arrays:
    """Read arrays from a `.mat` file (MATLAB 5) or from an `.npz` archive, by the path's ending.

    Nothing is unpickled: an archive that holds Python objects is refused.

    Args:
        path: The file.
        names: Names of the arrays.

    Raises:
        DataError: It cannot be read, or lacks one of them: file, expected and found are named.
    """
    path = Path(path)
    kind, read = ("a .mat", _from_mat) if path.suffix == ".mat" else ("an .npz", _from_npz)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # scipy warns of damage where it goes on reading
            return read(path, names)
    # A damaged archive ends in almost any exception of zipfile's, zlib's, scipy's or NumPy's.
    except Exception as error:
        expected = f"{kind} file with {', '.join(names)}"
        found = f"{type(error).__name__}: {error}"
        raise DataError(path, expected, found, "put the file of the manifest there") from error


def _from_mat(path: Path, names: Sequence[str]) -> Arrays:
    with path.open("rb") as stream:
        if (version := matlab.matfile_version(stream))[0] != 1:
            raise ValueError(f"version {version}, no MATLAB 5 file")
        stream.seek(0)
        found = loadmat(stream, variable_names=list(names))
    sparse = [name for name in names if not isinstance(found[name], np.ndarray)]
    if sparse:
        raise TypeError(f"{', '.join(sparse)} not a full array")
    return {name: found[name] for name in names}


def _from_npz(path: Path, names: Sequence[str]) -> Arrays:
    # np.load leaves a file it opened itself open when the archive is damaged.
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
        return {name: stored[name] for name in names}
