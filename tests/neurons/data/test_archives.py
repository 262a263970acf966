"""Arrays of .mat and .npz files: read by name, and every damage named."""

import numpy as np
import pytest
import scipy.sparse
from scipy.io import savemat

from neurons.data.archives import arrays
from neurons.data.registry import DataError

STORED = {"X": np.arange(300.0).reshape(100, 3), "y": np.arange(100) % 2, "other": np.ones(5)}


@pytest.fixture(params=["mat", "npz"])
def path(request, tmp_path):
    place = tmp_path / f"few.{request.param}"
    savemat(place, STORED) if request.param == "mat" else np.savez(place, **STORED)
    return place


def test_arrays_are_read_by_name(path):
    found = arrays(path, ("X", "y"))
    assert list(found) == ["X", "y"]
    np.testing.assert_array_equal(found["X"], STORED["X"])
    np.testing.assert_array_equal(found["y"].ravel(), STORED["y"])


def test_a_missing_array_is_named(path):
    with pytest.raises(DataError, match=r"expected an? \.\w+ file with X, z, found KeyError: .*z"):
        arrays(path, ("X", "z"))


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.97])
def test_a_truncated_file_is_refused(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match="put the file of the manifest there"):
        arrays(path, ("X", "y", "other"))


def test_another_kind_of_file_is_refused(path):
    path.write_bytes(b"a page that says 404, and goes on and on\n" * 20)
    with pytest.raises(DataError):
        arrays(path, ("X",))


def test_python_objects_are_not_unpickled(tmp_path):
    np.savez(tmp_path / "evil.npz", X=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match="allow_pickle"):
        arrays(tmp_path / "evil.npz", ("X",))


def test_a_sparse_matrix_is_refused(tmp_path):
    savemat(tmp_path / "sparse.mat", {"X": scipy.sparse.eye(4, format="csc")})
    with pytest.raises(DataError, match="X not a full array"):
        arrays(tmp_path / "sparse.mat", ("X",))


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        arrays(tmp_path / "none.npz", ("X",))
