"""The guard: a limit from true negatives alone, any number of images, and clear refusals."""

import cam_nets
import jax.numpy as jnp
import numpy as np
import pytest

from neurons.explain import Guard, Split, Validation, reliability
from neurons.explain.reliability import look
from neurons.explain.trust_curves import limit_for

WEIGHTS = jnp.array([[1.0, -1.0], [-1.0, 1.0]])
NET = Split(lambda x: x, lambda a: a.mean(axis=(1, 2)) @ WEIGHTS)
ROOM = {"batch": 8}


def pictures(count=24, *, seed=0, missed=()):
    """Good parts, and among them defects too small for the network, all predicted normal."""
    random = np.random.default_rng(seed)
    x = random.random((count, 6, 6, 2)).astype(np.float32) * np.array([0.1, 0.05], np.float32)
    x[..., 0] += 0.15
    x[list(missed), 2:4, 2:4, 1] = 1.0
    x[list(missed), 2:4, 2:4, 0] = 0.0
    return x


def labels(count=24, missed=()):
    return np.isin(np.arange(count), list(missed)).astype(int)


HIDDEN = (3, 11)
KNOWN = Validation(pictures(missed=HIDDEN), labels(missed=HIDDEN))


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.2])
def test_the_limit_is_a_quantile_of_true_negatives(alpha):
    guard = Guard.fit(NET, KNOWN, alpha=alpha, **ROOM)
    good = reliability(NET, KNOWN.images).score[KNOWN.labels == 0]
    assert guard.limit == limit_for(good, alpha)
    assert guard.cost.hits <= alpha * 22
    assert guard.recall[:2] == (2, 2)
    without = Guard.fit(NET, (KNOWN.images[good_rows()], np.zeros(22)), alpha=alpha, **ROOM)
    assert without.limit == guard.limit  # missed defects have no say
    assert without.recall == (0, 0, 0.0, 1.0)


def good_rows():
    return np.flatnonzero(KNOWN.labels == 0)


@pytest.mark.parametrize("enhance", [None, "fgsm"])
def test_it_flags_what_the_network_missed(enhance):
    guard = Guard.fit(NET, KNOWN, alpha=0.05, enhance=enhance, **ROOM)
    found = guard(pictures(20, seed=2, missed=(4, 5)))
    assert (found.prediction == 0).all()
    assert found.flag[[4, 5]].all()
    assert found.flag.sum() < 8
    assert (found.moved is None) == (enhance is None)
    # The maps say where.
    assert found.view.defect[4].argmax() in (2 * 6 + 2, 2 * 6 + 3, 3 * 6 + 2, 3 * 6 + 3)


def test_any_number_of_images_in_one_program():
    guard = Guard.fit(NET, KNOWN, **ROOM)
    x, programs = pictures(13, seed=2), look._cache_size()
    whole = guard(x)
    single = np.concatenate([guard(x[row : row + 1]).score for row in range(3)])
    np.testing.assert_array_equal(whole.score[:3], single)
    assert look._cache_size() == programs
    assert whole.flag.shape == (13,)
    assert whole.view.agnostic.shape == (13, 6, 6)
    assert isinstance(whole.score, np.ndarray)


def test_the_guard_keeps_the_weights_it_was_fitted_to():
    net, x = cam_nets.tiny(2), cam_nets.images()
    normal = [int(reliability(net, x).prediction.argmin())]
    guard = Guard.fit(net, (np.repeat(x[np.array(normal)], 3, axis=0), [0] * 3), **ROOM)
    before = guard(x).score
    net.out.kernel[...] = -net.out.kernel[...]
    np.testing.assert_array_equal(guard(x).score, before)


def test_a_corrupt_image_is_flagged():
    guard = Guard.fit(NET, KNOWN, **ROOM)
    x = pictures(3, seed=3)
    x[1, 0, 0, 0] = np.nan
    found = guard(x)
    assert found.flag[1]
    assert np.isnan(found.score[1])
    assert np.isfinite(found.score[[0, 2]]).all()


def test_a_limit_for_new_images_wants_enough_of_them():
    assert Guard.fit(NET, KNOWN, alpha=0.04, beyond=True, **ROOM).limit == np.inf
    strict, loose = (
        Guard.fit(NET, KNOWN, alpha=0.2, beyond=beyond, **ROOM) for beyond in (1 > 0, False)
    )
    assert strict.limit >= loose.limit


DEFECTIVE = np.ones(24)


@pytest.mark.parametrize(
    ("known", "options", "text"),
    [
        ((KNOWN.images, DEFECTIVE), {}, "none is both"),
        ((1 - KNOWN.images, np.zeros(24)), {}, "none is both"),
        ((KNOWN.images, KNOWN.labels[:5]), {}, "24 images need as many labels"),
        ((KNOWN.images, 2 * KNOWN.labels), {}, r"labels are 0 or 1, got \[2\]"),
        ((KNOWN.images, np.full(24, 0.5)), {}, "labels are 0 or 1"),
        ((KNOWN.images[:0], KNOWN.labels[:0]), {}, "at least one image"),
        ((KNOWN.images * np.nan, KNOWN.labels), {}, "NaN"),
        ((KNOWN.images, KNOWN.labels), {"alpha": 0.0}, "alpha"),
        ((KNOWN.images, KNOWN.labels), {"batch": 0}, "batch"),
        ((KNOWN.images, KNOWN.labels), {"score": "iou"}, "score must be one of"),
        ((3 * KNOWN.images, KNOWN.labels), {"enhance": "fgsm"}, "outside of the bounds"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_refusals(known, options, text):
    with pytest.raises(ValueError, match=text):
        Guard.fit(NET, known, **(ROOM | options))


@pytest.mark.usefixtures("unchecked")
def test_no_image_is_refused():
    with pytest.raises(ValueError, match="at least one image"):
        Guard.fit(NET, KNOWN, **ROOM)(KNOWN.images[:0])
