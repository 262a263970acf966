"""The challenge's own files: both separators, exponents, the packed file's arrays, and damage."""

import numpy as np
import pytest

from neurons.data.phm2012 import BEARINGS, lives
from neurons.data.phm2012_challenge import RECORDS, TRUNCATED
from neurons.data.phm2012_csv import read_life, read_lives, read_record
from neurons.data.registry import DataError, roots

NUMBERS = np.random.default_rng(0).integers(-32768, 32768, (2, 2560))  # thousandths of g


def lines(numbers=NUMBERS, separator=",", microsecond="65664"):
    return [
        separator.join(["9", "39", "39", microsecond, f"{a / 1000:g}", f"{b / 1000:g}"])
        for a, b in numbers.T.tolist()
    ]


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n")
    return path


def packed(numbers):
    return numbers.astype(np.float32) / np.float32(1000)


@pytest.mark.parametrize(
    ("separator", "microsecond"),
    [(",", "65664"), (";", "65664"), (",", "1.9691e+05"), (";", "4e5")],
)
def test_both_separators_and_exponents_give_one_array(tmp_path, separator, microsecond):
    path = write(tmp_path / "acc_00001.csv", lines(NUMBERS, separator, microsecond))
    found = read_record(path)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, packed(NUMBERS))


def test_every_thousandth_is_the_packed_files_number():
    whole = np.arange(-60000, 60001)
    parsed = np.array([f"{n / 1000:.3f}" for n in whole]).astype(np.float64).astype(np.float32)
    np.testing.assert_array_equal(parsed, packed(whole))


def test_the_whole_tree_gives_the_packed_files_arrays(tmp_path, monkeypatch):
    """Three to five records of each bearing; the test set's truncated lives are passed over."""
    counts = {name: 3 + place % 3 for place, name in enumerate(BEARINGS)}
    monkeypatch.setattr("neurons.data.phm2012_csv.RECORDS", counts)
    rng, truth = np.random.default_rng(1), {}
    for name, count in counts.items():
        truth[name] = rng.integers(-20000, 20000, (count, 2, 2560))
        part = "Full_Test_Set" if name in TRUNCATED else "Learning_set"
        for number, values in enumerate(truth[name], start=1):
            separator = ";" if name == "Bearing1_4" else ","
            path = tmp_path / part / name / f"acc_{number:05d}.csv"
            write(path, lines(values, separator, "1.9691e+05"))
    write(tmp_path / "Full_Test_Set/Bearing1_4/temp_00001.csv", ["8;9;47;9;70.036"])
    write(tmp_path / "Test_set/Bearing1_3/acc_00001.csv", ["cut"])
    found = read_lives(tmp_path, every=2)
    assert found.bearings == BEARINGS
    for life in found.lives:
        taken = sorted({*range(0, counts[life.name], 2), counts[life.name] - 1})
        assert life.index.tolist() == taken
        assert life.records == counts[life.name]
        np.testing.assert_array_equal(life.signals, packed(truth[life.name][taken]))
    (tmp_path / "Learning_set/Bearing1_1/acc_00002.csv").unlink()
    with pytest.raises(DataError, match=r"Bearing1_1.acc_00002\.csv: expected a file, found 2 of"):
        read_lives(tmp_path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda rows: rows[:-1], "expected 2560 lines, found 2559"),
        (lambda rows: [*rows, rows[0]], "expected 2560 lines, found 2561"),
        (lambda rows: [row.rsplit(",", 1)[0] for row in rows], "found 5 columns"),
        (lambda rows: [f"{row},0" for row in rows], "found 7 columns"),
        (lambda rows: [*rows[:-1], "9,39,39,65"], "columns"),  # broken off within a line
        (lambda rows: [*rows[:7], "9,39,39,65664,nan,0.1", *rows[8:]], "line 8, column 5"),
        (lambda rows: [*rows[:7], "9,39,39,65664,0.1,-inf", *rows[8:]], "line 8, column 6"),
        (lambda rows: [*rows[:7], "9,39,39,65664,,0.1", *rows[8:]], "ValueError"),
        (lambda rows: [*rows[:7], "9,39,39,65664,zero,0.1", *rows[8:]], "zero"),
        (lambda rows: [], "UserWarning"),
        (lambda rows: [rows[0].replace(",", ";"), *rows[1:]], "ValueError"),
    ],
    ids=["truncated", "long", "temperature", "seventh column", "broken line", "nan", "infinite",
         "empty field", "word", "empty", "two separators"],
)  # fmt: skip
def test_damage_is_refused_by_the_files_name(tmp_path, spoil, message):
    path = write(tmp_path / "acc_00042.csv", spoil(lines()))
    with pytest.raises(DataError, match=message) as caught:
        read_record(path)
    assert caught.value.file == str(path)


def test_no_file_and_no_text_are_refused_by_name(tmp_path):
    with pytest.raises(DataError, match=r"acc_00001\.csv: .*FileNotFoundError"):
        read_record(tmp_path / "acc_00001.csv")
    (tmp_path / "acc_00002.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"acc_00002\.csv: .*UnicodeDecodeError"):
        read_record(tmp_path / "acc_00002.csv")


def test_missing_and_superfluous_records_are_named(tmp_path):
    folder = tmp_path / "Bearing1_1"
    for number in (1, 3):
        write(folder / f"acc_{number:05d}.csv", lines())
    with pytest.raises(DataError, match=r"acc_00002\.csv: expected a file, found 2 of 3 records"):
        read_life(folder)
    write(folder / "acc_00002.csv", lines())
    assert read_life(folder, every=2).index.tolist() == [0, 2]
    with pytest.raises(DataError, match=r"acc_00004\.csv: expected a file, found 3 of 4"):
        read_life(folder, records=4)
    with pytest.raises(DataError, match=r"acc_00003\.csv: expected 2 records"):
        read_life(folder, records=2)
    with pytest.raises(ValueError, match="every is 0"):
        read_life(folder, every=0)


def test_folders_without_records_are_named(tmp_path):
    with pytest.raises(DataError, match=r"Bearing1_2: .*No such file"):
        read_life(tmp_path / "Bearing1_2")
    (tmp_path / "Bearing1_3").mkdir()
    with pytest.raises(DataError, match=r"Bearing1_3: expected files acc_00001\.csv"):
        read_life(tmp_path / "Bearing1_3")
    with pytest.raises(DataError, match=r"Bearing1_1: expected a folder in Learning_set"):
        read_lives(tmp_path)


def test_another_folders_name_is_refused(tmp_path):
    write(tmp_path / "vibration" / "acc_00001.csv", lines())
    with pytest.raises(ValueError, match="Bearing1_3"):
        read_life(tmp_path / "vibration")


def test_real_files_of_both_kinds_equal_the_packed_file(folder_with):
    whole = {life.name: life for life in lives(folder_with("phm2012"))}
    found = [path for root in roots() for path in sorted(root.glob("phm2012/original/*/*"))]
    if not found:
        pytest.skip("no original csv files")
    for folder in found:
        one = read_life(folder)
        np.testing.assert_array_equal(one.signals[0], whole[folder.name].signals[0])
        assert RECORDS[folder.name] == whole[folder.name].records
        with pytest.raises(DataError, match=r"acc_0000[34]\.csv: expected a file"):
            read_life(folder, records=RECORDS[folder.name])
