import json
import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurons.search import (
    Budget,
    Checkpoint,
    Evolution,
    SearchResult,
    Space,
    compress,
    frame_of,
    search,
)
from neurons.task_based import Expression, Operator

TWELVE = {
    "2*x**3 + sin(x)": lambda x: 2 * x**3 + np.sin(x),
    "x**2 + 0.5*x": lambda x: x**2 + 0.5 * x,
    "x**5 - 2*x**3 + 0.5*x": lambda x: x**5 - 2 * x**3 + 0.5 * x,
    "1.5*x*exp(-0.5*x**2)": lambda x: 1.5 * x * np.exp(-0.5 * x**2),
    "sin(2.7*x) + 0.3*x**2": lambda x: np.sin(2.7 * x) + 0.3 * x**2,
    "tanh(1.3*x) - 0.8*x": lambda x: np.tanh(1.3 * x) - 0.8 * x,
    "log(1 + x**2) + 0.7*cos(x)": lambda x: np.log(1 + x**2) + 0.7 * np.cos(x),
    "4/(1 + exp(-3*x))": lambda x: 4 / (1 + np.exp(-3 * x)),
    "x*sin(1.7*x)": lambda x: x * np.sin(1.7 * x),
    "1/(1 + 0.5*x**2) + x": lambda x: 1 / (1 + 0.5 * x**2) + x,
    "x**3 - x": lambda x: x**3 - x,
    "0.8*x**2*cos(x) + exp(0.5*x)": lambda x: 0.8 * x**2 * np.cos(x) + np.exp(0.5 * x),
}
KINKED = {
    "abs(x - 0.4)": lambda x: np.abs(x - 0.4),
    "relu(x - 0.3) + 0.5*x**2": lambda x: np.maximum(x - 0.3, 0) + 0.5 * x**2,
}
QUICK = Budget(evolution=Evolution(epochs=0))
TINY = Evolution(islands=4, population=6, epochs=2, generations=2)


def sample(f, noise=0.0, samples=500, inputs=5, seed=0, span=2.0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-span, span, (samples, inputs))
    y = f(x).sum(axis=1)
    return x, y + noise * y.std() * rng.normal(size=samples)


def off(found, f, inputs=5):
    """Error on fresh data from a wider range, relative to the target's spread."""
    x, y = sample(f, seed=99, inputs=inputs, span=2.4)
    return np.sqrt(np.mean((found.predict(x) - y) ** 2)) / y.std()


@pytest.mark.parametrize("name", [*TWELVE, *KINKED])
def test_formulas_without_noise_are_found(name):
    f = (TWELVE | KINKED)[name]
    found = search(*sample(f), budget=QUICK)
    assert found.status == "exact"
    assert off(found, f) < 1e-9


@pytest.mark.parametrize("inputs", [1, 20])
def test_the_number_of_inputs_does_not_matter(inputs):
    f = TWELVE["sin(2.7*x) + 0.3*x**2"]
    assert off(search(*sample(f, inputs=inputs), budget=QUICK), f, inputs) < 1e-9


def test_a_rich_formula_is_found():
    f = lambda x: np.tanh(2 * x - 1) + 0.3 * x**2  # noqa: E731
    found = search(*sample(f), budget=QUICK)
    assert found.steps[-1] == "shifted terms"
    assert off(found, f) < 1e-9


def test_noise_ends_the_search_where_the_data_has_no_more_to_say():
    x, y = sample(TWELVE["sin(2.7*x) + 0.3*x**2"], noise=0.1, samples=1000)
    found = search(x, y, budget=QUICK)
    assert found.status == "adequate"
    assert {term.structure for term in found.best.terms} == {
        ("x", 2, "**"),
        ("x", 1.0, "*", "sin"),
    }
    wave = next(k for k, term in enumerate(found.best.terms) if "sin" in term.postfix)
    error = found.best.constant_errors[0]
    assert 0 < error < 0.02
    assert abs(abs(found.best.terms[wave].constants[0]) - 2.7) < 4 * error
    assert found.lack_of_fit.noise == pytest.approx(0.1 * y.std(), rel=0.1)
    assert found.lack_of_fit.linear < 1e-9 < found.lack_of_fit.best


def test_standard_errors_are_those_of_linear_regression():
    x, y = sample(lambda t: t**2 - t, noise=0.2)
    found = search(x, y, Space(powers=(1, 2), functions=()))
    design = np.column_stack([np.ones(500), x.sum(axis=1), (x**2).sum(axis=1)])
    beta, rest = np.linalg.lstsq(design, y, rcond=None)[:2]
    spread = np.sqrt(np.diag(np.linalg.inv(design.T @ design)) * rest / (500 - 3))
    np.testing.assert_allclose(np.ravel(found.best.coefficients), beta[1:], rtol=1e-8)
    np.testing.assert_allclose(found.best.intercept, beta[:1], rtol=1e-6)
    np.testing.assert_allclose(np.ravel(found.best.errors), spread[1:], rtol=1e-6)


def test_several_targets_share_the_terms():
    x, _ = sample(np.sin)
    y = np.stack([np.sin(1.5 * x).sum(1), (2 * x + 3 * np.sin(1.5 * x)).sum(1) + 1], axis=1)
    found = search(x, y, budget=QUICK)
    np.testing.assert_allclose(found.predict(x), y, atol=1e-8)
    assert found.status == "exact"
    assert len(found.best.terms) == 2


