"""Networks that decide and mark: one encoder, cut into stages, of any neuron."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from prior_nets import build

from neurons import quadratic
from neurons.backbones.defect import MultiTaskNet, load, resnet18, to_torch, vgg16
from neurons.backbones.defect.blocks import SampleHead
from neurons.explain import split

ENCODERS = {
    "quadratic resnet18": lambda: resnet18(quadratic, width=2, rngs=nnx.Rngs(0)),
    "vgg16": lambda: vgg16(width=2, rngs=nnx.Rngs(0)),
}
X = jnp.asarray(np.random.default_rng(0).normal(size=(2, 7, 6, 1)), jnp.float32)


@pytest.fixture(scope="module")
def net():
    found = MultiTaskNet(build(rngs=nnx.Rngs(0)), width=2, rngs=nnx.Rngs(1))
    found.eval()
    return found


@pytest.mark.parametrize("name", ENCODERS)
def test_every_encoder_decides_and_marks(name):
    net = nnx.eval_shape(
        lambda: MultiTaskNet(ENCODERS[name](), width=2, neuron=quadratic, rngs=nnx.Rngs(0))
    )
    graph, state = nnx.split(net)
    x = jax.ShapeDtypeStruct((2, 45, 33, 3), jnp.float32)
    found = jax.eval_shape(lambda state, x: nnx.merge(graph, state)(x), state, x)
    assert found.logits.shape == (2,)
    assert found.masks.shape == (2, 45, 33, 1)


def test_every_stage_and_kept_activations_give_the_same_answers(net):
    graph, state = nnx.split(net)

    @jax.jit
    def answers(state, x):
        net = nnx.merge(graph, state)
        kept = net.decode(net.encoder.pyramid(x), x.shape[1:3])
        staged = [net.head(net.features(x, stage), stage) for stage in net.stages]
        return net(x), kept, staged

    whole, kept, staged = answers(state, X)
    for one, other in zip(whole, kept, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    for logits in staged:
        np.testing.assert_allclose(logits[:, 0], whole.logits, rtol=1e-5, atol=1e-6)
    assert float(jnp.ptp(whole.logits)) > 0
    assert float(jnp.ptp(whole.masks)) > 0


def test_both_answers_move_the_encoder_and_their_own_part_alone(net):
    graph, params, rest = nnx.split(net, nnx.Param, ...)

    @jax.jit
    def gradients(params, x):
        def total(params, answer):
            return jnp.square(getattr(nnx.merge(graph, params, rest, copy=True)(x), answer)).sum()

        return [jax.grad(total)(params, answer) for answer in ("logits", "masks")]

    decided, marked = (nnx.merge(graph, found, rest) for found in gradients(params, X))
    for found in (decided, marked):
        assert largest(found.encoder.parts) > 0
    assert largest(decided.encoder.out) > 0
    assert largest(marked.unet.rise) > 0
    assert largest(decided.unet.rise) == largest(marked.encoder.out) == 0


def largest(module):
    return max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(nnx.state(module, nnx.Param)))


def test_the_encoder_given_keeps_its_own_head():
    encoder = build(logits=5, rngs=nnx.Rngs(0))
    net = MultiTaskNet(encoder, width=2, rngs=nnx.Rngs(1))
    assert encoder.out.layers[0].kernel.shape == (3, 5)
    assert net.encoder.out.layers[0].kernel.shape == (6, 1)


@pytest.mark.parametrize(("pooling", "count"), [("mean", 1), ("max", 1), ("both", 2)])
def test_samples_are_pooled_as_asked(pooling, count):
    head = SampleHead(3, pooling=pooling, rngs=nnx.Rngs(1))
    x = np.arange(12.0, dtype=np.float32).reshape(1, 2, 2, 3)
    pooled = {"mean": x.mean((1, 2)), "max": x.max((1, 2))}
    wanted = np.concatenate([v for k, v in pooled.items() if pooling in (k, "both")], axis=-1)
    linear = head.layers[0]
    assert linear.kernel.shape == (3 * count, 1)
    answer = wanted @ np.asarray(linear.kernel[...]) + np.asarray(linear.bias[...])
    np.testing.assert_allclose(head(jnp.asarray(x)), answer, rtol=1e-5)


def test_published_weights_fit_the_shared_encoder():
    arrays = to_torch(vgg16(width=2, hidden=2, rngs=nnx.Rngs(3)))
    given = vgg16(width=2, hidden=2, rngs=nnx.Rngs(4))
    net = MultiTaskNet(given, width=2, rngs=nnx.Rngs(4))
    start = np.array(net.encoder.out.layers[0].kernel[...])
    load(net.encoder, arrays)
    np.testing.assert_array_equal(
        to_torch(net.encoder)["features.0.weight"], arrays["features.0.weight"]
    )
    # A head of other classes keeps its start.
    np.testing.assert_array_equal(net.encoder.out.layers[0].kernel[...], start)


def test_its_decision_can_be_cut_for_maps(net):
    part = split(net, "deep")
    graph, state = nnx.split(net)
    whole = jax.jit(lambda state, x: nnx.merge(graph, state)(x).logits)(state, X)
    np.testing.assert_allclose(part.head(part.features(X))[:, 0], whole, rtol=1e-5, atol=1e-6)


def test_what_cannot_be_is_refused(net):
    with pytest.raises(ValueError, match="expected images"):
        net(jnp.ones((1, 8, 8, 3)))
    with pytest.raises(ValueError, match="expected 2 stages, got 1"):
        net.decode((X,), (7, 6))


@pytest.mark.usefixtures("unchecked")
def test_an_unknown_pooling_is_refused(net):
    with pytest.raises(ValueError, match="pooling is 'sum'; allowed: mean, max, both"):
        MultiTaskNet(net.encoder, pooling="sum", rngs=nnx.Rngs(0))
