"""The knowledge-guided loss: its value, what it teaches, and what stays as it is."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from prior_nets import SIDE, WIDTH, build, pictures, pixel_by_pixel

import neurons as nr
from neurons.explain import split
from neurons.inspection.augmentation import Augmentation
from neurons.inspection.knowledge import (
    DistillationLoss,
    KnowledgeLoss,
    Lesson,
    Pupil,
    attention_transfer,
    augmented,
    classification,
    explained,
)
from neurons.inspection.prior_maps import Prior, PriorRule, known_of, prior_maps, scaled

X, Y, MASKS = pictures()
LOSS = KnowledgeLoss(0.5)


@pytest.fixture(scope="module")
def first():
    return build(rngs=nnx.Rngs(1))


@pytest.fixture(scope="module")
def lesson(first):
    return Lesson(X, Y, prior_maps(first, X, Y))


@pytest.fixture
def net():
    return build(rngs=nnx.Rngs(2))


@lru_cache
def compiled(function, *static):
    """One compiled function for all tests that ask for it."""
    return nnx.jit(function, static_argnames=static)


@lru_cache
def derived(loss):
    return nnx.jit(nnx.grad(loss))


def value(loss, model, lesson):
    return compiled(loss)(model, lesson)


def slopes(loss, model, lesson):
    return jax.tree.leaves(derived(loss)(model, lesson))


def logits_of(net):
    return compiled(type(net).__call__)(net, X)


def maps_of(net, lesson, rule=LOSS.rule):
    return compiled(explained, "rule")(net, lesson, rule=rule)[1]


def test_the_loss_is_cross_entropy_and_the_mean_distance_of_scaled_maps(net, lesson):
    net.eval()
    logits = np.asarray(logits_of(net), np.float64)
    entropy = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(Y)), np.asarray(Y)]
    maps, theirs = (np.asarray(one.maps) for one in (prior_maps(net, X, Y), lesson.prior))
    maps, theirs = (one / (one.max(axis=(1, 2), keepdims=True) + 1e-6) for one in (maps, theirs))
    distances = np.square(maps - theirs).mean(axis=(1, 2))[np.asarray(Y) == 1]
    expected = entropy.mean() + 0.5 * distances.mean()
    np.testing.assert_allclose(value(LOSS, net, lesson), expected, rtol=1e-4)
    assert distances.mean() > 0.01


def test_weights_of_images_scale_their_distances(net, lesson):
    maps = maps_of(net, lesson)
    half = lesson.prior._replace(weight=lesson.prior.weight / 2)
    np.testing.assert_allclose(
        2 * LOSS.consistency(maps, half), LOSS.consistency(maps, lesson.prior), rtol=1e-5
    )


def test_a_batch_in_which_no_image_counts_trains_the_classifier(net, lesson):
    nobody = lesson._replace(prior=lesson.prior._replace(weight=jnp.zeros(len(Y))))
    plain = slopes(KnowledgeLoss(0), net, lesson)
    for ours, theirs in zip(slopes(LOSS, net, nobody), plain, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_the_prior_moves_the_weights_and_is_not_moved(net, lesson):
    plain, guided = slopes(KnowledgeLoss(0), net, lesson), slopes(LOSS, net, lesson)
    assert max(float(jnp.abs(a - b).max()) for a, b in zip(plain, guided, strict=True)) > 1e-3
    by_prior = jax.jit(jax.grad(lambda maps, prior: LOSS.consistency(maps, prior), argnums=1))
    zero = by_prior(lesson.prior.maps, lesson.prior._replace(target=None))
    assert not np.any(zero.maps)


def test_statistics_of_the_network_are_updated_once_as_without_a_prior(first, lesson):
    found = []
    for loss in (KnowledgeLoss(0), LOSS):
        net = build(rngs=nnx.Rngs(2))
        value(loss, net, lesson)
        found.append(jax.tree.leaves(nnx.state(net, nnx.BatchStat)))
    for plain, guided in zip(*found, strict=True):
        np.testing.assert_allclose(plain, guided, rtol=1e-6)
    fresh = jax.tree.leaves(nnx.state(build(rngs=nnx.Rngs(2)), nnx.BatchStat))
    assert any(not np.allclose(a, b) for a, b in zip(found[0], fresh, strict=True))


def test_an_earlier_stage_has_normalisation_behind_it(net, first):
    rule = PriorRule(stage="shallow", method="layer_cam")
    lesson = Lesson(X, Y, prior_maps(first, X, Y, rule))
    assert lesson.prior.maps.shape == (len(Y), SIDE, SIDE)
    assert all(np.isfinite(g).all() for g in slopes(KnowledgeLoss(rule=rule), net, lesson))


def test_a_map_that_shrinks_is_no_farther_unless_its_size_is_fixed(lesson):
    maps = lesson.prior.maps + 0.01
    shrink = {
        free: float(jax.jit(jax.grad(lambda t, f=free: KnowledgeLoss(free=f).consistency(
            t * maps, lesson.prior._replace(maps=maps**3))))(1.0))
        for free in (True, False)
    }  # fmt: skip
    assert abs(shrink[True]) < 1e-3 < shrink[False]  # the fixed size pushes the whole map down


def test_warm_up_raises_the_weight_in_equal_steps(net, lesson):
    plain = float(value(KnowledgeLoss(0), net, lesson))
    whole = float(value(LOSS, net, lesson)) - plain
    pupil = Pupil(net, warmup=4)
    terms = [float(value(LOSS, pupil, lesson)) - plain for _ in range(6)]
    # In training mode values depend on the batch alone, not on the running statistics.
    np.testing.assert_allclose(terms, whole * np.array([0.25, 0.5, 0.75, 1, 1, 1]), atol=1e-5)
    pupil.eval()
    value(LOSS, pupil, lesson)
    assert pupil.step[...] == 6


def test_the_network_in_use_has_the_parameters_and_multiplications_it_would_have_had(
    first, lesson, standard_promotion
):
    plain = build(rngs=nnx.Rngs(2))
    pupil = Pupil(plain, warmup=2, first=first)
    run = nr.fit(pupil, LOSS, optax.sgd(0.01), nr.Batches(lesson, 4, 1), key=jax.random.key(0))
    used, plain = run.model.net, nnx.clone(plain)
    plain.eval()
    image = jax.ShapeDtypeStruct((1, SIDE, SIDE, 1), "float32")
    assert jax.tree.structure(nnx.state(used)) == jax.tree.structure(nnx.state(plain))
    assert nr.parameters(used) == nr.parameters(plain) > 0
    assert nr.multiplications(used, image) == nr.multiplications(plain, image) > 0


def test_the_first_network_stays_as_it_is(first, lesson, standard_promotion):
    before = jax.tree.map(np.array, jax.tree.leaves(nnx.state(first)))
    pupil = Pupil(build(rngs=nnx.Rngs(2)), first=first)
    batches = nr.Batches(lesson, 4, 1)
    run = nr.fit(pupil, LOSS, optax.sgd(0.01), batches, key=jax.random.key(0))
    for known, given, now in zip(
        run.model.known, before, jax.tree.leaves(nnx.state(first)), strict=True
    ):
        np.testing.assert_array_equal(known[...], given)
        np.testing.assert_array_equal(now, given)


def test_asking_the_first_network_on_the_fly_is_what_it_said_before(first, lesson):
    pupil = Pupil(build(rngs=nnx.Rngs(2)), first=first)
    found = compiled(Pupil.prepared)(pupil, Lesson(X, Y))
    for asked, said in zip(found.prior, lesson.prior, strict=True):
        np.testing.assert_allclose(asked, said, atol=1e-6)


FLIPS = Augmentation()


def test_images_and_priors_are_moved_alike(lesson):
    moved = compiled(augmented, "augmentation")(lesson, augmentation=FLIPS, key=jax.random.key(3))
    ways = {"as it was": (1, 1), "down": (-1, 1), "right": (1, -1), "both": (-1, -1)}
    seen = set()
    for x, found, image, known in zip(moved.x, moved.prior.maps, X, lesson.prior.maps, strict=True):
        (way,) = (n for n, (d, r) in ways.items() if np.array_equal(x, image[::d, ::r]))
        down, right = ways[way]
        np.testing.assert_array_equal(found, known[::down, ::right])
        seen.add(way)
    assert seen == set(ways)
    np.testing.assert_array_equal(moved.prior.weight, lesson.prior.weight)


def smooth(side):
    """Twelve blobs, each somewhere else."""
    at = (np.arange(side) + 0.5) / side
    places = np.random.default_rng(5).uniform(0.3, 0.7, (12, 2, 1))
    bumps = [np.exp(-12 * np.square(at - places[:, axis])) for axis in (0, 1)]
    # Grey is zero: without a bias, pixels of one sign would make maps linear in the image.
    return jnp.asarray(bumps[0][:, :, None] * bumps[1][:, None, :] - 0.3, jnp.float32)[..., None]


MOVES = Augmentation(rotation=40.0, crop=0.6)


@compiled
def gap(net, x):
    """Largest difference between maps of moved images and moved maps of images, both scaled."""
    lesson = Lesson(x, Y, known_of(split(net), x, Y, PriorRule()))
    cached = augmented(lesson, MOVES, jax.random.key(0))
    on_the_fly = known_of(split(net), cached.x, Y, PriorRule())
    return jnp.abs(scaled(cached.prior.maps) - scaled(on_the_fly.maps)).max()


def test_moved_maps_are_maps_of_moved_images_but_for_interpolation():
    pointwise = pixel_by_pixel(rngs=nnx.Rngs(0))
    coarse, fine = (float(gap(pointwise, smooth(side))) for side in (24, 96))
    assert 0 < fine < 0.02  # of the largest value
    assert coarse > 2 * fine  # an error of interpolation falls with the side of the pixels


def test_a_network_that_is_not_equivariant_says_something_else_of_a_moved_image():
    assert gap(build(rngs=nnx.Rngs(1)), smooth(24)) > 0.1


def test_augmentation_is_for_training_and_is_drawn_anew(lesson):
    pupil = Pupil(build(rngs=nnx.Rngs(2)), augmentation=FLIPS, rngs=nnx.Rngs(augmentation=0))
    once = compiled(Pupil.prepared)
    first_time, second_time = once(pupil, lesson).x, once(pupil, lesson).x
    assert not np.array_equal(first_time, second_time)
    pupil.eval()
    np.testing.assert_array_equal(once(pupil, lesson).x, X)


def test_distillation_is_cross_entropy_and_divergence_of_softened_logits(net, first, lesson):
    net.eval()
    logits = np.asarray(logits_of(net), np.float64)

    def logs(z):
        return z / 2 - np.log(np.exp(z / 2).sum(axis=1, keepdims=True))

    ours, theirs = logs(logits), logs(np.asarray(lesson.prior.logits, np.float64))
    divergence = (np.exp(theirs) * (theirs - ours)).sum(axis=1).mean()
    expected = float(classification(jnp.asarray(logits, jnp.float32), Y)) + 0.3 * 4 * divergence
    loss = DistillationLoss(0.3, temperature=2.0)
    whole = lesson._replace(prior=prior_maps(first, X, Y, loss.rule))
    found = value(loss, net, whole)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_attention_transfer_compares_squared_activations_of_unit_length(net, first):
    loss = attention_transfer(2.0)
    lesson = Lesson(X, Y, prior_maps(first, X, Y, loss.rule))
    maps = maps_of(net, lesson, loss.rule)
    ours, theirs = (np.asarray(m).reshape(len(Y), -1) for m in (maps, lesson.prior.maps))
    ours, theirs = (m / np.linalg.norm(m, axis=1, keepdims=True) for m in (ours, theirs))
    expected = np.square(ours - theirs).mean(axis=1).mean()
    np.testing.assert_allclose(loss.consistency(maps, lesson.prior), expected, rtol=1e-3)


def test_a_single_logit_trains(first, lesson):
    single = build(rngs=nnx.Rngs(2), logits=1)
    assert all(np.isfinite(g).all() for g in slopes(LOSS, single, lesson))
    z = jnp.array([[2.0], [-1.0]])
    expected = np.mean(np.log1p(np.exp([-2.0, -1.0])))
    np.testing.assert_allclose(classification(z, jnp.array([1, 0])), expected, rtol=1e-6)


def test_maps_of_another_resolution_are_brought_to_ours(lesson):
    coarse = jnp.ones((len(Y), WIDTH - 1, WIDTH - 1))
    fine = lesson.prior._replace(maps=jnp.ones((len(Y), 2 * (WIDTH - 1), 2 * (WIDTH - 1))))
    np.testing.assert_allclose(LOSS.consistency(coarse, fine), 0, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net: KnowledgeLoss(-1), "weight must be at least 0"),
        (lambda net: KnowledgeLoss(distance="guess"), "distance must be one of mse, l1"),
        (lambda net: KnowledgeLoss(scale="guess"), "scale must be one of"),
        (lambda net: DistillationLoss(temperature=0), "temperature must be positive"),
        (lambda net: Pupil(net, warmup=-1), "warmup must be"),
        (lambda net: Pupil(net, augmentation=FLIPS), "needs rngs"),
        (lambda net: LOSS(net, Lesson(X, Y)), "no prior"),
    ],
)
def test_misuse_is_refused(call, message, net, unchecked):
    with pytest.raises(ValueError, match=message):
        call(net)


def test_a_prior_is_a_row_of_the_data(lesson):
    assert isinstance(lesson.prior, Prior)
    assert nr.Batches(lesson, 4, 1).examples == len(Y)