def test_weights_silence_samples():
    x, y = sample(lambda t: t**2)
    spoilt = y.copy()
    spoilt[:100] += 50
    weights = np.ones(500)
    weights[:100] = 0.0
    found = search(x, spoilt, weights=weights, budget=QUICK)
    assert off(found, lambda t: t**2) < 1e-9


def test_the_front_trades_complexity_for_loss():
    found = search(*sample(TWELVE["x**5 - 2*x**3 + 0.5*x"], noise=0.05), budget=QUICK)
    sizes = [each.complexity for each in found.front]
    losses = [each.loss for each in found.front]
    assert len(sizes) > 2
    assert sizes == sorted(set(sizes))
    assert losses == sorted(losses, reverse=True)
    assert any(each.terms == found.best.terms for each in found.front)


def test_results_survive_json():
    found = search(*sample(np.tanh, noise=0.1), budget=QUICK)
    again = SearchResult.from_json(found.to_json())
    assert again == found
    assert pickle.loads(pickle.dumps(found)) == found
    with pytest.raises(ValueError, match="no search result"):
        SearchResult.from_json(json.dumps({"best": 1}))


def test_the_formula_is_a_jax_function_and_a_neuron():
    f = TWELVE["x*sin(1.7*x)"]
    found = search(*sample(f), budget=QUICK)
    x = jnp.linspace(-2, 2, 7)
    np.testing.assert_allclose(jax.jit(found.to_jax())(x), f(np.asarray(x)), atol=2e-6)
    assert found.to_neuron().parameters(5) == 6
    assert abs(complex(found.sympy().subs("x", 1.0)) - f(1.0)) < 1e-9
    assert "sin" in found.latex()


def test_custom_operators_are_used():
    bump = Operator("bump", 1, lambda x: jnp.exp(-(x**4)), numpy=lambda x: np.exp(-(x**4)))
    f = lambda x: np.exp(-((1.3 * x) ** 4))  # noqa: E731
    found = search(*sample(f), Space(functions=("sin",), operators=(bump,)), budget=QUICK)
    assert "bump" in str(found.best)
    assert off(found, f) < 1e-9


def test_guesses_are_tried():
    f = lambda x: np.sin(np.exp(np.tanh(x)) * 3)  # noqa: E731
    found = search(
        *sample(f), engine="genetic", budget=QUICK, guesses=["sin(2.9*exp(tanh(1.05*x)))"]
    )
    assert off(found, f) < 1e-6


def test_a_triangle_is_data_enough():
    f = TWELVE["tanh(1.3*x) - 0.8*x"]
    x, y = sample(f)
    found = search(compress(x, y, frame_of(x)), budget=QUICK)
    assert off(found, f) < 1e-9


def test_workers_do_not_change_the_result():
    x, y = sample(lambda t: np.sin(np.exp(np.cos(2 * t))), noise=0.01, samples=200)
    space = Space(functions=("sin", "cos", "exp"))
    ask = {"engine": "genetic", "budget": Budget(evolution=TINY), "key": jax.random.key(3)}
    alone = search(x, y, space, **ask)
    with ThreadPoolExecutor(8) as eight:
        assert search(x, y, space, executor=eight, **ask).front == alone.front
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as two:
        assert search(x, y, space, executor=two, **ask).front == alone.front
    assert search(x, y, space, **(ask | {"key": 4})).steps == alone.steps


def test_a_killed_search_resumes_and_ends_with_the_same_front(tmp_path):
    x, y = sample(lambda t: np.sin(np.exp(np.cos(2 * t))), noise=0.01, samples=200)
    space = Space(functions=("sin", "exp"))
    ask = {"engine": "genetic", "budget": Budget(evolution=TINY)}
    whole = search(x, y, space, **ask)
    keep = Checkpoint(tmp_path / "state.json")
    assert keep.read() is None

    def killed(progress):
        keep(progress)
        if progress.step == "epoch 0":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(x, y, space, callback=killed, **ask)
    resumed = search(x, y, space, resume=keep.read(), **ask)
    assert resumed.front == whole.front
    assert resumed.steps == whole.steps
    again = search(x, y, space, resume=keep.read(), callback=keep, **ask)
    assert search(x, y, space, resume=keep.read(), **ask).front == again.front == whole.front
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    with pytest.raises(ValueError, match="other data or with other settings"):
        search(x, y + x[:, 0], space, resume=keep.read(), **ask)
    with pytest.raises(ValueError, match="no state of a search"):
        search(x, y, space, resume="{}", **ask)


def test_callbacks_and_time_limits_stop():
    x, y = sample(lambda t: np.sin(np.exp(np.cos(2 * t))), samples=200)
    stopped = search(x, y, callback=lambda progress: progress.step == "powers")
    assert stopped.status == "stopped"
    assert stopped.steps == ("powers",)
    late = search(x, y, budget=Budget(seconds=1e-6))
    assert late.status == "stopped"
    assert late.best.loss < y.var()


@pytest.mark.parametrize("engine", ["tnsr"])
def test_back_ends_propose_and_the_search_fits(engine):
    f = lambda x: 2 * x**2 - 3 * x  # noqa: E731
    found = search(*sample(f, noise=0.01), engine=engine)
    assert off(found, f) < 0.01
    assert found.steps == ("powers", "back-end")


class Oracle:
    """A back-end that knows the structure but not the constant."""

    def propose(self, curve, space, seed):
        assert len(curve.x) == 64
        return [Expression(("x", 1.1, "*", "sin", "exp"))]


def test_a_back_end_is_an_object_with_propose():
    f = lambda x: np.exp(np.sin(1.3 * x))  # noqa: E731
    assert off(search(*sample(f), engine=Oracle()), f) < 1e-9
