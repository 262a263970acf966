"""Anomaly tables and their split: what is kept, what is scaled, what is refused."""

import numpy as np
import pytest

from neurons.data.anomaly_tables import AnomalyTable, AnomalyTables, split_anomalies
from neurons.data.registry import DataError

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(5.0, 3.0, (200, 4))
Y = np.arange(200) % 10 == 0  # 20 anomalies


def table(x=X, y=Y, name="toy"):
    return AnomalyTable(name, np.array(x, float), np.array(y, bool), "ours", simulated=True)


def with_gaps(rows):
    x = X.copy()
    x[rows, 1] = np.nan
    return table(x)


def test_the_text_says_what_it_is():
    assert str(table()) == "toy: 200 x 4, 20 anomalous (10.0 %, simulated)"
    assert table().contamination == 0.1


def test_digest_follows_name_numbers_and_labels():
    changed = X.copy()
    changed[3, 2] += 1e-9
    others = [table(changed), table(y=~Y), table(name="other")]
    assert table().digest == table().digest
    assert len({table().digest, *(other.digest for other in others)}) == 4


def test_arrays_cannot_be_changed():
    made = table()
    with pytest.raises(ValueError, match="read-only"):
        made.x[0, 0] = 1.0


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (X[:, 0], Y, r"float64 \(200,\)"),
        (X, Y[:-1], r"bool \(199,\)"),
        (X, Y.astype(float), "float64"),
        (X.astype(np.float32), Y, "float32"),
        (X[:0], Y[:0], r"\(0, 4\)"),
        (X[:, :0], Y, r"\(200, 0\)"),
        (np.where(np.arange(200)[:, None] == 7, np.inf, X), Y, "infinity in row 7;"),
    ],
    ids=["vector", "labels short", "labels real", "float32", "no row", "no input", "infinity"],
)
def test_arrays_that_do_not_fit_are_refused(x, y, words):
    with pytest.raises(DataError, match=words):
        AnomalyTable("toy", x, y, "ours")


def test_collections_know_their_tables_by_name():
    both = AnomalyTables("two", (table(), table(name="other")), simulated=True)
    assert both.names == ("toy", "other")
    assert both["other"].name == "other"
    assert str(both) == "two: toy, other (simulated)"
    assert both.digest != AnomalyTables("two", (table(),), simulated=True).digest
    with pytest.raises(KeyError):
        both["third"]
    with pytest.raises(ValueError, match="no name twice"):
        AnomalyTables("two", (table(), table()), simulated=True)


def test_a_share_of_the_normal_rows_trains_and_everything_else_is_tested():
    split = split_anomalies(table(), seed=3)
    assert (len(split.train), len(split.test), split.labels.sum()) == (144, 56, 20)
    assert not Y[split.train_rows].any()
    np.testing.assert_array_equal(Y[split.test_rows], split.labels)
    both = np.concatenate([split.train_rows, split.test_rows])
    np.testing.assert_array_equal(np.sort(both), np.arange(200))
    assert split.contamination == 0.1


def test_scaling_uses_the_training_rows_alone():
    moved = X + 100.0 * Y[:, None]  # anomalies far away must not pull the centre
    split = split_anomalies(table(moved), seed=1)
    assert split.train.dtype == split.test.dtype == np.float32
    np.testing.assert_allclose(split.train.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(split.train.std(axis=0), 1, atol=1e-6)
    back = split.test * split.scale + split.center
    np.testing.assert_allclose(back, moved[split.test_rows], atol=1e-4)


def test_seeds_repeat_and_differ_in_rows_not_in_sizes():
    first, again, other = (split_anomalies(table(), seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.train, again.train)
    assert not np.array_equal(first.train_rows, other.train_rows)
    assert first.train.shape == other.train.shape


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3e9])
def test_constant_columns_are_centred_and_not_divided(value):
    x = X.copy()
    x[:, 2] = value
    split = split_anomalies(table(x), seed=0)
    np.testing.assert_allclose(split.train[:, 2], 0, atol=1e-5)
    assert split.scale[2] == 1.0
    assert np.isfinite(split.test).all()


