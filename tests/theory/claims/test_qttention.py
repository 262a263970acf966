"""Every claim of the Qttention paper can fail: a planted fault flips its verdict.

The records are toys that a network learns in two dozen steps: tones that differ between classes, in
noise. What is tested is the experiments and their judgement, not the claims.
"""

from functools import cache

import jax
import pytest
from toy_records import tones

from theory.claims import Budget, claims
from theory.claims.bearing import Settings, Task, level_scores
from theory.claims.claim import Lab, remember

BUDGET = Budget("test", seeds=3, effort=0.3, data=0.15)
CLAIMS = {claim.name: claim for claim in claims("qttention")}


@cache
def memory(kind):
    return tones(kind), remember()


def status(name, fault=None, kind="clear"):
    records, recall = memory(kind)
    verdict = CLAIMS[name].check(
        BUDGET, key=jax.random.key(0), data=records, recall=recall, fault=fault
    )
    return verdict.status


FLIPS = [
    ("noise_robust", "shuffle_quadratic", "refuted", "clear"),
    ("noise_robust", "shuffle_conventional", "supported", "clear"),
    ("gap_closes", "shuffle_quadratic", "refuted", "clear"),
    ("second_rig", "shuffle_quadratic", "refuted", "clear"),
    ("second_rig", "shuffle_conventional", "supported", "clear"),
    ("not_the_parameters", "shuffle_quadratic", "refuted", "clear"),
    ("not_the_parameters", "shuffle_conventional", "supported", "clear"),
    ("factorisation", "drop_bias", "refuted", "clear"),
    ("maps_show_impacts", "wrong_frequency", "refuted", "clear"),
    ("maps_show_impacts", "impulse_map", "supported", "clear"),
    ("scale_zero", "scale_tenth", "refuted", "clear"),
    ("growing_helps", "shuffle_quadratic", "refuted", "clear"),
    ("growing_helps", "shuffle_conventional", "supported", "clear"),
    ("loop_fault_harmless", "shuffle_quadratic", "refuted", "clear"),
    ("loop_fault_harmless", "sound_loop", "supported", "clear"),
    ("leak_flatters", "no_leak", "refuted", "drift"),
    ("beats_level", "shuffle_quadratic", "refuted", "clear"),
    ("beats_level", "standardise", "supported", "clear"),
]


@pytest.mark.usefixtures("standard_promotion")
@pytest.mark.parametrize(("name", "fault", "faulty", "kind"), FLIPS)
def test_planted_fault_decides_the_verdict(name, fault, faulty, kind):
    assert status(name, fault, kind) == faulty


@pytest.mark.usefixtures("standard_promotion")
@pytest.mark.parametrize("name", list(CLAIMS))
def test_some_planted_fault_flips_the_honest_verdict(name):
    kind = "drift" if name == "leak_flatters" else "clear"
    honest = status(name, kind=kind)
    faulty = {expected for claim, _, expected, _ in FLIPS if claim == name}
    assert faulty - {honest}, f"{name} is {honest} with and without its faults"
    assert {fault for claim, fault, *_ in FLIPS if claim == name} <= set(CLAIMS[name].faults)


def test_level_classifier_sees_levels_and_nothing_else():
    records = tones("clear")
    lab = Lab(BUDGET, jax.random.key(0), records, remember())
    plain = Task("QCNN", 20.0, 0, Settings(0.0))
    assert level_scores(lab, plain).f1 == 100
    blind = Task("QCNN", 20.0, 0, Settings(0.0), standardised=True)
    assert level_scores(lab, blind).f1 < 60
