"""DINOv3 of transformers, read from its file: equal at every layer; and as fast."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from neurons.backbones.dino import VARIANTS, VisionTransformer, dinov3, load, shape_of
from neurons.data import read_safetensors

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
TOLERANCE = 2e-5
LEAST = 0.8  # of their images a second


@pytest.fixture(scope="module")
def twins(torch):
    pytest.importorskip("transformers", reason="needs transformers beside torch")
    import dino_twins

    return dino_twins


@pytest.fixture(params=["plain", "gated", "gated, no biases of queries and values"])
def pair(request, twins, tmp_path):
    theirs = twins.model(tmp_path, **twins.KINDS[request.param])
    arrays = read_safetensors(tmp_path)
    shape = shape_of(arrays, heads=4)
    return load(VisionTransformer(shape, rngs=nnx.Rngs(0)), arrays), theirs


@pytest.mark.parametrize(("height", "width"), [(64, 96), (70, 100), (16, 16)])
def test_equal_at_every_layer(pair, twins, torch, height, width):
    ours, theirs = pair
    x, xt = twins.images(2, height, width)
    with torch.no_grad():
        expected = theirs(xt, output_hidden_states=True)
    x = jnp.asarray(x)
    found = ours.encode(x)
    rows, columns = ours.grid_of(x)
    whole = jnp.concatenate(
        [found.token[:, None], found.registers, found.patches.reshape(2, rows * columns, -1)], 1
    )
    assert np.abs(np.asarray(whole) - expected.last_hidden_state.numpy()).max() < TOLERANCE
    assert np.abs(np.asarray(ours(x)) - expected.pooler_output.numpy()).max() < TOLERANCE
    assert len(expected.hidden_states) == len(ours.stages)
    for stage, hidden in zip(ours.stages, expected.hidden_states, strict=True):
        tokens = np.asarray(ours.features(x, stage))
        assert np.abs(tokens - hidden.numpy()).max() < TOLERANCE


def test_masked_patches_are_theirs(pair, twins, torch):
    ours, theirs = pair
    x, xt = twins.images(1, 48, 32)
    masked = np.array([[[True, False], [False, True], [True, True]]])
    with torch.no_grad():
        answer = theirs(xt, bool_masked_pos=torch.from_numpy(masked.reshape(1, -1)))
    found = np.asarray(ours.encode(jnp.asarray(x), jnp.asarray(masked)).token)
    assert np.abs(found - answer.pooler_output.numpy()).max() < TOLERANCE


def test_forward_time(record, interleaved, twins, torch):
    shape = VARIANTS["vits16"]
    theirs = twins.sized(shape.width, shape.layers, shape.heads, shape.hidden)
    ours, forward = dinov3("vits16", rngs=nnx.Rngs(0)), nnx.jit(VisionTransformer.__call__)
    x, xt = twins.images(8, 224, 224)
    x = jnp.asarray(x)
    with torch.no_grad():
        times = interleaved(
            lambda: jax.block_until_ready(forward(ours, x)), lambda: theirs(xt), rounds=5
        )
    record("DINOv3 ViT-S: forward, 8 images of 224", "transformers", *times, 1 / LEAST)
