"""Labels of pixels: digits by hand for every rule, and what an image's label overrules."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurons.explain.pseudo_labels import agreement, pseudo_labels, seeds

MAP = np.linspace(0, 1, 21, dtype=np.float32).reshape(1, 3, 7)
BOTH = jnp.array([True, False])


def labels(*rows):
    return jnp.asarray(np.array(rows, np.int8)[:, None])


@pytest.mark.parametrize(
    ("rule", "levels", "defect", "background"),
    [
        ("fixed", None, 0.5, 0.2),
        ("fixed", (0.9, 0.1), 0.9, 0.1),
        ("quantile", None, 0.95 + 1e-6, 0.7),
        ("quantile", (0.5, 0.5), 0.5 + 1e-6, 0.5),
        ("otsu", None, 0.5, 0.19),  # of a uniform map: half a bin below its middle
    ],
)
def test_seeds_of_a_rising_map(rule, levels, defect, background):
    maps = jnp.asarray(np.concatenate([MAP, MAP]))
    found = seeds(maps, BOTH, rule=rule, levels=levels)
    expected = np.where(defect <= MAP, 1, np.where(background >= MAP, 0, -1))
    assert found.dtype == jnp.int8
    assert np.array_equal(found[:1], expected)
    assert not found[1].any()


def test_a_defective_image_without_a_seed_says_nothing():
    maps = jnp.concatenate([jnp.zeros((1, 2, 2)), jnp.full((1, 2, 2), jnp.nan)])
    defective = jnp.array([True, True])
    for rule in ("fixed", "otsu", "quantile"):
        assert (seeds(maps, defective, rule=rule) == -1).all()
    literal = seeds(maps, defective, empty="background")
    assert literal[0].tolist() == [[0, 0], [0, 0]]
    assert (literal[1] == -1).all()


def test_pseudo_labels_follow_confidence_and_the_image():
    p = jnp.array([[[0.9, 0.71, 0.7, 0.5, 0.3, 0.29]]])
    assert pseudo_labels(p, jnp.array([True])).tolist() == [[[1, 1, -1, -1, -1, 0]]]
    assert pseudo_labels(p, jnp.array([False])).tolist() == [[[0] * 6]]
    assert pseudo_labels(p / 2, jnp.array([True])).tolist() == [[[-1] * 6]]  # cannot all be free
    undefined = jnp.array([[[0.9, jnp.nan]]])
    assert pseudo_labels(undefined, jnp.array([True])).tolist() == [[[1, -1]]]


def test_agreement_by_hand():
    one, other = labels([1, 1, 0, -1, 0]), labels([1, 0, 0, 0, -1])
    assert float(agreement(one, other)) == 0.5
    assert float(agreement(one, other, measure="pixels")) == pytest.approx(2 / 3)
    nothing = labels([-1, 0, 0, 0, 0])
    assert float(agreement(nothing, nothing)) == 1
    assert float(agreement(nothing, one)) == 0
    ignored = labels([-1] * 5)
    assert float(agreement(ignored, one, measure="pixels")) == 1


def test_labels_compile():
    found = jax.jit(lambda m: seeds(m, jnp.array([True]), rule="otsu"))(jnp.asarray(MAP))
    assert np.array_equal(found, seeds(jnp.asarray(MAP), jnp.array([True]), rule="otsu"))


@pytest.mark.usefixtures("unchecked")
def test_what_is_no_seed_is_refused():
    maps, yes = jnp.ones((2, 3, 3)), jnp.array([True, True])
    with pytest.raises(ValueError, match="fixed, otsu, quantile"):
        seeds(maps, yes, rule="best")
    with pytest.raises(ValueError, match="must not lie below"):
        seeds(maps, yes, levels=(0.2, 0.5))
    with pytest.raises(ValueError, match="a bool per image"):
        seeds(maps, jnp.ones(2))
    with pytest.raises(ValueError, match="a bool per image"):
        pseudo_labels(maps, yes[:1])
    with pytest.raises(ValueError, match="ignore, background"):
        seeds(maps, yes, empty="all")
    with pytest.raises(ValueError, match="foreground, pixels"):
        agreement(labels([1]), labels([1]), measure="share")
