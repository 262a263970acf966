import json

import jax
import pytest

from theory.claims import Budget, Claim, Comparison, Control, Finding, Row, claims, papers
from theory.claims.claim import Verdict, remember

TINY = Budget("tiny", seeds=1, effort=1.0, data=1.0)


def toy(lab):
    drawn = float(jax.random.normal(lab.key))
    value = -drawn if lab.fault == "sign" else drawn
    return Finding("supported", Comparison(value, (value, float("inf")), 1), 0.5, "m")


CLAIM = Claim(
    "toy", "one", "s", "o", "n", "d", toy, simulate=lambda: "words", faults={"sign": "flipped"}
)


def test_check_is_a_function_of_its_key():
    first, second = (CLAIM.check(TINY, key=jax.random.key(3)) for _ in range(2))
    assert first.finding == second.finding
    assert CLAIM.check(TINY, key=jax.random.key(4)).finding != first.finding


def test_fault_reaches_the_experiment():
    honest = CLAIM.check(TINY, key=jax.random.key(3)).finding.comparison.effect
    faulty = CLAIM.check(TINY, key=jax.random.key(3), fault="sign").finding.comparison.effect
    assert faulty == -honest != 0


def test_unknown_fault_is_named():
    with pytest.raises(ValueError, match=r"\['sign'\], got 'gravity'"):
        CLAIM.check(TINY, key=jax.random.key(0), fault="gravity")


def test_verdict_survives_json():
    finding = Finding(
        "undecided",
        Comparison(1.25, (-float("inf"), 3.0), 2),
        1.0,
        "F1 points",
        (Row("a", 1.0, (0.5, 1.5), 98.95), Row("b", 2.0)),
        (Control("q", "refuted", -1.0, (-2.0, 0.0)),),
        "note",
        {"x": [1, 2]},
        "same",
    )
    verdict = Verdict("p/c", finding, "smoke", "data", 1.5)
    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict
    assert str(verdict).startswith("p/c: undecided (effect 1.25 F1 points, 95 % [-inf, 3]")


def test_memory_computes_once():
    calls = []
    recall = remember()
    assert [recall("a", lambda: calls.append(1) or 7) for _ in range(2)] == [7, 7]
    assert len(calls) == 1


@pytest.mark.parametrize(
    "amounts", [{"seeds": 0}, {"effort": 0.0}, {"effort": 1.5}, {"data": -0.1}]
)
def test_budget_out_of_range_is_named(amounts):
    with pytest.raises(ValueError, match=f"{next(iter(amounts))}.*{next(iter(amounts.values()))}"):
        Budget("b", **{"seeds": 1, "effort": 1.0, "data": 1.0, **amounts})


def test_every_claim_names_its_paper_and_has_a_planted_fault():
    for paper in papers():
        found = claims(paper)
        assert len({claim.id for claim in found}) == len(found) >= 4
        assert all(claim.paper == paper and claim.faults for claim in found)


def test_unknown_paper_is_named():
    with pytest.raises(ValueError, match=r"exist for qttention, .*; got 'quttention'"):
        claims("quttention")
