import numpy as np
import pytest

from theory.interpreter.rules import Planes, grow
from theory.interpreter.wording import terms


def test_few_rules_say_what_thousands_of_regions_say(ring_story):
    found = ring_story.rules(0.98)
    assert found.fidelity >= 0.98
    assert len(found) < found.linear_regions / 5
    assert found.compression == found.linear_regions / len(found)
    points = ring_story.held_out
    assert (found(points) == ring_story(points)).mean() == pytest.approx(found.fidelity)


def test_every_point_fulfils_exactly_one_rule(ring_story):
    found = ring_story.rules(0.95)
    points = ring_story.held_out
    hits = [rule.polytope.slack(points).min(axis=1) > 1e-9 for rule in found]
    assert (np.sum(hits, axis=0) == 1).mean() > 0.999
    assert sum(rule.coverage for rule in found) == pytest.approx(1.0)
    assert all(rule.purity > 0.5 for rule in found)
    assert found[0].coverage == max(rule.coverage for rule in found)


def test_more_fidelity_takes_more_rules(ring_story):
    assert len(ring_story.rules(0.9)) < len(ring_story.rules(0.985))


def test_rules_are_words(ring_story):
    found = ring_story.rules(0.9)
    assert str(found[0]).startswith(("inside if ", "outside if "))
    assert "x1" in str(found)
    assert "<=" in str(found)
    assert len(str(found).splitlines()) == len(found)


def test_a_single_plane_suffices_for_two_halves():
    x = np.random.default_rng(0).uniform(-1, 1, (500, 2))
    labels = (x[:, 0] > 0).astype(np.int64)
    planes = Planes(np.array([[0.0, 1.0], [1.0, 0.0]]), np.zeros(2))
    cells, reached = grow(planes, x, labels, x, labels, 1.0)
    assert reached == 1.0
    assert sorted(cell.sides for cell in cells) == [((1, False),), ((1, True),)]


def test_cuts_that_only_tell_samples_apart_are_taken_back():
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, (300, 2))
    noise = random.integers(2, size=300)
    judged = random.uniform(-1, 1, (300, 2))
    normals = random.normal(size=(50, 2))
    cells, reached = grow(
        Planes(normals, np.zeros(50)), x, noise, judged, np.zeros(300, np.int64), 1.0
    )
    assert len(cells) < 20
    assert reached < 1.0


def test_small_terms_are_counted():
    weights = np.array([1.0, -2.0, 0.1, 0.2, 0.3])
    assert terms(weights, np.ones(5), "abcde", most=2) == "-2 b +1 a (and 3 smaller terms)"
    assert terms(np.zeros(2), np.ones(2), "ab") == "0"
