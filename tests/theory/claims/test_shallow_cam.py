"""Claims on truncated maps: what each makes of known outcomes, and that every fault is seen."""

from functools import lru_cache

import pytest
from cam_records import lab

from theory.claims import papers
from theory.claims.shallow_cam import CLAIMS
from theory.claims.shallow_cam_experiments import fused_method, plain, truncated

BY_NAME = {claim.name: claim for claim in CLAIMS}
FAULTS = [(claim.name, fault) for claim in CLAIMS for fault in claim.faults]
CONTRARY = ("shallow_gain", "optimum", "plug_in")
SHARES = {"layer_cam(": 0.0, "q=0.7": 0.2, "q=0.9;": 0.1, "q=0.99;": -0.15}


def sign(wanted):
    """Quality of every method where truncation helps, more so at shallow layers, or harms."""

    def quality(name):
        if "random map" in name:
            return 0.3
        found = 0.5 - 0.1 * wanted * ("grad_cam(stage4" in name)
        if "fusion_cam" in name:
            found += 0.2 * wanted
        if "truncated_cam" in name:
            shallow = {"stage1": 0.15, "stage2": 0.12, "stage3": 0.05}
            found += wanted * next((more for stage, more in shallow.items() if stage in name), 0.02)
            found += wanted * next((more for share, more in SHARES.items() if share in name), 0.0)
        return found

    return quality


@lru_cache
def check(name, wanted, fault=None):
    alike = 0.1 if wanted > 0 else 0.9
    study = lab(
        sign(wanted),
        fault,
        randomised=[alike] * 6,
        mass_of_class=lambda text: 40 + 5 * wanted * (1 if "class 1" in text else -1),
    )
    return BY_NAME[name].experiment(study)


@pytest.mark.parametrize("name", [name for name in BY_NAME if name not in CONTRARY])
def test_the_numbers_decide(name):
    assert check(name, 1).status == "supported"
    assert check(name, -1).status == "refuted"


def test_a_large_change_is_no_small_one():
    assert check("shallow_gain", 1).status == "refuted"
    assert check("shallow_gain", 0).status == "supported"


@pytest.mark.parametrize("name", ["optimum", "plug_in"])
def test_what_is_left_contradicts_what_is_stated(name):
    assert check(name, 1).status == "refuted"
    assert check(name, -1).status == "supported"
    assert check(f"{name}_as_stated", 1).status == "supported"


@pytest.mark.parametrize(("name", "fault"), FAULTS)
def test_every_fault_flips_a_verdict(name, fault):
    pairs = [(check(name, wanted), check(name, wanted, fault)) for wanted in (1, 0, -1)]
    assert any(honest.status != planted.status for honest, planted in pairs)


def test_statements_are_ours_to_answer_for():
    for claim in CLAIMS:
        assert claim.published.startswith("No number")
        assert claim.data == "pretrained_tiles"
    assert "shallow_cam" in papers()


def test_methods_have_one_name_each():
    assert truncated("stage2", 0.0) == plain("stage2")
    assert str(truncated("stage2", 0.5)) == "truncated_cam(stage2; ; trained)"
    assert "method=layer_cam" in str(fused_method("layer_cam"))
