"""Tables: what fits together is kept, what does not is named."""

import numpy as np
import pytest

from neurons.data.registry import DataError
from neurons.data.tables import Table, Tables


def few(**changes):
    x = np.arange(6.0).reshape(3, 2)
    fields = {
        "name": "few", "x": x, "y": x[:, 0] / 2, "columns": ("a", "b"), "task": "regression",
        "source": "toy",
    }  # fmt: skip
    return Table(**(fields | changes))


def test_a_table_says_in_one_line_what_it_is():
    assert str(few()) == "few: 3 x 2, regression (real)"
    labels = few(y=np.array([0, 2, 1]), task="classification", simulated=True)
    assert str(labels) == "few: 3 x 2, classification (simulated)"
    assert (few().classes, labels.classes) == (0, 3)


def test_digest_follows_names_inputs_and_target():
    digests = {
        few().digest,
        few(name="other").digest,
        few(columns=("a", "c")).digest,
        few(x=few().x + 1e-12).digest,
        few(y=few().y + 1e-12).digest,
    }
    assert len(digests) == 5
    assert few().digest == few().digest


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y": np.zeros(2)}, "a target each"),
        ({"x": np.zeros(3)}, "a target each"),
        ({"x": np.zeros((0, 2)), "y": np.zeros(0)}, "a target each"),
        ({"columns": ("a",)}, "expected 2 names of columns, found 1"),
        ({"task": "classification"}, "int64 for a classification"),
        ({"y": np.zeros(3, int)}, "float64 for a regression"),
        ({"task": "ranking"}, "float64 for a regression"),
        ({"x": np.array([[1.0, 2], [3, np.nan], [5, 6]])}, "another value in row 1"),
        ({"y": np.array([1.0, 2, np.inf])}, "another value in row 2"),
        ({"y": np.array([0, 2, 2]), "task": "classification"}, "without a gap"),
    ],
)
def test_what_does_not_fit_is_named(changes, words):
    with pytest.raises(DataError, match=words):
        few(**changes)


def test_numbers_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        few().x[0, 0] = 1


def test_a_collection_gives_tables_by_name_and_digests_them_all():
    both = Tables("both", (few(), few(name="other")), simulated=True)
    assert str(both) == "both: few, other (simulated)"
    assert both["other"].name == "other"
    assert both.digest != Tables("both", (few(),), simulated=True).digest
    with pytest.raises(KeyError):
        both["none"]
    for wrong in ((), (few(), few())):
        with pytest.raises(ValueError, match="at least one, no name twice"):
            Tables("both", wrong, simulated=True)
