import os
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from neurons.data import registry
from neurons.data.bearings import SKF_6205
from neurons.data.cwru import NORMAL_RATE, RATE, SHORTEST, cwru, read_mat
from neurons.data.registry import DataError
from neurons.data.windows import Protocol, split

CLASSES = (
    "normal",
    *(f"{f}_{m}" for f in ("ball", "inner", "outer") for m in ("007", "014", "021")),
)
LONG = np.sin(np.arange(SHORTEST))[:, None]


@pytest.fixture
def mat(tmp_path):
    def write(**variables):
        path = tmp_path / "record.mat"
        savemat(path, variables)
        return path

    return write


@pytest.fixture(scope="module")
def real():
    folder = os.environ.get("NEURONS_DATA")
    if not folder:
        pytest.skip("real data: set NEURONS_DATA to a folder that holds cwru/")
    if not registry.available("cwru", folder):
        pytest.skip("real data: the folder NEURONS_DATA does not hold cwru/ intact")
    return Path(folder)


@pytest.mark.parametrize("column", [LONG, LONG.T, LONG.astype(np.float32), LONG.astype(np.int16)])
def test_drive_end_and_speed_are_read(mat, column):
    path = mat(X001_DE_time=column, X001_FE_time=LONG, X001RPM=np.array([[1796]]))
    signal, rpm = read_mat(path)
    assert rpm == 1796.0
    assert signal.dtype == np.float64
    np.testing.assert_array_equal(signal, column.ravel())
    assert read_mat(mat(X1_DE_time=column)).rpm is None


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({"X001_FE_time": LONG}, r"the variables \['X001_FE_time'\]"),
        ({"X001_DE_time": LONG, "X002_DE_time": LONG}, "the variables"),
        ({"X001_DE_time": "a text of no length"}, "<U19"),
        ({"X001_DE_time": LONG + 1j}, "complex128"),
        ({"X001_DE_time": np.ones((SHORTEST, 2))}, r"shape \(12000, 2\)"),
        ({"X001_DE_time": np.ones((SHORTEST, 1, 2))}, r"shape \(12000, 1, 2\)"),
        ({"X001_DE_time": LONG[:-1]}, r"shape \(11999, 1\)"),
        ({"X001_DE_time": np.zeros((0, 1))}, "shape"),
        ({"X001_DE_time": {"field": LONG}}, "shape"),
        ({"X001_DE_time": np.array([[LONG]], dtype=object)}, "shape"),
        ({"X001_DE_time": LONG, "X001RPM": "fast"}, "fast"),
        ({"X001_DE_time": LONG, "X001RPM": np.nan}, "nan"),
        ({"X001_DE_time": LONG, "X001RPM": -1796.0}, "-1796"),
    ],
)
def test_wrong_variables_are_named(mat, variables, found):
    path = mat(**variables)
    with pytest.raises(DataError, match=found) as caught:
        read_mat(path)
    assert caught.value.file == str(path)
    assert "fetch cwru" in caught.value.way_out


def test_nan_in_a_record_is_named(mat):
    column = LONG.copy()
    column[77] = np.nan
    with pytest.raises(DataError, match="nan at index 77"):
        read_mat(mat(X001_DE_time=column))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"\0" * 500,
        b"time,acceleration\n0,1\n" * 50,
        b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x02IM",  # a header of version 7.3
        b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + b"\xff" * 900,
        b"\x89HDF\r\n\x1a\n" + b"\0" * 600,
        zlib.compress(bytes(9999)),
    ],
)
def test_bytes_that_are_no_record_are_named(tmp_path, content):
    path = tmp_path / "record.mat"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"record\.mat: expected"):
        read_mat(path)


def test_missing_file_and_folder_are_named(tmp_path):
    for path in (tmp_path / "none.mat", tmp_path):
        with pytest.raises(DataError, match="expected a MATLAB 5 file"):
            read_mat(path)


