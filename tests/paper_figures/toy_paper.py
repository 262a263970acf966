"""A paper of three claims that share slow partial results; also a script, to be killed by tests."""

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np

from paper_figures import style
from paper_figures.__main__ import main
from paper_figures.catalogue import Paper
from theory.claims import Claim, Comparison, Control, Finding, Row, greater, mean_effect

PAUSE = 0.0  # seconds that work takes
ENTRIES = int(os.environ.get("TOY_ENTRIES", "0"))  # of the store, after which it is to be stopped
FATAL = os.environ.get("TOY_FATAL", "")  # a file whose finder dies, with its process


class Coins:
    """The simulated data set."""

    digest = "coins-1"

    def __str__(self):
        return "Coins (simulated, <0.5 g>)"


def work():
    """What takes time; without an end once the store has as many entries as a test waits for."""
    time.sleep(PAUSE)
    if FATAL and Path(FATAL).exists():
        Path(FATAL).unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    while ENTRIES and len(list(Path().rglob("*.json"))) >= ENTRIES:
        time.sleep(0.05)


def unit(lab, name, seed):
    def compute():
        work()
        return {"score": 0.1 + seed / 3.0, "nothing": float("nan"), "pair": (1, 2)}

    return lab.recall(f"train/{name}/seed{seed}", compute)


def pieces(lab):
    return [partial(unit, lab, "quadratic", seed) for seed in range(lab.budget.seeds)]


def scores(lab, name):
    return [unit(lab, name, seed)["score"] for seed in range(lab.budget.seeds)]


def better(lab):
    shift = 4.0 if lab.fault is None else -4.0
    effects = [a + shift for a in scores(lab, "quadratic")]
    found = mean_effect(effects)
    status = greater(found, 0.5)
    rows = (
        Row("accuracy of quadratic, %", 97.123, (96.9, 97.4), 98.5),
        Row("parameters", 12480.0, None, None),
    )
    controls = (Control("more data does not help", "undecided", -0.31, (-1.2, 0.55)),)
    note = "Few seeds & wide <intervals>."
    series = {"x": [0, 1], "y": [effects, effects]}
    return Finding(status, found, 0.5, "accuracy points", rows, controls, note, series)


def equal(lab):
    found = mean_effect([a - 0.4 for a in scores(lab, "quadratic")])
    return Finding("undecided", found, 0.2, "accuracy points")


def worse(lab):
    found = Comparison(-12.4, (-float("inf"), float("inf")), 1)
    work()
    scores(lab, "linear")
    return Finding("refuted", found, 1.0, "dB", (Row("loss, dB", -3.2e-7, (-4e-7, -2e-7), -1.5),))


def broken(lab):
    raise RuntimeError("no <such> thing")


def claim(name, experiment, **more):
    return Claim(
        paper="toy",
        name=name,
        statement=f"Quadratic neurons are {name} <than> linear ones by 4 points at -6 dB.",
        source="A. Author & B. Writer, Toy neurons, arXiv:0000.00000, Table 2.",
        published="98.5 % against 94.1 %, ten runs, best epoch on the test set.",
        differs="Simulated coins; the last epoch instead of the best one.",
        experiment=experiment,
        simulate=Coins,
        faults={"shift": "the effect's sign is turned"},
        **more,
    )


def draw(evidence):
    fig, axes = style.figure(columns=2, height=2.4)
    style.seeds_line(axes[0, 0], [0, 1], np.ones((3, 2)), label="ours", colour=style.BLUE)
    style.published(axes[0, 0], [0, 1], [0.5, evidence["better"].finding.comparison.effect])
    axes[0, 0].legend()
    axes[0, 0].set(xlabel="noise, dB", ylabel="accuracy, %", title="a  accuracy")
    axes[0, 1].bar([0, 1], [3, 2], color=style.GREEN)
    return {"effects": style.Picture(fig, "Effects of <b>neurons</b>, by seed.")}


def paper(*, claims=None, draw=draw, title="Toy neurons"):
    three = (claim("better", better), claim("equal", equal), claim("worse", worse, data="coins"))
    return Paper("toy", title, three if claims is None else claims, "toy_paper", draw, pieces)


class NoReader:
    """Public data that nobody has."""

    class DataError(Exception):
        pass

    @staticmethod
    def available(name, folder=None):
        return False


def elsewhere():
    """As the script does it, where a worker imports this module: nobody has public data."""
    sys.modules["neurons.data"] = NoReader
    return paper()


if __name__ == "__main__":
    # pytest finds this module by its folder, which is also that of the script: one code version.
    sys.path.insert(0, str(Path(__file__).parent))
    import toy_paper

    sys.exit(main(sys.argv[1:], {"toy": toy_paper.elsewhere}))
