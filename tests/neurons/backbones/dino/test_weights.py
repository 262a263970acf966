"""Names of published weights: both layouts give one network, and what does not fit is named."""

import jax
import numpy as np
import pytest
from flax import nnx

import neurons as nr
from neurons.backbones.dino import VARIANTS, Shape, VisionTransformer, dinov3, load, shape_of
from neurons.backbones.dino.weights import META

GATED, PLAIN = Shape(128, 2, 2, 24, gated=True), Shape(128, 2, 2, 24)
KINDS = {"plain": PLAIN, "gated": GATED, "no bias": Shape(128, 2, 2, 24, gated=True, bias=False)}


def published(shape, seed=0):
    """Arrays at random under Hugging Face's names, in torch's order of axes."""
    random, width, hidden = np.random.default_rng(seed), shape.width, shape.hidden
    sizes = {
        "embeddings.cls_token": (1, 1, width),
        "embeddings.mask_token": (1, 1, width),
        "embeddings.register_tokens": (1, shape.registers, width),
        "embeddings.patch_embeddings.weight": (width, 3, 16, 16),
        "embeddings.patch_embeddings.bias": (width,),
        "norm.weight": (width,),
        "norm.bias": (width,),
    }
    for layer in range(shape.layers):
        inner = {f"norm{n}.{kind}": (width,) for n in (1, 2) for kind in ("weight", "bias")}
        inner |= {f"layer_scale{n}.lambda1": (width,) for n in (1, 2)}
        inner |= {f"attention.{p}_proj.weight": (width, width) for p in "qkvo"}
        inner |= {f"attention.{p}_proj.bias": (width,) for p in ("qvo" if shape.bias else "o")}
        ups = ("up", "gate") if shape.gated else ("up",)
        inner |= {f"mlp.{name}_proj.weight": (hidden, width) for name in ups}
        inner |= {f"mlp.{name}_proj.bias": (hidden,) for name in ups}
        inner |= {"mlp.down_proj.weight": (width, hidden), "mlp.down_proj.bias": (width,)}
        sizes |= {f"layer.{layer}.{name}": size for name, size in inner.items()}
    return {n: 0.1 * random.normal(size=s).astype(np.float32) for n, s in sizes.items()}


def metas(arrays, layers, gated):
    """The same arrays under Meta's names."""
    back = {
        ours: theirs
        for theirs, ours in META.items()
        if ours != "mlp.up_proj" or theirs == ("mlp.w2" if gated else "mlp.fc1")
    }
    if gated:
        back["mlp.down_proj"] = "mlp.w3"
    else:
        back["mlp.down_proj"] = "mlp.fc2"
    found = {"rope_embed.periods": np.ones(16, np.float32)}
    for name, value in arrays.items():
        if not any(f".attention.{letter}_proj" in name for letter in "qkv"):
            for ours, theirs in back.items():
                name = name.replace(ours, theirs)
            found[name] = value
    for layer in range(layers):
        parts = {
            kind: [arrays.get(f"layer.{layer}.attention.{p}_proj.{kind}") for p in "qkv"]
            for kind in ("weight", "bias")
        }
        found[f"blocks.{layer}.attn.qkv.weight"] = np.concatenate(parts["weight"])
        keys = np.full_like(parts["bias"][0], 7.0)  # the mask silences it
        found[f"blocks.{layer}.attn.qkv.bias"] = np.concatenate(
            [parts["bias"][0], keys, parts["bias"][2]]
        )
        mask = np.concatenate([np.ones(len(keys)), np.zeros(len(keys)), np.ones(len(keys))])
        found[f"blocks.{layer}.attn.qkv.bias_mask"] = mask
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_shape_is_read_off_the_arrays(kind):
    arrays = published(KINDS[kind])
    assert shape_of(arrays) == KINDS[kind]
    assert shape_of({f"model.{name}": value for name, value in arrays.items()}) == KINDS[kind]
    assert shape_of(arrays, heads=4).heads == 4


def test_every_array_lies_where_it_belongs():
    arrays = published(PLAIN)
    net = dinov3(weights=arrays, rngs=nnx.Rngs(0))
    block, name = net.blocks[1], "layer.1.attention.q_proj.weight"
    np.testing.assert_array_equal(block.attention.query.weights("r"), arrays[name].T)
    np.testing.assert_array_equal(block.scale2[...], arrays["layer.1.layer_scale2.lambda1"])
    patch = np.random.default_rng(1).normal(size=(16, 16, 3)).astype(np.float32)
    kernel = arrays["embeddings.patch_embeddings.weight"]
    expected = np.einsum("dcyx,yxc->d", kernel, patch) + arrays["embeddings.patch_embeddings.bias"]
    found = net.tokens(jax.numpy.asarray(patch[None]))[0, 5]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(net.registers[...], arrays["embeddings.register_tokens"][0])


@pytest.mark.parametrize("kind", ["plain", "gated"])
def test_both_layouts_give_one_network(kind):
    shape = KINDS[kind]
    arrays = published(shape)
    other = metas(arrays, shape.layers, shape.gated)
    assert shape_of(other) == shape
    one, two = (dinov3(weights=names, rngs=nnx.Rngs(0)) for names in (arrays, other))
    for mine, theirs in zip(*(jax.tree.leaves(nnx.state(net)) for net in (one, two)), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_neuron_that_starts_as_the_conventional_one_gives_the_same_answers():
    arrays, x = published(PLAIN), jax.random.normal(jax.random.key(0), (1, 16, 32, 3))
    plain, other = (
        dinov3(weights=arrays, neuron=neuron, rngs=nnx.Rngs(0)) for neuron in (None, nr.quadratic)
    )
    np.testing.assert_allclose(plain(x), other(x), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="does not"):
        dinov3(weights=arrays, neuron=nr.rbf, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="fit no part of the neuron"):
        dinov3(weights=published(GATED), neuron=nr.conventional, rngs=nnx.Rngs(0))


def test_what_does_not_fit_is_named():
    arrays = published(PLAIN)
    net = VisionTransformer(PLAIN, rngs=nnx.Rngs(0))
    before = np.asarray(net(jax.numpy.ones((1, 16, 16, 3))))
    missing = {n: v for n, v in arrays.items() if n != "layer.1.norm2.bias"}
    with pytest.raises(ValueError, match=r"missing: layer\.1\.norm2\.bias"):
        load(net, missing)
    with pytest.raises(ValueError, match=r"not in the network: extra\.weight"):
        load(net, arrays | {"extra.weight": np.zeros(3)})
    with pytest.raises(ValueError, match=r"norm\.weight has shape \(3,\)"):
        load(net, arrays | {"norm.weight": np.zeros(3)})
    np.testing.assert_array_equal(net(jax.numpy.ones((1, 16, 16, 3))), before)  # nothing was put
    load(net, {n: v for n, v in arrays.items() if "mask" not in n})
    with pytest.raises(ValueError, match="vits16"):
        dinov3("vit-small", rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="a name or weights"):
        dinov3(rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="no arrays of a DINOv3 network"):
        shape_of({"fc.weight": np.zeros((2, 3))})
    assert set(VARIANTS) >= {"vits16", "vitb16", "vitl16", "vit7b16"}
