"""Claims on the neuron search: faults flip them, and "the structure" is what we say it is."""

import json
from functools import cache

import jax
import numpy as np
import pytest

from neurons.search import Space, search
from neurons.task_based import Expression
from theory.claims import Budget, claims
from theory.claims.claim import Lab, remember
from theory.claims.neuron_search_experiments import counted, reaches, share
from theory.claims.neuron_search_problems import (
    PUBLIC,
    UNSEEN,
    Problems,
    Truth,
    bic_behind,
    draw,
    has_structure,
    public,
    unseen,
)

BUDGET = Budget("test", seeds=2, effort=0.02, data=0.5)
CLAIMS = {claim.name: claim for claim in claims("neuron_search")}
TIMED = {"compression_is_linear", "search_is_free_of_inputs"}


def toys():
    wave = PUBLIC["sin 2.7x + 0.3x²"]
    return Problems("a toy", {"wave": Truth(wave.function, 2, 1, wave.formula, "toy")}, (3,))


# Seconds as an idle machine shows them; on a busy one they spread too far to judge a claim by.
SECONDS = {
    "seconds by samples": [[0.001, 0.008, 0.064]] * 3,
    "seconds by inputs": [
        [{"raw": 0.01 * d, "compression": 0.001 * d, "search": 0.02} for d in (5, 20, 100)]
    ]
    * 3,
}


@cache
def memory():
    recall = remember()

    def timed(name, compute):
        measured = recall(name, compute)
        if name not in SECONDS:
            return measured
        assert min(jax.tree.leaves(measured)) > 0
        assert jax.tree.structure(measured) == jax.tree.structure(SECONDS[name])
        return SECONDS[name]

    return timed


@cache
def verdict(name, fault=None):
    claim = CLAIMS[name]
    data = claim.simulate() if isinstance(claim.simulate(), str) else toys()
    return claim.check(BUDGET, key=jax.random.key(0), data=data, recall=memory(), fault=fault)


FLIPS = [(name, fault) for name, claim in CLAIMS.items() for fault in claim.faults]


@pytest.mark.parametrize(("name", "fault"), FLIPS)
def test_a_planted_fault_refutes(name, fault):
    assert verdict(name, fault).status == "refuted"


@pytest.mark.parametrize("name", CLAIMS)
def test_the_honest_verdict_is_another(name):
    found = verdict(name)
    if name in TIMED:  # seconds on a busy machine prove little, but a fault costs more
        faulty = verdict(name, *CLAIMS[name].faults).finding
        assert found.finding.comparison.effect < faulty.comparison.effect / 1.3
    else:
        assert found.status == "supported"
    assert found.finding.rows
    assert json.loads(json.dumps(found.to_json())) is not None


def found(function):
    x, y = draw(function, 2, 0.0, np.random.default_rng(0), samples=300)
    return search(x, y).best


@pytest.mark.parametrize("name", ["2x³ + sin x", "4/(1 + exp(-3x))", "x³ - x"])
def test_an_exact_formula_has_the_structure_however_it_is_written(name):
    assert has_structure(found(PUBLIC[name].function), PUBLIC[name])


def test_other_constants_have_the_same_structure_and_other_formulas_have_not():
    near = found(lambda x: np.sin(2.6 * x) + 0.5 * x**2)
    assert has_structure(near, PUBLIC["sin 2.7x + 0.3x²"])
    assert not has_structure(near, PUBLIC["x sin 1.7x"])


def test_superfluous_terms_and_constants_are_no_structure():
    wave = PUBLIC["sin 2.7x + 0.3x²"]
    exact = found(wave.function)
    assert not has_structure(exact, Truth(wave.function, terms=1, constants=1))
    assert not has_structure(exact, Truth(wave.function, terms=2, constants=0))


@pytest.mark.parametrize("name", PUBLIC)
def test_formulas_write_their_functions_with_the_counted_constants(name):
    truth, x = PUBLIC[name], np.linspace(-2, 2, 50)
    formula = Expression.parse(truth.formula)
    offset = formula(x) - truth.function(x)
    np.testing.assert_allclose(offset - offset[0], 0, atol=1e-12)
    terms = formula.terms()[0]
    assert len(terms) == truth.terms
    assert sum(len(term.constants) for term in terms) == truth.constants


def test_bic_tells_a_formula_that_fits_worse_than_the_truth():
    wave = PUBLIC["sin 2.7x + 0.3x²"]
    x, y = draw(wave.function, 2, 0.0, np.random.default_rng(1), samples=300)
    right, wrong = (
        search(x, y, space).best for space in (Space(), Space(powers=(1, 2, 3), functions=()))
    )
    assert bic_behind(right, wave, x, y) < 0.1
    assert bic_behind(wrong, wave, x, y) > 100
    assert np.isnan(bic_behind(right, Truth(wave.function), x, y))


def test_every_function_is_finite_on_the_wider_range():
    x = np.linspace(-2.4, 2.4, 999)
    for truth in (*PUBLIC.values(), *unseen().truths.values()):
        assert np.isfinite(truth.function(x)).all()
    assert len(PUBLIC) == 12
    assert len(UNSEEN) == 24


def test_noise_is_relative_to_the_target():
    clean, noisy = (
        draw(np.sin, 3, noise, np.random.default_rng(0), samples=20000) for noise in (0.0, 0.1)
    )
    assert (noisy[1] - clean[1]).std() / clean[1].std() == pytest.approx(0.1, rel=0.03)


def test_problems_left_out_widen_the_interval_to_all_that_they_could_say():
    some = counted([True, False], of=8)
    assert (some.effect, some.interval) == (50.0, (12.5, 87.5))
    assert reaches(some, 50.0) == "undecided"
    assert reaches(some, 90.0) == "refuted"
    assert reaches(counted([True] * 20 + [False] * 4, of=24), 100 * 20 / 24) == "supported"
    assert reaches(counted([True] * 19 + [False] * 5, of=24), 100 * 20 / 24) == "refuted"


@pytest.mark.parametrize(("data", "names"), [(0.1, 2), (0.5, 12), (1.0, 12)])
def test_budgets_share_out_problems_evenly(data, names):
    lab = Lab(Budget("b", 1, 0.1, data), jax.random.key(0), public(), remember())
    chosen = share(lab, list(PUBLIC))
    assert len(chosen) == len(set(chosen)) == names


def test_problems_are_told_apart_by_what_they_are():
    assert public().digest == public().digest
    assert len({public().digest, unseen().digest, toys().digest}) == 3
