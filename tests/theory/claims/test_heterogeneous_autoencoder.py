"""Claims on the heterogeneous autoencoder: judged rightly in planted worlds, flipped by faults.

Outcomes are planted here, so that all claims are judged in a second; the study that measures them
is tested in test_heterogeneous_autoencoder_study.py.
"""

import json
from functools import cache

import numpy as np
import pytest
from toy_detectors import verdict as planted_verdict

from theory.claims import claims
from theory.claims import heterogeneous_autoencoder_tables as paper

CLAIMS = {claim.name: claim for claim in claims("heterogeneous_autoencoder")}
ARITHMETIC = ("printed_averages_as_stated", "supplement_averages", "printed_order_survives")
# The best epoch and the averaging are alike in both worlds.
UNMOVED = (*ARITHMETIC, "best_epoch_changes_little", "averaging_matters")
# Faults that help the claim: they flip it where it is refuted, in the reversed world.
HELPFUL = {"negated_homogeneous", "negated_wide", "negated_baselines", "negated_forms"}
BASE = ("correction_helps", "negated_heterogeneous")  # here HAE-X is what is to be beaten


@cache
def verdict(name, world="paper", fault=None):
    return planted_verdict(CLAIMS[name], world, fault)


def expected(name, world):
    if name == "printed_averages_as_stated" or (world == "reverse" and name not in UNMOVED):
        return "refuted"
    return "supported"


@pytest.mark.parametrize("world", ["paper", "reverse"])
@pytest.mark.parametrize("name", list(CLAIMS))
def test_the_verdict_follows_the_world(name, world):
    assert verdict(name, world).status == expected(name, world)


@pytest.mark.parametrize(
    ("name", "fault"), [(name, fault) for name in CLAIMS for fault in CLAIMS[name].faults]
)
def test_planted_fault_flips_the_verdict(name, fault):
    world = "reverse" if fault in HELPFUL or (name, fault) == BASE else "paper"
    pair = {verdict(name, world, which).status for which in (None, fault)}
    assert pair == {"supported", "refuted"}


@pytest.mark.parametrize("name", list(CLAIMS))
def test_what_the_figures_get_is_json(name):
    found = verdict(name)
    assert json.loads(json.dumps(found.to_json(), allow_nan=False)) is not None
    assert found.finding.rows


def test_a_claim_on_methods_counts_sets_not_seeds():
    found = verdict("beats_plain_autoencoders_as_stated").finding
    assert found.comparison.seeds == 8
    (control,) = found.controls
    here = verdict("beats_plain_on_eight_sets_as_stated").finding
    assert here.comparison.seeds == 6
    assert control.interval == here.comparison.interval
    assert here.controls[0].interval == found.comparison.interval
    assert verdict("largest_gains_as_stated").finding.comparison.seeds == 6


def test_rows_quote_the_cell_of_the_set_and_the_mean_of_the_cells():
    rows = {r.label: r for r in verdict("beats_plain_autoencoders_as_stated").finding.rows}
    assert rows["pima, HAE-X: AUC"].published == 0.726
    mean = next(row for label, row in rows.items() if label.startswith("mean of 8 sets, HAE-X"))
    assert mean.published == pytest.approx(np.mean(paper.FIRST["HAE-X"].cells))
    assert all(row.interval is not None for row in rows.values())


def test_series_have_the_shape_that_the_figures_draw():
    shown = verdict("beats_baselines_as_stated").finding.series
    sets, methods = len(shown["auc"]["sets"]), len(shown["auc"]["methods"])
    assert (sets, methods) == (14, 10)
    for part in ("ours", "sd", "published"):
        assert np.shape(shown["auc"][part]) == (sets, methods)
    assert len(shown["ranks"]["mean"]) == methods
    depth = verdict("quadratic_degrades_with_depth").finding.series["depth"]
    assert np.shape(depth["low"]) == np.shape(depth["published"]) == (5, 4)
    rate = verdict("small_ratio_is_stable_as_stated").finding.series["rate"]
    assert np.shape(rate["high"]) == (2, 2, 11)


def test_printed_tables_are_complete_and_hold_the_papers_numbers():
    for table, sets in ((paper.FIRST, 8), (paper.FIFTEEN, 15)):
        assert {len(row.cells) for row in table.values()} == {sets}
    assert paper.printed(paper.FIFTEEN, paper.FIFTEEN_SETS, "HAE-X", "WPBC") == 0.438
    assert paper.printed(paper.FIFTEEN, paper.FIFTEEN_SETS, "HAE-X", "elsewhere") is None
    assert paper.FIRST["HAE-I"].mean == pytest.approx(0.7726, abs=1e-4)
