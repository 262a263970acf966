"""U-shaped networks on the stages of a classifier: sizes, cached activations, any neuron."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from neurons import quadratic
from neurons.backbones.defect import EncoderUNet, resnet18, vgg16
from neurons.backbones.defect.encoder_unet import enlarge

ENCODERS = {
    "resnet18": lambda: resnet18(width=2, rngs=nnx.Rngs(0)),
    "vgg16": lambda: vgg16(width=2, rngs=nnx.Rngs(0)),
}


def images(height, width):
    x = np.random.default_rng(0).normal(size=(2, height, width, 3))
    return jnp.asarray(x, jnp.float32)


@pytest.mark.parametrize("name", ENCODERS)
def test_every_encoder_gives_logits_of_every_pixel(name):
    net = nnx.eval_shape(
        lambda: EncoderUNet(ENCODERS[name](), classes=3, width=2, rngs=nnx.Rngs(0))
    )
    graph, state = nnx.split(net)
    found = jax.eval_shape(lambda state, x: nnx.merge(graph, state)(x), state, images(45, 33))
    assert found.shape == (2, 45, 33, 3)


def test_kept_activations_give_the_same_logits():
    encoder = resnet18(width=2, small=True, rngs=nnx.Rngs(0))
    net = EncoderUNet(encoder, width=2, neuron=quadratic, rngs=nnx.Rngs(1))
    net.eval()
    graph, state = nnx.split(net)

    @jax.jit
    def both(state, x):
        net = nnx.merge(graph, state)
        pyramid = net.encoder.pyramid(x)
        return net(x), net.decode(pyramid, x.shape[1:3]), net.head(net.features(x))

    whole, kept, headed = both(state, images(11, 8))
    assert whole.shape == (2, 11, 8, 1)
    np.testing.assert_allclose(kept, whole, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(headed, whole, rtol=1e-5, atol=1e-6)
    assert float(jnp.ptp(whole)) > 0


def test_pixels_are_repeated_and_cut():
    x = jnp.arange(6.0).reshape(1, 2, 3, 1)
    found = enlarge(x, (3, 6))[0, ..., 0]
    np.testing.assert_array_equal(
        found, [[0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2], [3, 3, 4, 4, 5, 5]]
    )
    np.testing.assert_array_equal(enlarge(x, (2, 3)), x)


def test_what_does_not_fit_is_refused(unchecked):
    encoder = resnet18(width=2, small=True, rngs=nnx.Rngs(0))
    net = EncoderUNet(encoder, width=2, rngs=nnx.Rngs(1))
    with pytest.raises(ValueError, match="expected 5 stages, got 4"):
        net.decode([jnp.zeros((1, 2, 2, 2))] * 4, (8, 8))
    with pytest.raises(ValueError, match=r"cannot enlarge \(2, 3\) to the smaller \(2, 2\)"):
        enlarge(jnp.zeros((1, 2, 3, 1)), (2, 2))
    with pytest.raises(ValueError, match="smaller than the stride 8"):
        net(images(7, 9))
