"""The autoencoders' values and gradients are those of a PyTorch twin."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from neurons.backbones.autoencoder import autoencoder, reconstruction_error

pytestmark = [pytest.mark.peers, pytest.mark.usefixtures("standard_promotion")]
CLOSE = 1e-4  # float32: four normalisations in a row amplify rounding
NAMES = ["HAE-X", "HAE-Y", "HAE-I", "AE", "QAE"]


@pytest.fixture(scope="session")
def twin(torch):
    from autoencoder_twin import named, twin

    return lambda net: (twin(net), named)


def drawn(name):
    """A network with all parameters and running statistics at random, without dropout."""
    net = autoencoder(name, 12, widths=(9, 6, 4), dropout=0.0, rngs=nnx.Rngs(0))
    rng = np.random.default_rng(1)
    for path, variable in nnx.to_flat_state(nnx.state(net, nnx.Any(nnx.Param, nnx.BatchStat))):
        size = np.prod(variable.shape[:-1]) ** -0.5 if len(variable.shape) > 1 else 0.3
        centre = 1.0 if path[-1] in ("scale", "var") else 0.0
        value = centre + size * rng.uniform(-1, 1, variable.shape)
        variable[...] = jnp.asarray(value, jnp.float32)
    return net


def rows():
    return np.random.default_rng(0).normal(size=(32, 12)).astype(np.float32)


def distance(ours, theirs):
    """Largest difference, relative to the largest entry of theirs."""
    theirs = theirs.detach().numpy()
    return np.abs(np.asarray(ours) - theirs).max() / np.abs(theirs).max()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("train", [False, True])
def test_reconstructions_equal_torch(name, train, torch, twin):
    net = drawn(name)
    other, _ = twin(net)
    net.train() if train else net.eval()
    other.train(train)
    assert distance(net(jnp.asarray(rows())), other(torch.from_numpy(rows()))) < CLOSE


@pytest.mark.parametrize("name", NAMES)
def test_gradients_equal_torch(name, torch, twin):
    net = drawn(name)
    other, named = twin(net)
    net.train()
    graph, params, rest = nnx.split(net, nnx.Param, ...)
    grads = jax.jit(
        jax.grad(
            lambda params: reconstruction_error(
                nnx.merge(graph, params, rest, copy=True), jnp.asarray(rows())
            )
        )
    )(params)
    x = torch.from_numpy(rows())
    torch.nn.functional.mse_loss(other(x), x).backward()
    theirs = {name: parameter.grad for name, parameter in other.named_parameters()}
    ours = named(grads)
    assert ours.keys() == theirs.keys()
    largest = max(gradient.abs().max().item() for gradient in theirs.values())
    gaps = {name: (ours[name] - theirs[name]).abs().max().item() for name in ours}
    assert max(gaps.values()) < CLOSE * largest, gaps


def test_exchanged_branches_are_noticed(torch, twin):
    net = drawn("HAE-X")
    other, _ = twin(net)
    layer = net.encoder[0].layers[1]
    layer.kernel_r[...], layer.kernel_b[...] = layer.kernel_b[...], layer.kernel_r[...]
    net.eval()
    other.eval()
    assert distance(net(jnp.asarray(rows())), other(torch.from_numpy(rows()))) > 1e-3
