"""S2M: what it answers, what it is aligned with, its two stages, and that no label reaches it."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import neurons as nr
from neurons.backbones.change_detection import change_loss
from neurons.backbones.change_detection.contrast import contrast, region_means, shares, unit
from neurons.backbones.change_detection.s2m import S2M, alignment_loss, reading
from neurons.backbones.change_detection.sentence_bank import SlotBank, TextBank
from neurons.backbones.dino import Shape

CODES = np.array([[0, 0, 1, 0, 0], [1, 0, 1, 0, 0], [0, 1, 0, 1, 0]])
SHAPE = Shape(16, 2, 2, 16, registers=1, patch=4)
TEXTS = [["one", "two"], ["three", "four"], ["five", "six"]]


def encode(sentences):
    return np.array([[len(s), s.count("e"), 1] for s in sentences], float)


def built(bank="slots", maps=2, seed=0, patch=4):
    rngs = nnx.Rngs(seed)
    banks = {
        "none": lambda: None,
        "slots": lambda: SlotBank(CODES, 8, rngs=rngs),
        "texts": lambda: TextBank(CODES, TEXTS, encode, 8, rngs=rngs),
    }
    shape = Shape(16, 2, 2, 16, registers=1, patch=patch)
    return S2M(2, shape, banks[bank](), width=16, heads=2, maps=maps, rngs=rngs)


def pictures(height=8, width=8, seed=0):
    random = np.random.default_rng(seed)
    return [jnp.asarray(random.random((2, height, width, 3), np.float32)) for _ in range(2)]


@nnx.jit
def tokens(net, before, after):
    return net.tokens(before, after)


@nnx.jit
def maps(net, before, after):
    return net(before, after)


@nnx.jit(static_argnames="directions")
def aligned(net, t, regions, numbers, directions="both"):
    return alignment_loss(net, t, regions, numbers, directions=directions)


def drawn(leaf):
    return 0.3 * jax.random.normal(jax.random.key(0), leaf.shape)


def awake(net):
    """Reading and context have a say: their output layers start at zero."""
    for part in (net.context, net.read):
        if part is not None:
            state = nnx.state(part.out, nnx.Param)
            nnx.update(part.out, jax.tree.map(drawn, state))
    return net


@pytest.mark.parametrize("bank", ["none", "texts"])
def test_pictures_of_any_size_get_maps_of_their_size(bank):
    found = maps(built(bank), *pictures(6, 11))
    assert [one.shape for one in found.maps] == [(2, 6, 11, 3)] * 2
    assert np.isfinite(found.stacked).all()


@pytest.mark.parametrize("patch", [1, 6])
def test_patches_of_any_size(patch):
    assert maps(built(maps=1, patch=patch), *pictures()).maps[0].shape == (2, 8, 8, 3)


def test_a_border_that_is_filled_up_repeats_its_pixels():
    net = awake(built())
    before, after = pictures(8, 6)
    whole = [jnp.pad(x, ((0, 0), (0, 0), (0, 2), (0, 0)), mode="edge") for x in (before, after)]
    cut, full = maps(net, before, after).stacked, maps(net, *whole).stacked
    np.testing.assert_allclose(cut, full[:, :, :, :6], atol=1e-6)


def test_pictures_of_a_batch_are_on_their_own():
    net = awake(built())
    before, after = pictures()
    alone = maps(net, before[1:], after[1:]).stacked
    np.testing.assert_allclose(maps(net, before, after).stacked[1:], alone, atol=1e-5)


def test_what_is_read_counts():
    net = awake(built())
    before = tokens(net, *pictures())
    net.bank.table[...] = -net.bank.table[...]
    assert float(jnp.abs(tokens(net, *pictures()) - before).max()) > 1e-3


def test_reading_attends_to_the_bank_as_the_formula_says():
    net = awake(built())
    t = jnp.asarray(np.random.default_rng(0).normal(size=(2, 3, 16)).astype(np.float32))
    bank = net.bank().reshape(-1, 8)
    part = net.read
    query, key, value = part.query(part.norm(t)), part.key(bank), part.value(bank)
    heads = []
    for head in np.split(np.arange(16), 2):
        scores = np.einsum("btc,sc->bts", query[..., head], key[:, head]) / np.sqrt(8)
        weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
        heads.append(weights @ np.asarray(value[:, head]))
    expected = t + part.out(jnp.asarray(np.concatenate(heads, -1)))
    np.testing.assert_allclose(part(t, bank), expected, atol=1e-5)


def batch():
    """Two pictures: regions of 4 and 3 pixels rows, and one; descriptions 0, 2 and 0 again."""
    regions = np.zeros((2, 8, 8), np.int8)
    regions[0, :4], regions[0, 6:], regions[1, 2:7, 1:5] = 1, 2, 1
    return jnp.asarray(regions), jnp.asarray([[0, 2], [0, -1]], dtype=jnp.int32)


@pytest.mark.parametrize(
    ("bank", "directions"), [("slots", "both"), ("texts", "v2t"), ("slots", "t2v")]
)
def test_alignment_is_the_contrast_of_regions_and_their_sentences(bank, directions):
    net = built(bank)
    t = tokens(net, *pictures())
    regions, numbers = batch()
    found = aligned(net, t, regions, numbers, directions=directions)
    v = unit(net.speak(region_means(t, shares(regions, 4, 2)))).reshape(4, 8)[:3]
    told = np.array([0, 2, 0])
    said = net.bank()[told]
    templates = said.shape[1]
    same = jnp.asarray(np.repeat(told[:, None] == told[None], templates, axis=1))
    expected = contrast(
        v, said.reshape(-1, 8), same, temperature=net.temperature, directions=directions
    )
    assert float(found) == pytest.approx(float(expected), rel=1e-5)
    assert float(net.temperature) == pytest.approx(0.07)


def test_without_regions_there_is_nothing_to_align():
    net = built()
    regions, numbers = batch()

    def loss(t, numbers):
        return alignment_loss(net, t, regions, numbers)

    t = tokens(net, *pictures())
    none = jnp.full_like(numbers, -1)
    value, slope = jax.value_and_grad(loss)(t, none)
    assert float(value) == 0
    assert not np.asarray(slope).any()
    # A description without a pixel does not count either.
    assert float(aligned(net, t, jnp.zeros_like(regions), numbers)) == 0


def loss(net, batch):
    before, after, labels, regions, numbers = batch
    t = net.tokens(before, after)
    found = change_loss(
        net.answer(t, before, after), labels, focal=0, dice=0, lovasz=0, cross_entropy=1
    )
    return found if net.bank is None else found + alignment_loss(net, t, regions, numbers)


@pytest.fixture(scope="module")
def lesson():
    regions, numbers = batch()
    labels = jnp.stack([jnp.clip(regions, 0, 1), 2 * jnp.clip(regions, 0, 1)], axis=1)
    return (*pictures(), labels.astype(jnp.int32), regions, numbers)


@pytest.mark.usefixtures("standard_promotion")
def test_two_stages_begin_where_the_first_ended_and_learn_both_losses(lesson):
    steps = nr.Batches(jax.tree.map(lambda leaf: jnp.concatenate([leaf] * 30), lesson), 2, 1)
    first = nr.fit(built("none"), loss, optax.adam(1e-2), steps, key=jax.random.key(0)).model
    rngs = nnx.Rngs(1)
    second = reading(first, SlotBank(CODES, 8, rngs=rngs), rngs=rngs)
    np.testing.assert_allclose(
        maps(second, *pictures()).stacked, maps(first, *pictures()).stacked, atol=1e-6
    )
    run = nr.fit(second, loss, optax.adam(1e-2), steps, key=jax.random.key(0))
    assert run.finite
    assert run.losses[-1] < 0.7 * run.losses[0]
    changed = jax.tree.map(
        lambda a, b: float(jnp.abs(a - b).max()),
        nnx.state(second, nnx.Param), nnx.state(run.model, nnx.Param),
    )  # fmt: skip
    moved = nnx.to_pure_dict(changed)
    for part in ("bank", "read", "speak", "log_temperature"):
        assert max(jax.tree.leaves(moved[part])) > 0, part
    t = tokens(run.model, *pictures())
    value = aligned(run.model, t, *batch())
    assert float(value) < float(aligned(second, tokens(second, *pictures()), *batch()))
    # No label at inference: the trained network is given two pictures, and nothing else decides.
    assert list(inspect.signature(S2M.__call__).parameters) == ["self", "before", "after"]
    known = nnx.state(run.model)
    maps(run.model, *pictures())
    assert jax.tree.all(
        jax.tree.map(lambda a, b: bool((a == b).all()), known, nnx.state(run.model))
    )


def test_answers_do_not_depend_on_labels_that_were_seen_last(lesson):
    """Losses of other labels leave nothing behind in the network."""
    net = awake(built())
    before = maps(net, *pictures()).stacked
    for labels in (lesson, (*lesson[:2], 0 * lesson[2], 0 * lesson[3], -1 + 0 * lesson[4])):
        nnx.jit(loss)(net, labels)
        np.testing.assert_array_equal(maps(net, *pictures()).stacked, before)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("options", "message"),
    [({"maps": 3}, "1 or 2 maps"), ({"heads": 3}, "heads that divide"), ({"width": 0}, "width")],
)
def test_networks_that_make_no_sense(options, message):
    options = {"width": 16, "heads": 2} | options
    with pytest.raises(ValueError, match=message):
        S2M(2, SHAPE, None, **options, rngs=nnx.Rngs(0))


@pytest.mark.usefixtures("unchecked")
def test_pictures_that_do_not_fit_each_other():
    net = built("none")
    before, after = pictures()
    with pytest.raises(ValueError, match="of both dates and of one shape"):
        net(before, after[:, :4])
    with pytest.raises(ValueError, match="of both dates and of one shape"):
        net(before[0], after[0])
    with pytest.raises(ValueError, match="without pixels"):
        net(before[:0], after[:0])


def test_a_network_without_a_bank_says_so():
    net, (regions, numbers) = built("none"), batch()
    t = tokens(net, *pictures())
    with pytest.raises(ValueError, match="describes no region"):
        net.described(t, regions, 2)
    with pytest.raises(ValueError, match="no temperature"):
        _ = net.temperature
    with pytest.raises(ValueError, match="cannot be aligned"):
        alignment_loss(net, t, regions, numbers)
