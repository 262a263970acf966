"""The search and its peers on the twelve public functions; imports no test tools, so that worker
processes run what users run: without the checks of annotations, which cost the search a factor 2.
"""

import time
import warnings

import numpy as np

from neurons.search import search
from neurons.task_based import Expression

TEXTS = (
    "2*x**3 + sin(x)",
    "x**2 + 0.5*x",
    "x**5 - 2*x**3 + 0.5*x",
    "1.5*x*exp(-0.5*x**2)",
    "sin(2.7*x) + 0.3*x**2",
    "tanh(1.3*x) - 0.8*x",
    "log(1 + x**2) + 0.7*cos(x)",
    "4/(1 + exp(-3*x))",
    "x*sin(1.7*x)",
    "1/(1 + 0.5*x**2) + x",
    "x**3 - x",
    "0.8*x**2*cos(x) + exp(0.5*x)",
)
SYMBOLS = "add,sub,mul,div,sin,cos,exp,log,tanh,sqrt,square,constant,variable"


def problem(text, inputs, rows=1000):
    x = np.random.default_rng(0).uniform(-2, 2, (rows, inputs))
    return x, Expression.parse(text)(x).sum(axis=1)


def extrapolates(predict, text, inputs):
    """Whether predictions equal the truth up to a constant, beyond the data too."""
    x = np.random.default_rng(1).uniform(-3, 3, (500, inputs))
    truth = Expression.parse(text)(x).sum(axis=1)
    gap = np.asarray(predict(x)) - truth
    return bool(np.isfinite(gap).all() and gap.std() < 0.02 * truth.std())


def ours(x, y):
    return search(x, y, key=0).predict


def of_text(text):
    """A formula as tnlearn writes it: `0.5@(torch.sin(x)) + 2@x**3`."""
    formula = Expression.parse((text or "0*x").replace("@", "*").replace("torch.", ""))
    return lambda x: formula(x).sum(axis=1)


def vectorised(x, y):
    """tnlearn's genetic programming at a twentieth of its default effort."""
    import tnlearn

    peer = tnlearn.VecSymRegressor(pop_size=500, max_generations=10)
    peer.fit(x, y)
    return of_text(peer.neuron)


def reinforced(x, y):
    import tnlearn

    peer = tnlearn.RLRegressor("all", verbose=False)
    peer.fit(x, y)
    return of_text(peer.neuron)


def on_columns(x, y):
    from pyoperon.sklearn import SymbolicRegressor

    options = {"objectives": ["r2", "length"], "population_size": 500, "generations": 40}
    peer = SymbolicRegressor(
        SYMBOLS, optimizer_iterations=5, max_length=50, n_threads=1, random_state=0, **options
    )
    return peer.fit(x, y).predict


def run(solve, texts, inputs):
    """Seconds that all took, and how many were recovered."""
    warnings.simplefilter("ignore")
    seconds, found = 0.0, 0
    for text in texts:
        x, y = problem(text, inputs)
        start = time.perf_counter()
        predict = solve(x, y)
        seconds += time.perf_counter() - start
        found += extrapolates(predict, text, inputs)
    return seconds, found
