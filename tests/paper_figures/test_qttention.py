import numpy as np
import pytest

from paper_figures import qttention
from theory.claims import Comparison, Finding, Row, Verdict

F1 = {"QCNN": [[80.0, 82.0], [90.0, 94.0], [99.0, 99.0]], "WDCNN": [[70.0, 71.0]] * 3}
RATE, SAMPLES, HZ = 12_000.0, 2048, 107.0


def verdict(name, series, rows=()):
    finding = Finding("undecided", Comparison(0.0, (-1.0, 1.0), 2), 1.0, "u", rows, series=series)
    return Verdict(f"qttention/{name}", finding, "smoke", "toy records", 0.0)


def example():
    time = np.arange(SAMPLES) / RATE
    strikes = (np.exp(-50 * ((time * HZ) % 1))).tolist()
    return {
        "class": "outer_021",
        "rate": RATE,
        "fault_hz": HZ,
        "signal": strikes,
        "maps": [strikes, strikes],
        "signal_spectrum": [0.1] * 60,
        "map_spectra": [[0.2] * 60] * 2,
    }


@pytest.fixture(scope="module")
def evidence():
    impacts = {"examples": [example()] * 3, "maps": []}
    counts = {"QCNN": 158534, "WDCNN": 66790}
    rows = (Row("QCNN macro-F1 at -6 dB, %", 80.0, (70.0, 120.0)), Row("level alone, %", 95.0))
    return {
        "gap_closes": verdict(
            "gap_closes",
            {"snr_db": [-6.0, 0.0, 6.0], "f1": F1, "published": {"QCNN": [98.95, 99.94, 99.99]}},
        ),
        "not_the_parameters": verdict(
            "not_the_parameters",
            {"parameters": counts, "f1": {m: runs[0] for m, runs in F1.items()}},
        ),
        "beats_level": verdict("beats_level", {}, rows),
        "maps_show_impacts": verdict("maps_show_impacts", impacts),
    }


@pytest.fixture(scope="module")
def pictures(evidence):
    return qttention.draw(evidence)


def curves(picture, row=0, column=0):
    grid = picture.figure.axes
    width = len({axes.get_position().x0 for axes in grid})
    return [line.get_xydata() for line in grid[row * width + column].lines]


def test_all_figures_of_the_issue_are_drawn(pictures):
    assert set(pictures) == {"f1-by-noise", "parameters", "level", "maps", "spectra"}
    assert all("toy records" in picture.caption for picture in pictures.values())


def test_a_claim_that_failed_leaves_its_figures_out(evidence):
    only = {name: v for name, v in evidence.items() if name == "gap_closes"}
    assert set(qttention.draw(only)) == {"f1-by-noise"}


def test_noise_curve_shows_means_of_seeds_and_the_papers_numbers(pictures):
    drawn = [curve.tolist() for curve in curves(pictures["f1-by-noise"])]
    assert [[-6.0, 81.0], [0.0, 92.0], [6.0, 99.0]] in drawn
    assert [[-6.0, 98.95], [0.0, 99.94], [6.0, 99.99]] in drawn


def test_parameters_are_the_abscissa(pictures):
    drawn = [curve.tolist() for curve in curves(pictures["parameters"])]
    assert [[158.534, 81.0]] in drawn
    assert [[66.79 + 1, 70.5]] in drawn  # markers stand side by side


def test_intervals_of_scores_end_at_a_hundred_percent(pictures):
    drawn = [curve.tolist() for curve in curves(pictures["level"])]
    assert [[70.0, 1.0], [100.0, 1.0]] in drawn


def test_fault_periods_are_marked_where_the_map_peaks(pictures):
    marks = [c[0, 0] for c in curves(pictures["maps"]) if len(c) == 2 and c[0, 0] == c[1, 0]]
    assert np.diff(marks) == pytest.approx(1e3 / HZ)
    # Strikes fall on multiples of the period; the decaying ringing pulls the phase slightly late.
    offset = (marks[1] * HZ / 1e3) % 1
    assert min(offset, 1 - offset) < 0.05


def test_spectra_mark_the_fault_frequency_and_two_harmonics(pictures):
    marks = [c[0, 0] for c in curves(pictures["spectra"]) if len(c) == 2]
    assert marks == [HZ, 2 * HZ, 3 * HZ]
