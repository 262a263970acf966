"""Figures of the heterogeneous autoencoder: every number drawn is one that a verdict carries."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from paper_figures import heterogeneous_autoencoder, style
from theory.claims import Comparison, Finding, Verdict
from theory.claims.heterogeneous_autoencoder import CLAIMS

PLANTED = Path(__file__).parents[1] / "theory/claims/toy_detectors.py"

METHODS = ["HAE-X", "AE", "Isolation Forest", "PCA"]
AUC = {
    "sets": ["glass", "pima", "wdbc"],
    "methods": METHODS,
    "ours": [[0.61, 0.58, 0.9, None], [0.7, 0.66, 0.7, 0.65], [0.99, 1.0, 0.3, 0.98]],
    "sd": [],
    "published": [[0.593, 0.571, None, None], [0.726, 0.657, None, None], [None] * 4],
    "seeds": 4,
}
RANKS = {
    "methods": METHODS, "mean": [1.2, 1.9, 3.1, 3.8], "difference": 1.0, "p": 0.03, "sets": 14,
    "level": 0.05,
}  # fmt: skip
ROW = {"row": 3, "x": [1.0, -2.0, 0.5], "reconstruction": [0.9, 0.0, 0.4], "score": 2.0}
ROWS = {
    "set": "pima", "method": "HAE-X", "columns": 3, "threshold": 2.5, "normal": ROW,
    "anomalous": {**ROW, "score": 4.0},
}  # fmt: skip
CURVES = {"ours": [[0.65, 0.6], [0.6, 0.3]], "low": [[0.6, 0.5], [0.5, 0.2]]}
CURVES["high"] = [[0.7, 0.7], [0.7, 0.4]]
DEPTH = {
    "depths": ["V1", "V4"], "methods": ["HAE-X", "QAE"], **CURVES, "set": "optdigits",
    "published": [[0.68, 0.647], [0.599, 0.316]], "seeds": 4,
}  # fmt: skip
RATE = {
    "set": ["glass", "pima"], "methods": ["HAE-X", "HAE-Y"], "ratios": [0.0, 1.0],
    **{part: [values, values] for part, values in CURVES.items()}, "seeds": 4,
    "published_stable": [0, 0.4], "published_unstable": [0.4, 0.8],
}  # fmt: skip
SERIES = {
    "beats_plain_autoencoders_as_stated": {"auc": AUC, "rows": ROWS},
    "beats_twins_as_stated": {"auc": AUC},
    "beats_baselines_as_stated": {"auc": AUC, "ranks": RANKS},
    "quadratic_degrades_with_depth": {"depth": DEPTH},
    "small_ratio_is_stable_as_stated": {"rate": RATE},
}
DEEP = "quadratic_degrades_with_depth"
SLUGS = {
    "auc-table", "auc-twins", "auc-detectors", "critical-difference", "depth", "rate-ratio",
    "reconstructions",
}  # fmt: skip


def verdict(name, series, data="anomalies: glass, pima (real)"):
    finding = Finding("supported", Comparison(0.0, (0.0, 0.0), 4), 0.01, "AUC", series=series)
    return Verdict(f"heterogeneous_autoencoder/{name}", finding, "smoke", data, 0.0)


@pytest.fixture(scope="module")
def pictures():
    with style.look():
        return heterogeneous_autoencoder.draw({n: verdict(n, s) for n, s in SERIES.items()})


def texts(picture):
    return [text.get_text() for axes in picture.figure.axes for text in axes.texts]


def lines(picture, place=0):
    return [line.get_xydata().tolist() for line in picture.figure.axes[place].lines]


def test_all_figures_are_drawn_and_name_their_budget(pictures):
    assert set(pictures) == SLUGS
    assert all("smoke" in picture.caption for picture in pictures.values())


def test_the_claims_carry_what_the_figures_draw():
    spec = importlib.util.spec_from_file_location("toy_detectors", PLANTED)
    toys = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(toys)
    evidence = {claim.name: toys.verdict(claim) for claim in CLAIMS if claim.name in SERIES}
    with style.look():
        assert set(heterogeneous_autoencoder.draw(evidence)) == SLUGS


def test_a_claim_that_failed_leaves_its_figures_out():
    with style.look():
        some = heterogeneous_autoencoder.draw({DEEP: verdict(DEEP, SERIES[DEEP])})
    assert set(some) == {"depth"}


def test_captions_say_whether_data_are_simulated():
    simulated = verdict(DEEP, SERIES[DEEP], "simulated_anomalies: shifted (simulated)")
    with style.look():
        drawn = heterogeneous_autoencoder.draw({DEEP: simulated})
    assert "simulated data" in drawn["depth"].caption


def test_every_cell_shows_ours_and_the_papers(pictures):
    shown = texts(pictures["auc-table"])
    assert {"61.0", "(59.3)", "66.0", "(65.7)", "30.0", "100"} <= set(shown)
    assert shown.count("90.0") == 1
    assert "nan" not in "".join(shown)


def test_means_compare_the_same_sets(pictures):
    shown = texts(pictures["auc-table"])
    rows = [t.get_text() for t in pictures["auc-table"].figure.axes[0].get_yticklabels()]
    assert rows == ["glass", "pima", "wdbc", "mean of the paper's 2", "mean of all 3"]
    assert {"65.5", "(66.0)", "76.7"} <= set(shown)  # HAE-X: ours and theirs on two, ours on three
    bold = [
        t.get_text() for t in pictures["auc-table"].figure.axes[0].texts if t.get_weight() == "bold"
    ]
    assert bold[:4] == ["90.0", "70.0", "70.0", "100"]


def test_ranks_stand_at_their_places_and_bars_join_what_is_alike(pictures):
    shown = lines(pictures["critical-difference"])
    assert all([[rank, 0.0]] in shown for rank in RANKS["mean"])
    bars = [line for line in shown if len(line) == 2 and line[0][1] == line[1][1] <= -0.5]
    np.testing.assert_allclose([[x for x, _ in bar] for bar in bars], [[1.14, 1.96], [3.04, 3.86]])
    assert "p = 0.03" in pictures["critical-difference"].caption
    assert "Isolation Forest  3.10" in texts(pictures["critical-difference"])


def test_depths_show_intervals_and_the_papers_numbers(pictures):
    heights = [[y for _, y in line] for line in lines(pictures["depth"])]
    assert [0.65, 0.6] in heights
    assert [0.599, 0.316] in heights
    assert "Hollow diamonds" in pictures["depth"].caption


def test_without_the_papers_numbers_none_are_drawn_or_named():
    series = {"depth": {**DEPTH, "published": None}}
    with style.look():
        drawn = heterogeneous_autoencoder.draw({DEEP: verdict(DEEP, series)})["depth"]
    assert "diamonds" not in drawn.caption
    assert len(lines(drawn)) == 2


def test_every_set_has_its_panel_of_ratios(pictures):
    axes = pictures["rate-ratio"].figure.axes
    assert [panel.get_title(loc="left") for panel in axes] == ["glass", "pima"]
    assert [[0.0, 0.65], [1.0, 0.6]] in lines(pictures["rate-ratio"], 1)


def test_rows_stand_beside_their_reconstructions(pictures):
    shown = lines(pictures["reconstructions"], 1)
    assert [list(pair) for pair in enumerate(ROW["x"])] in shown
    assert [list(pair) for pair in enumerate(ROW["reconstruction"])] in shown
    titles = [axes.get_title(loc="left") for axes in pictures["reconstructions"].figure.axes]
    assert titles == [
        "normal row: distance 2.00, below the threshold 2.50",
        "anomalous row: distance 4.00, above the threshold 2.50",
    ]
