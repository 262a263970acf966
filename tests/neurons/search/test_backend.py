"""Back-ends see one target at a time, in units that suit them, and answer in the data's own."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from engines import Powers, curve_of

from neurons.search.backend import (
    Backend,
    BackendUnavailable,
    legal,
    propose_in,
    tasks,
)
from neurons.search.operon import Operon
from neurons.search.pysr import Pysr
from neurons.search.space import Space
from neurons.task_based import Expression, Operator

parse = Expression.parse
SPACE = Space(powers=range(1, 4), functions=("sin",))


def cube(x):
    return x**3


def test_what_is_missing_is_named_with_its_reason_and_its_extra():
    with pytest.raises(BackendUnavailable, match="operon is not available: no such file") as caught:
        raise BackendUnavailable("operon", "no such file", "operon")
    assert 'pip install "neuron-companion[operon]"' in str(caught.value)
    assert (caught.value.backend, caught.value.reason) == ("operon", "no such file")


@pytest.mark.parametrize("engine", [Operon(), Pysr(), Powers()])
def test_engines_keep_the_protocol_and_are_values(engine):
    assert isinstance(engine, Backend)
    assert hash(engine) == hash(replace(engine))


def test_a_task_per_target_that_depends_on_x():
    curve = curve_of(np.sin, lambda x: 0 * x, lambda x: 100 * x**2)
    first, second = tasks(curve)
    for task, target in ((first, 0), (second, 2)):
        assert task.y.std() == pytest.approx(1)
        np.testing.assert_allclose(task.y * task.scale, curve.value[:, target], rtol=1e-12)
        np.testing.assert_array_equal(task.x, curve.x)


@pytest.mark.parametrize("size", [1e-9, 0.5, 1e12])
def test_formulas_come_back_in_the_data_s_units(size):
    curve = curve_of(lambda x: 7 * (x / size) ** 2, low=-size, high=2 * size)
    (task,) = tasks(curve)
    assert 0.1 <= np.abs(task.x).max() <= 10
    ((term,), (found,)) = (parse("x**2"),), (1 / (task.x**2).std(),)
    restored = task.restore([term], [found])(curve.x)
    np.testing.assert_allclose(restored - restored.mean(), curve.value[:, 0], rtol=1e-9, atol=1e-9)


def test_weights_are_those_of_the_errors():
    error = np.linspace(0.1, 0.3, 64)
    (task,) = tasks(curve_of(np.sin, error=error))
    np.testing.assert_allclose(task.weight, (0.1 / error) ** 2, rtol=1e-12)


def test_errors_below_what_engines_resolve_count_alike():
    (task,) = tasks(curve_of(np.sin, error=np.geomspace(1e-14, 1e-9, 64)))
    np.testing.assert_array_equal(task.weight, 1.0)


@pytest.mark.parametrize(
    ("space", "kept"),
    [
        (SPACE, ["2*x", "x*sin(x)", "sin(sin(x))", "x + x**2 + sin(x)"]),
        (
            Space(functions=("sin",), nested={"sin": {"sin": 0}}),
            ["2*x", "x*sin(x)", "x + x**2 + sin(x)"],
        ),
        (Space(terms=2), ["2*x", "x*sin(x)", "sin(sin(x))"]),
        (Space(max_complexity=6), ["2*x", "x*sin(x)", "sin(sin(x))"]),
        (Space(max_complexity=5), ["2*x", "sin(sin(x))"]),
        (Space(constraints={"*": 1}), ["2*x", "sin(sin(x))", "x + x**2 + sin(x)"]),
    ],
)
def test_only_formulas_of_the_space_are_kept(space, kept):
    (task,) = tasks(curve_of(np.sin))
    texts = ["1.5", "2*x", "x*sin(x)", "sin(sin(x))", "x + x**2 + sin(x)", "oops(x)", "2*x + 1"]
    expected = [task.restore(*parse(text).terms()[:2]) for text in kept]
    assert legal(space, task, parse, texts) == expected


def test_products_of_sums_come_multiplied_out_too():
    (task,) = tasks(curve_of(np.sin))
    product, polynomial = legal(SPACE, task, parse, ["(x + 1.5)*(x - 2)"])
    x = np.linspace(-2, 2, 9)
    np.testing.assert_allclose(product(x), task.scale * (x + 1.5) * (x - 2))
    np.testing.assert_allclose(polynomial(x), task.scale * (x**2 - 0.5 * x), atol=1e-15)
    assert len(polynomial.terms()[0]) == 2


def test_custom_operators_survive():
    space = Space(operators=[Operator("cube", 1, cube)])
    (task,) = tasks(curve_of(np.sin))
    (found,) = legal(space, task, lambda text: parse(text, space.table), ["3*cube(x)"])
    assert found(2.0) == pytest.approx(24 * task.scale)


def proposed(executor):
    return propose_in(executor, Powers(), curve_of(np.sin), SPACE, range(4))


def test_seeds_run_side_by_side_and_come_back_in_order(monkeypatch):
    expected = [parse("x**2"), parse("x"), parse("x**3")]
    for workers in (1, 2, 8):
        with ThreadPoolExecutor(workers) as executor:
            assert proposed(executor) == expected
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        assert proposed(executor) == expected
