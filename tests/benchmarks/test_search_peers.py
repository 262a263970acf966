"""The search against tnlearn, the papers' own package, and against Operon on the raw columns.

Every row of the table times all functions it names, and says how many each side recovered: whose
formula, away from its intercept, extrapolates from |x| < 2 to |x| < 3 within 2 %.
"""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from search_peers import TEXTS, extrapolates, of_text, on_columns, ours, reinforced, run, vectorised

pytestmark = pytest.mark.peers
EXTRA = 'needs the peers extra: pip install "neuron-companion[peers]"'


def compare(record, peer, name, texts, inputs, bar):
    """Record a row; ours must recover everything, the peer what it can."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as clean:
        clean.submit(run, ours, texts[:1], inputs).result()  # builds the dictionary
        rounds = [clean.submit(run, ours, texts, inputs).result() for _ in range(3)]
        theirs, recovered = clean.submit(run, peer, texts, inputs).result()
    found = min(count for _, count in rounds)
    what = f"{len(texts)} formulas, d={inputs}: {found} found"
    record(what, f"{name}: {recovered}", [seconds for seconds, _ in rounds], [theirs], bar)
    assert found == len(texts) >= recovered


def test_what_counts_as_recovered():
    text = "x**2 + 0.5*x"
    assert extrapolates(of_text("1.0000@(x**2) + 0.5001@x + 7"), text, 5)
    assert not extrapolates(of_text("10.1627 + 0.0707@(x**4) - 2.0356@(torch.cos(x))"), text, 5)
    assert not extrapolates(of_text(None), text, 5)


@pytest.mark.parametrize(("inputs", "texts"), [(5, TEXTS[:2]), (50, TEXTS[1:2])])
def test_a_hundred_times_faster_than_vectorised_programming(inputs, texts, record):
    pytest.importorskip("tnlearn", reason=EXTRA)
    compare(record, vectorised, "tnlearn VecSym 500x10", texts, inputs, bar=0.01)


@pytest.mark.parametrize("inputs", [5, 50])
def test_faster_than_reinforcement_learning(inputs, record):
    pytest.importorskip("tnlearn", reason=EXTRA)
    compare(record, reinforced, "tnlearn RL all", TEXTS, inputs, bar=1.0)


def test_faster_than_operon_on_the_columns(record):
    pytest.importorskip("pyoperon", reason=EXTRA)
    compare(record, on_columns, "Operon on columns", TEXTS[::2], 5, bar=0.1)