def test_all_columns_constant_and_a_single_column_are_no_trouble():
    split = split_anomalies(table(np.full((200, 4), 3.0)), seed=0)
    assert not split.train.any()
    assert split_anomalies(table(X[:, :1]), seed=0).train.shape == (144, 1)


def test_a_column_constant_in_training_keeps_its_units_in_testing():
    x = X.copy()
    x[:, 0] = np.where(Y, 7.0, 5.0)
    split = split_anomalies(table(x), seed=0)
    np.testing.assert_array_equal(split.test[split.labels, 0], 2.0)


def test_without_anomalies_all_labels_are_normal():
    split = split_anomalies(table(y=np.zeros(200, bool)), seed=0)
    assert not split.labels.any()
    assert split.contamination == 0.0
    assert len(split.test) == 40


@pytest.mark.parametrize("normal", [0, 1])
def test_too_few_normal_rows_are_an_error(normal):
    with pytest.raises(DataError, match=f"{normal} of 200 rows normal"):
        split_anomalies(table(y=np.arange(200) >= normal), seed=0)


def test_missing_values_are_refused_by_row():
    with pytest.raises(DataError, match=r"missing in rows 3, 40, 41, 42, 43 and 2 more"):
        split_anomalies(with_gaps([3, 40, 41, 42, 43, 44, 50]), seed=0)


def test_missing_values_take_the_mean_of_training_and_are_remembered():
    gaps = [3, 40, 41, 77]
    split = split_anomalies(with_gaps(gaps), seed=0, missing="mean")
    missing = np.zeros(200, bool)
    missing[gaps] = True
    np.testing.assert_array_equal(split.train_missing[:, 1], missing[split.train_rows])
    np.testing.assert_array_equal(split.test_missing[:, 1], missing[split.test_rows])
    assert split.train_missing.sum() + split.test_missing.sum() == 4
    assert not split.test[split.test_missing].any()  # 0 is the mean, scaled
    known = np.setdiff1d(split.train_rows, gaps)
    assert split.center[1] == pytest.approx(X[known, 1].mean())
    assert split.scale[1] == pytest.approx(X[known, 1].std())


def test_a_column_without_any_value_is_an_error():
    with pytest.raises(DataError, match="none in column 1"):
        split_anomalies(with_gaps(slice(None)), seed=0, missing="mean")


def test_numbers_too_large_for_float32_are_an_error():
    x = X.copy()
    x[:, 3] = np.where(Y, 1e60, 5.0)
    with pytest.raises(DataError, match="overflow in column 3"):
        split_anomalies(table(x), seed=0)
    with pytest.raises(DataError, match="overflow in column 3"):
        split_anomalies(table(X * [1, 1, 1, 1e300]), seed=0)


def test_thinning_keeps_the_share_and_repeats():
    split, again = (split_anomalies(table(), seed=5, rows=50) for _ in range(2))
    assert len(split.train) + len(split.test) == 50
    assert split.labels.sum() == 5
    np.testing.assert_array_equal(split.test_rows, again.test_rows)
    assert len(np.unique(np.concatenate([split.train_rows, split.test_rows]))) == 50
    whole = split_anomalies(table(), seed=5, rows=200)
    np.testing.assert_array_equal(whole.train_rows, split_anomalies(table(), seed=5).train_rows)


def test_thinning_keeps_an_anomaly_where_there_is_one():
    rare = split_anomalies(table(y=np.arange(200) == 9), seed=0, rows=10)
    assert rare.labels.sum() == 1


@pytest.mark.parametrize(
    "options", [{"train_share": 0.0}, {"train_share": 1.0}, {"missing": "drop"}, {"rows": 2}]
)
def test_options_out_of_range_list_the_allowed(options):
    with pytest.raises(ValueError, match="allowed"):
        split_anomalies(table(), seed=0, **options)
