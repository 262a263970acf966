"""The study of heterogeneous autoencoders: protocol, sizes, what is kept of a run."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from neurons.data import AnomalyTables, simulated_anomalies
from theory.claims import Budget, laptop, paper, smoke
from theory.claims import heterogeneous_autoencoder_study as study
from theory.claims.claim import Lab, remember
from theory.claims.heterogeneous_autoencoder_details import banded
from theory.claims.heterogeneous_autoencoder_study import WIDE, Kind

BUDGET = Budget("test", seeds=1, effort=0.2, data=0.1)


def toy() -> AnomalyTables:
    return AnomalyTables("toys", simulated_anomalies(rows=250).tables[:1], simulated=True)


@pytest.fixture(scope="module")
def lab():
    return Lab(BUDGET, jax.random.key(0), toy(), remember())


def test_budgets_buy_what_the_rule_says(lab):
    def bought(budget):
        here = replace(lab, budget=budget)
        return study.repetitions(here), study.epochs(here), study.rows_kept(here, table)

    table = lab.data["shifted"]
    assert bought(laptop) == (10, 100, 2000)
    assert bought(paper) == (10, 100, None)
    assert bought(smoke) == (4, 30, 222)


def test_wide_tables_keep_fewer_rows(lab):
    spectra = simulated_anomalies(rows=20).tables[1]
    wide = replace(spectra, x=np.tile(spectra.x, 16).copy(), y=spectra.y.copy())
    assert study.rows_kept(replace(lab, budget=laptop), wide) == 128_000 // 256


@pytest.mark.parametrize(
    ("depth", "widths"),
    [
        ("V1", (32, 16)),
        ("V2", (32, 21, 16)),
        ("V3", (32, 21, 16, 16)),
        ("V4", (32, 21, 21, 16, 16)),
    ],
)
def test_widths_are_the_papers(depth, widths):
    assert study.widths(Kind("QAE", depth), 64) == widths
    assert study.widths(Kind("QAE", depth), 1) == (1,) * len(widths)


@pytest.mark.parametrize("inputs", [6, 9, 64, 274])
def test_wide_autoencoder_matches_the_parameters_of_hae_x(inputs):
    wide, aim = (study.parameters(kind, inputs) for kind in (WIDE, Kind("HAE-X")))
    hidden, bottleneck = study.widths(WIDE, inputs)
    assert bottleneck == max(inputs // 4, 1)
    assert aim <= wide < aim + (wide // hidden) + inputs
    assert wide > 2.5 * study.parameters(Kind("AE"), inputs)


def test_kinds_are_told_apart_by_their_names():
    kinds = [Kind("HAE-X"), WIDE, Kind("AE"), Kind("HAE-X", ratio=0.4), Kind("HAE-X", best=True)]
    kinds += [
        Kind("HAE-X", "V2"),
        Kind("HAE-X", form="product only"),
        Kind("HAE-X", corrected=True),
    ]
    assert len({str(kind) for kind in kinds}) == len(kinds)
    assert str(kinds[3]) == "HAE-X ratio 0.4"


def test_all_kinds_see_the_same_splits_and_seeds_differ(lab):
    first, again = (study.splits(lab, lab.data["shifted"], 2) for _ in range(2))
    np.testing.assert_array_equal(first[1].train, again[1].train)
    assert not np.array_equal(first[0].train_rows, first[1].train_rows)
    assert {len(part.train) for part in first} == {len(first[0].train)}


def test_distance_finds_what_lies_far_out_and_nobody_trains_twice(lab):
    found = study.outcome(lab, "distance", "shifted")
    assert min(found["auc"]) > 0.7
    assert found is study.outcome(lab, "distance", "shifted")
    hits, alarms, misses, quiet = found["counts"][0]
    part = study.splits(lab, lab.data["shifted"], 1)[0]
    assert hits + misses == part.labels.sum()
    assert alarms + quiet == (~part.labels).sum()


@pytest.mark.usefixtures("standard_promotion")
def test_a_network_is_trained_from_every_seed_and_judged(lab):
    found = study.outcome(lab, Kind("HAE-X"), "shifted")
    assert len(found["auc"]) == len(found["counts"]) == 2
    assert found["auc"][0] != found["auc"][1]
    assert min(found["auc"]) > 0.7  # even little training leaves the distance
    assert found["finite"]
    assert found["parameters"] == study.parameters(Kind("HAE-X"), 8)
    for word in ("normal", "anomalous"):
        row = found["example"][word]
        difference = np.subtract(row["x"], row["reconstruction"])
        assert row["score"] == pytest.approx(np.linalg.norm(difference), rel=1e-4)
        assert 0 <= min(row["reconstruction"]) <= max(row["reconstruction"]) <= 1  # the sigmoid
    assert found["example"]["anomalous"]["score"] > found["example"]["normal"]["score"]


def test_scores_of_a_network_that_diverged_say_nothing(lab):
    part = study.splits(lab, lab.data["shifted"], 1)[0]
    lost = study.SplitScores(*(np.full(len(rows), np.nan) for rows in (part.train, part.test)))
    judged = study._judged([part], [lost])
    assert judged["auc"] == [0.5]
    assert judged["counts"][0][:2] == [0, 0]


def test_simulated_sets_have_one_shape_and_keep_their_columns():
    even, made = study.simulated_sets(), simulated_anomalies()
    assert {table.x.shape for table in even.tables} == {(1000, 16)}
    for table in made.tables:
        np.testing.assert_array_equal(even[table.name].x[:, : table.x.shape[1]], table.x)
        np.testing.assert_array_equal(even[table.name].y, table.y)


def test_bands_are_means_of_eight_neighbours(lab):
    spectra = replace(
        toy().tables[0], x=np.arange(250 * 512.0).reshape(250, 512), y=toy().tables[0].y.copy()
    )
    data = banded(AnomalyTables("spectra", (spectra,), simulated=True))
    assert data.tables[0].x.shape == (250, 64)
    assert data.tables[0].x[0, :2].tolist() == [3.5, 11.5]
    assert data.name != "spectra"
