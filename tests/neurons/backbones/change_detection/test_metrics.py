"""Metrics of semantic change: known digits, brute force over pixels, wrong input refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurons.backbones.change_detection import Tally, only_changed

LABEL = np.array([[0, 0, 0, 0, 1, 1, 1, 2, 2, 2]])
FOUND = np.array([[0, 0, 1, 0, 1, 2, 0, 2, 2, 1]])
GOLDEN = {
    "oa": 0.6, "iou_unchanged": 0.6, "iou_changed": 0.71428571, "miou": 0.65714286,
    "kappa": 0.06666667, "sek": 0.05009849, "precision": 0.5, "recall": 0.5, "f_scd": 0.5,
    "score": 0.23221180,
}  # fmt: skip
NAMES = ("iou_unchanged", "iou_changed", "kappa", "sek", "f_scd", "score")
pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


def test_the_golden_vector():
    found = Tally.empty(3).add(FOUND, LABEL)
    for name, value in GOLDEN.items():
        assert getattr(found, name) == pytest.approx(value, abs=5e-9), name


def by_hand(found, label):
    """The metrics pixel by pixel, in words."""
    pixels = list(zip(found.ravel().tolist(), label.ravel().tolist(), strict=True))
    unchanged = sum(p == t == 0 for p, t in pixels) / max(
        sum(p == 0 or t == 0 for p, t in pixels), 1
    )
    some = [(p, t) for p, t in pixels if p or t]
    changed = sum(p > 0 and t > 0 for p, t in some) / max(len(some), 1)
    agreed = sum(p == t for p, t in some) / max(len(some), 1)
    chance = (
        sum(sum(p == k for p, _ in some) * sum(t == k for _, t in some) for k in range(4))
        / max(len(some), 1) ** 2
    )
    kappa = (agreed - chance) / (1 - chance) if some and chance < 1 else 0.0
    right = sum(p == t > 0 for p, t in pixels)
    counted = sum(p > 0 for p, _ in pixels) + sum(t > 0 for _, t in pixels)
    return unchanged, changed, kappa, kappa * np.exp(changed - 1), 2 * right / max(counted, 1)


@given(pairs)
@settings(max_examples=80, deadline=None)
def test_brute_force_over_pixels(drawn):
    found, label = np.array(drawn).T[:, None]
    tally = Tally.empty(4).add(found, label)
    expected = by_hand(found, label)
    for name, value in zip(NAMES, expected, strict=False):
        ours = getattr(tally, name)
        assert np.isnan(ours) or ours == pytest.approx(value, abs=1e-12), name
    swapped = Tally.empty(4).add(label, found)
    for name in ("miou", "sek", "f_scd"):
        one, other = getattr(tally, name), getattr(swapped, name)
        assert one == pytest.approx(other, abs=1e-12, nan_ok=True)
    assert tally.precision == pytest.approx(swapped.recall, nan_ok=True)


def test_parts_of_a_set_add_up_and_only_accuracy_is_a_mean():
    random = np.random.default_rng(0)
    found, label = random.integers(0, 4, (2, 6, 5, 5))
    whole = Tally.empty(4).add(found, label)
    parts = Tally.empty(4).add(found[:2], label[:2]) + Tally.empty(4).add(found[2:], label[2:])
    for name in (*NAMES, "oa"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name))
    small = Tally.empty(3).add(FOUND, LABEL).add(np.zeros((1, 2), int), np.zeros((1, 2), int))
    assert small.oa == pytest.approx(0.8)
    assert small.iou_unchanged == pytest.approx(5 / 7)
    assert small.sek == pytest.approx(GOLDEN["sek"], abs=5e-9)  # unchanged pixels leave it alone


def test_what_is_undefined_says_so():
    assert np.isnan(Tally.empty(3).oa)
    free = Tally.empty(3).add(np.zeros((1, 4), int), np.zeros((1, 4), int))
    assert (free.iou_unchanged, free.kappa, free.f_scd) == (1, 0, 0)
    assert np.isnan(free.iou_changed)
    assert np.isnan(free.sek)
    assert np.isnan(free.precision)


def test_masks_silence_maps():
    changed = np.array([[True, False]])
    np.testing.assert_array_equal(only_changed(np.array([[3, 2]]), changed), [[3, 0]])
    with pytest.raises(ValueError, match="differ"):
        only_changed(np.array([[3]]), changed)


def test_wrong_input_is_refused():
    tally = Tally.empty(3)
    with pytest.raises(ValueError, match=r"labelled class 3; allowed: 0 to 2"):
        tally.add(FOUND, LABEL + 1)
    with pytest.raises(ValueError, match="predicted class -1"):
        tally.add(FOUND - 1, LABEL)
    with pytest.raises(ValueError, match="one shape"):
        tally.add(FOUND[:, 1:], LABEL)
    with pytest.raises(TypeError, match="whole numbers"):
        tally.add(FOUND / 1, LABEL)
    for classes in (1, 0, -2):
        with pytest.raises(ValueError, match="two classes"):
            Tally.empty(classes)
    with pytest.raises(ValueError, match="3 and 4 classes"):
        tally + Tally.empty(4)
    with pytest.raises(ValueError, match="from 0"):
        Tally(-np.ones((2, 2), int))
