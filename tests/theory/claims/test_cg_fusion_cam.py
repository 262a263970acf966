"""Claims on CG-fusion maps: what each makes of known outcomes, and that every fault is seen."""

from functools import lru_cache

import numpy as np
import pytest
from cam_records import lab

from theory.claims import papers
from theory.claims.cg_fusion_cam import CLAIMS

BY_NAME = {claim.name: claim for claim in CLAIMS}
FAULTS = [(claim.name, fault) for claim in CLAIMS for fault in claim.faults]


def sign(wanted):
    """Quality of every method where continuous gradients and fusion help, or harm."""

    def quality(name):
        if "random map" in name:
            return 0.2
        if "decoder from masks" in name:
            return 0.55 - 0.25 * (wanted < 0) + 0.4 * (wanted < 0)
        found = 0.4 - 0.15 * (wanted < 0)
        if "fusion_cam" in name:
            found += 0.04 * wanted
        if "cg_cam" in name or ("fusion_cam" in name and "method=" not in name):
            found += 0.05 * wanted
        return found

    return quality


@lru_cache
def check(name, wanted, fault=None):
    alike = 0.1 if wanted > 0 else 0.9
    ours = 30.0 if wanted > 0 else 70.0
    study = lab(
        sign(wanted),
        fault,
        randomised=[alike] * 6,
        operations_of_maps={"fused": ours, "grad_cam": 20.0},
        operations_layer_by_layer=[20.0, 20.0, 20.0, 20.0],
    )
    return BY_NAME[name].experiment(study)


# Made-up outcomes have equal quality for all sizes, with and without the activation.
LEVEL = ("spread_as_stated", "activation_as_stated", "activation_is_a_threshold")


@pytest.mark.parametrize("name", [name for name in BY_NAME if name not in LEVEL])
def test_the_numbers_decide(name):
    assert check(name, 1).status == "supported"
    assert check(name, -1).status == "refuted"


def test_an_activation_that_changes_nothing_is_said_to():
    assert check("activation_is_a_threshold", 1).status == "supported"
    assert check("activation_is_a_threshold", 1, "noise").status == "refuted"


def uneven(ours, theirs):
    """Outcomes whose IoU rises with size, from the given number; and their curves with it."""

    def change(record, name):
        active = "activation=none" not in name
        low = ours if active else theirs
        record["iou"] = np.linspace(low, 0.8, len(record["iou"])).tolist()
        record["curve"] = {"precision": [low] * 49, "recall": [low] * 49}
        return record

    return change


@pytest.mark.parametrize("name", LEVEL[:2])
def test_sizes_and_fixed_thresholds_are_compared(name):
    def judged(ours, theirs, fault=None):
        study = lab(sign(1), fault)
        plain = study.recall
        changed = uneven(ours, theirs)
        object.__setattr__(study, "recall", lambda text, run: changed(plain(text, run), text))
        return BY_NAME[name].experiment(study).status

    assert judged(0.6, 0.4) == "supported"
    assert judged(0.4, 0.6) == judged(0.6, 0.4, "reversed") == "refuted"


@pytest.mark.parametrize(("name", "fault"), [pair for pair in FAULTS if pair[0] not in LEVEL[:2]])
def test_every_fault_flips_a_verdict(name, fault):
    pairs = [(check(name, wanted), check(name, wanted, fault)) for wanted in (1, -1)]
    assert any(honest.status != planted.status for honest, planted in pairs)


def test_statements_are_ours_to_answer_for():
    for claim in CLAIMS:
        assert claim.published.startswith("No number")
        assert claim.data == "pretrained_tiles"
    assert "cg_fusion_cam" in papers()