FIXTURE = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FIXTURE
@given(data=st.data())
def test_damage_anywhere_is_an_error_or_harmless_but_nothing_else(tmp_path, data):
    path = tmp_path / "record.mat"
    compressed = data.draw(st.booleans())
    variables = {"X001_DE_time": LONG, "X001RPM": np.array([[1796]])}
    savemat(path, variables, do_compression=compressed)
    raw = bytearray(path.read_bytes())
    header = data.draw(st.booleans())  # half of the damage goes where the structure is
    at = data.draw(st.integers(0, 250 if header else len(raw) - 1))
    noise = data.draw(st.binary(min_size=1, max_size=16))
    raw[at : at + len(noise)] = noise
    path.write_bytes(raw[: data.draw(st.sampled_from([len(raw), len(raw) // 2, at]))])
    try:
        signal = read_mat(path).signal
    except DataError as error:
        assert error.file == str(path)  # noqa: PT017 (either outcome is right)
    else:
        assert signal.shape == LONG.ravel().shape
        assert np.isfinite(signal).all()


@FIXTURE
@given(content=st.binary(max_size=600), magic=st.booleans())
def test_random_bytes_are_refused(tmp_path, content, magic):
    path = tmp_path / "record.mat"
    path.write_bytes(
        (b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" if magic else b"") + content
    )
    with pytest.raises(DataError):
        read_mat(path)


@pytest.mark.parametrize("load", [1, 2, 3])
def test_known_load_without_files_says_so(load):
    with pytest.raises(DataError, match=rf"load {load} hp.*none in the manifest.*\[0\]"):
        cwru(load)


@pytest.mark.parametrize("load", [-1, 4, 0.5, "0", None])
def test_unknown_load_lists_the_allowed(load):
    with pytest.raises(ValueError, match="allowed: 0, 1, 2, 3"):
        cwru(load)


def test_absent_files_name_the_command(tmp_path, monkeypatch):
    monkeypatch.delenv("NEURONS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(DataError, match=r"python -m neurons\.data fetch cwru"):
        cwru()


def test_real_records_have_fixed_classes_and_units(real):
    records = cwru(folder=real)
    assert records.classes == CLASSES
    assert not records.simulated
    normal, *faults = records.recordings
    assert (normal.rate, normal.size, len(normal.signal)) == (NORMAL_RATE, 0.0, 243_938)
    assert all(121_000 < len(r.signal) < 123_000 and r.rate == RATE for r in faults)
    assert {round(r.shaft_hz * 60) for r in records.recordings} == {1796, 1797}
    np.testing.assert_allclose([r.size for r in faults], 3 * [1.778e-4, 3.556e-4, 5.334e-4])
    # Their published levels: the outer race at 7 mil is the loudest, 0.67 g.
    assert max(faults, key=lambda r: r.signal.std()).name == "outer_007"
    assert faults[6].signal.std() == pytest.approx(0.669, abs=1e-3)


def comb(signal, rate, shaft_hz):
    """Median power on the shaft's multiples 10 to 40, over the median power beside them."""
    power = np.abs(np.fft.rfft(signal * np.hanning(len(signal)))) ** 2

    def level(orders):
        centre = np.rint(orders * shaft_hz * len(signal) / rate).astype(int)
        return np.median(power[centre[:, None] + np.arange(-2, 3)].max(1))

    return level(np.arange(10, 41)) / level(np.arange(10, 41) + 0.5)


def test_normal_record_is_sampled_at_48_khz_not_12(real):
    normal, *faults = cwru(folder=real).recordings
    assert comb(normal.signal, 48e3, normal.shaft_hz) > 20
    assert comb(normal.signal, 12e3, normal.shaft_hz) < 2
    assert min(comb(record.signal, 12e3, record.shaft_hz) for record in faults) > 20


def test_level_alone_tells_the_class_unless_windows_are_standardised(real):
    def accuracy(standardise):
        protocol = Protocol(snr_db=-6.0, standardise=standardise)
        train, _, test = split(cwru(folder=real), protocol, seed=0)
        levels = np.log(train.x.std(axis=(1, 2)))
        means = np.array([levels[train.y == label].mean() for label in range(10)])
        nearest = np.abs(np.log(test.x.std(axis=(1, 2)))[:, None] - means).argmin(axis=1)
        return np.mean(nearest == test.y)

    assert accuracy(standardise=False) > 0.9
    assert accuracy(standardise=True) < 0.2


def test_common_rate_brings_the_normal_record_to_12_khz(real):
    once, again = (cwru(folder=real, common_rate=flag) for flag in (False, True))
    assert {r.rate for r in again.recordings} == {RATE}
    assert len(again.recordings[0].signal) == -(-243_938 // 4)
    assert again.recordings[1].signal.std() == once.recordings[1].signal.std()
    assert once.digest != again.digest
    assert again.bearing == SKF_6205


@pytest.mark.parametrize("damage", ["truncated", "altered"])
def test_damaged_real_file_is_named(real, tmp_path, damage):
    for entry in registry.entries("cwru"):
        (tmp_path / "cwru").mkdir(exist_ok=True)
        shutil.copy(real / entry.path, tmp_path / entry.path)
    victim = tmp_path / registry.entries("cwru")[3].path
    raw = victim.read_bytes()
    victim.unlink()
    victim.write_bytes(raw[:-1000] if damage == "truncated" else raw[:-1] + b"!")
    with pytest.raises(DataError, match=victim.name):
        cwru(folder=tmp_path)


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.2])
def test_truncated_real_file_is_refused_without_its_hash(real, tmp_path, kept):
    raw = (real / registry.entries("cwru")[3].path).read_bytes()
    path = tmp_path / "record.mat"
    path.write_bytes(raw[: int(kept * len(raw))])
    with pytest.raises(DataError, match=r"record\.mat"):
        read_mat(path)
