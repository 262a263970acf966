"""Solar cells from a folder or the package: grades, options, and what is refused."""

import importlib.util

import numpy as np
import pytest
from PIL import Image

from neurons.data import sets, solar_cells
from neurons.data.registry import DataError
from neurons.data.solar_cells import SolarCells, elpv

ROWS = ("1.0 mono", "0.3333333333333333 mono", "0.0 poly", "0.6666666666666666 poly")


@pytest.fixture
def clone(tmp_path):
    (tmp_path / "elpv" / "images").mkdir(parents=True)
    lines = [f"images/cell{number}.png   {row}" for number, row in enumerate(ROWS)]
    (tmp_path / "elpv" / "labels.csv").write_text("\n".join(lines) + "\n")
    for number in range(4):
        pixels = np.full((12, 12), 51 * number, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"elpv/images/cell{number}.png")
    return tmp_path


@pytest.fixture
def no_package(monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(solar_cells, "files", absent)


def test_cells_come_with_grade_kind_and_label(clone):
    cells = elpv(clone, side=4)
    assert cells.kinds == ("mono", "mono", "poly", "poly")
    np.testing.assert_allclose(cells.probability, [1, 1 / 3, 0, 2 / 3], atol=1e-12)
    assert cells.defective.tolist() == [True, False, False, True]
    np.testing.assert_allclose(cells.images[:, 0, 0], [0, 0.2, 0.4, 0.6], atol=1e-6)
    assert "4 cells of 4x4: 2 mono, 2 poly, 2 defective (real)" in str(cells)


@pytest.mark.parametrize("inner", ["elpv", "src/elpv_dataset/data"])
def test_a_clone_or_a_data_folder_is_looked_in_first(clone, tmp_path, inner, no_package):
    (tmp_path / inner).parent.mkdir(parents=True, exist_ok=True)
    (clone / "elpv").rename(tmp_path / inner)
    assert sets.load("elpv", tmp_path, side=4).images.shape == (4, 4, 4)
    assert elpv(tmp_path / inner, side=4).images.shape == (4, 4, 4)


def test_the_doubtful_can_be_left_out(clone):
    assert elpv(clone, side=4, doubtful="drop").probability.tolist() == [1, 0]
    assert elpv(clone, side=4, types=("poly",)).kinds == ("poly", "poly")
    (clone / "elpv/labels.csv").write_text("images/cell1.png 0.3333 mono")
    with pytest.raises(DataError, match="expected cells of"):
        elpv(clone, doubtful="drop")


def test_the_digest_follows_grades_and_pixels(clone):
    cells = elpv(clone, side=4)
    other = SolarCells("elpv", cells.images, cells.probability[::-1].copy(), cells.kinds)
    assert elpv(clone, side=4).digest == cells.digest != other.digest


@pytest.mark.parametrize(
    ("options", "said"),
    [({"types": ("thin",)}, "thin"), ({"types": ()}, "types"), ({"doubtful": "maybe"}, "maybe")],
)
def test_options_that_are_none_are_refused(clone, options, said):
    with pytest.raises(ValueError, match=f"{said}.*allowed"):
        elpv(clone, **options)


@pytest.mark.parametrize(
    "line", ["images/cell0.png 0.5 mono", "images/cell0.png 1.0", "cell 1.0 thin", "a b mono"]
)
def test_a_line_that_is_no_label_is_named(clone, line):
    (clone / "elpv/labels.csv").write_text(f"images/cell0.png 1.0 mono\n{line}\n")
    with pytest.raises(DataError, match=r"labels\.csv, line 2: expected file, grade"):
        elpv(clone)


def test_damaged_pictures_and_tables_are_named(clone):
    (clone / "elpv/images/cell2.png").unlink()
    with pytest.raises(DataError, match=r"cell2\.png"):
        elpv(clone)
    (clone / "elpv/labels.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"labels\.csv: expected a table"):
        elpv(clone)


def test_a_missing_package_names_the_extra(tmp_path, no_package):
    with pytest.raises(DataError, match=r'pip install "neuron-companion\[elpv\]"'):
        elpv(tmp_path)


def test_grades_beyond_one_are_refused():
    images = np.zeros((1, 2, 2), np.float32)
    with pytest.raises(DataError, match=r"in \[0, 1\]"):
        SolarCells("toy", images, np.array([1.5]), ("mono",))
    with pytest.raises(DataError, match="a grade and a kind each"):
        SolarCells("toy", images, np.array([1.0, 0.0]), ("mono",))


@pytest.mark.skipif(not importlib.util.find_spec("elpv_dataset"), reason="needs elpv-dataset")
def test_the_package_holds_what_is_published():
    cells = elpv(side=2, types=("mono",))
    assert len(cells.kinds) == 1074
    assert set(np.round(3 * cells.probability)) == {0, 1, 2, 3}
