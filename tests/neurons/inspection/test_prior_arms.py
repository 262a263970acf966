"""The method and its controls as named arms: what each teaches, how long, and from what start."""

from functools import lru_cache
from itertools import combinations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from prior_nets import build, pictures

import neurons as nr
from neurons.inspection import prior_arms as arms
from neurons.inspection.augmentation import Augmentation
from neurons.inspection.prior_arms import ARMS, Ensemble, Extras, started, train_with_prior
from neurons.inspection.prior_maps import prior_maps

X, Y, MASKS = pictures()
EXTRAS = Extras(MASKS)
KEY = jax.random.key(7)


@pytest.fixture(scope="module")
def first():
    return build(rngs=nnx.Rngs(1))


@pytest.fixture(scope="module")
def prior(first):
    return prior_maps(first, X, Y)


@lru_cache
def optimizer(steps):
    return sgd()


@lru_cache
def sgd():
    return optax.sgd(0.05)


def train(first, **options):
    given = {"key": KEY, "size": 4, "epochs": 1, "beside": EXTRAS} | options
    return train_with_prior(first, build, X, Y, optimizer, **given)


def flat(net):
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(nnx.state(net, nnx.Param))])


@pytest.fixture(scope="module")
def runs(first):
    with jax.numpy_dtype_promotion("standard"):
        return {name: train(first, arm=name) for name in ARMS}


def test_every_arm_trains_its_own_network_for_its_own_time(runs):
    steps = {name: len(run.losses) for name, run in runs.items()}
    assert steps == {name: 6 if name == arms.TWICE else 3 for name in ARMS}
    assert all(run.finite for run in runs.values())
    alone = [name for name in ARMS if name not in ("ensemble", arms.TWICE)]
    weights = {name: flat(runs[name].model) for name in alone}
    same = [
        (one, other)
        for one, other in combinations(alone, 2)
        if np.abs(weights[one] - weights[other]).max() < 1e-6
    ]
    assert not same


def test_without_a_prior_it_is_plain_training(runs):
    with jax.numpy_dtype_promotion("standard"):
        net, loss = build(rngs=nnx.Rngs(KEY)), nr.training.cross_entropy
        plain = nr.fit(net, loss, sgd(), nr.Batches((X, Y), 4, 1), key=KEY)
    np.testing.assert_allclose(flat(runs[arms.PLAIN].model), flat(plain.model), atol=1e-6)


def test_an_ensemble_gives_the_mean_probability_and_costs_both(runs, first):
    both = runs["ensemble"].model
    alone = runs[arms.PLAIN].model
    assert nr.parameters(both) == 2 * nr.parameters(alone)

    @nnx.jit
    def logits(both, nets):
        return both(X), [net(X) for net in nets]

    evaluated = nnx.clone(first)
    evaluated.eval()
    found, single = logits(both, [evaluated, alone])
    expected = np.mean([jax.nn.softmax(one, axis=1) for one in single], axis=0)
    np.testing.assert_allclose(jnp.exp(found), expected, rtol=1e-5)


def test_an_ensemble_of_single_logits_has_both_classes():
    with_one = [lambda x, z=z: jnp.full((len(x), 1), z) for z in (2.0, -1.0)]
    found = Ensemble(*with_one)(X)
    share = np.mean([1 / (1 + np.exp(-z)) for z in (2.0, -1.0)])
    np.testing.assert_allclose(jnp.exp(found), [[1 - share, share]] * len(Y), rtol=1e-5)


def test_no_image_that_counts_keeps_its_map_and_all_maps_stay(prior):
    found = arms.others_maps(prior, KEY)
    counting = np.asarray(prior.weight) > 0
    kept = [np.array_equal(*pair) for pair in zip(found.maps, prior.maps, strict=True)]
    assert not np.any(np.array(kept)[counting])
    assert np.all(np.array(kept)[~counting])
    ordered = [np.sort(one[counting], axis=0) for one in map(np.asarray, (found.maps, prior.maps))]
    np.testing.assert_array_equal(*ordered)


def test_no_other_row_of_the_same_picture_lends_its_map(prior):
    pictures = np.arange(len(Y)) // 4  # every map that counts comes twice
    found = np.asarray(arms.others_maps(prior, KEY, Extras(pictures=pictures)).maps)
    known = np.asarray(prior.maps)
    for row in np.flatnonzero(Y):
        (source,) = (n for n in np.flatnonzero(Y) if np.array_equal(found[row], known[n]))
        assert pictures[source] != pictures[row]


def test_blobs(prior):
    centre, spread = arms.centre_blobs(prior, KEY).maps, arms.random_blobs(prior, KEY).maps
    np.testing.assert_allclose(centre[0], centre[0][::-1, ::-1], rtol=1e-6)
    np.testing.assert_allclose(centre[0, 0, 0], np.exp(-4), rtol=1e-5)
    np.testing.assert_array_equal(centre[0], centre[-1])
    peaks = {int(one.argmax()) for one in spread}
    assert len(peaks) > 3
    np.testing.assert_array_equal(spread, arms.random_blobs(prior, KEY).maps)


def test_masks_become_shares_and_an_empty_one_does_not_count(prior):
    masks = MASKS.copy()
    masks[1] = False
    found = arms.true_masks(prior, KEY, Extras(masks))
    assert found.maps[3].tolist() == masks[3].reshape(4, 2, 4, 2).mean(axis=(1, 3)).tolist()
    assert found.weight.tolist() == [0.0, 0.0, *[0.0, 1.0] * 5]


def test_starts(first):
    given = jax.random.key(1)
    fresh = started(build, first, "fresh", key=KEY)
    assert np.abs(flat(fresh) - flat(first)).max() > 0.1
    same = started(build, first, "same", key=KEY, first_key=given)
    np.testing.assert_array_equal(flat(same), flat(build(rngs=nnx.Rngs(given))))
    warm = started(build, first, "warm", key=KEY)
    assert warm is not first
    np.testing.assert_array_equal(flat(warm), flat(first))


def test_the_same_key_gives_the_same_network_with_augmentation_on_the_fly_and_a_warm_start(
    first, standard_promotion
):
    options = {"augmentation": Augmentation(), "on_the_fly": True, "start": "warm"}
    once, again = (train(first, **options) for _ in range(2))
    np.testing.assert_array_equal(flat(once.model), flat(again.model))
    assert type(once.model) is type(first)
    assert np.abs(flat(once.model) - flat(train(first, key=jax.random.key(8)).model)).max() > 1e-4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"arm": "guess"}, "arm must be one of knowledge prior, no prior"),
        ({"start": "cold"}, "start must be one of fresh, same, warm"),
        ({"start": "same"}, "needs the key"),
        ({"warmup": 2.0}, "warmup is a share"),
        ({"arm": "centre blob", "on_the_fly": True}, "cannot be asked of it"),
        ({"arm": "true mask", "beside": None}, "needs 12 masks .* got None"),
        ({"arm": "true mask", "beside": Extras(MASKS[:3])}, r"needs 12 masks .* got \(3, 8, 8\)"),
    ],
)
def test_misuse_is_refused(options, message, first, unchecked):
    with pytest.raises(ValueError, match=message):
        train(first, **options)


def test_another_map_needs_another_image(prior):
    lonely = prior._replace(weight=jnp.zeros(len(Y)).at[1].set(1))
    with pytest.raises(ValueError, match="no other"):
        arms.others_maps(lonely, KEY)
