"""The classifiers of surfaces give PyTorch's numbers, and run in at most PyTorch's time."""

import os
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from training_step import our_step

from neurons.backbones.defect import mobilenet_v2, preprocess, resnet18, resnet34, to_torch, vgg16
from neurons.data import available, images, pretrained, read_torch
from neurons.training import cross_entropy

pytestmark = [pytest.mark.peers, pytest.mark.usefixtures("standard_promotion")]
CLASSES, RATE = 7, 0.01
NUMBERS = ("float64", "float32", "float16", "bfloat16", "complex64")
TYPES = (*NUMBERS, "int64", "int32", "int16", "int8", "uint8", "bool")
BUILDERS = {
    "resnet18": lambda T: (partial(resnet18, width=8), T.ResNet(18, CLASSES, 8)),
    "resnet34": lambda T: (partial(resnet34, width=8), T.ResNet(34, CLASSES, 8)),
    "vgg16": lambda T: (
        partial(vgg16, width=8, hidden=16, norm=False),
        T.VGG16(False, CLASSES, 8, 16),
    ),
    "vgg16_bn": lambda T: (partial(vgg16, width=8, hidden=16), T.VGG16(True, CLASSES, 8, 16)),
    "mobilenet_v2": lambda T: (mobilenet_v2, T.MobileNetV2(CLASSES)),
}


@pytest.fixture(scope="session")
def defect_twins(torch):
    """The module defect_twins, which imports torch."""
    import defect_twins

    return defect_twins


def both(name, twins):
    """Our network and its twin, with the same random weights."""
    make, net = BUILDERS[name](twins)
    twins.spread(net)
    return make(classes=CLASSES, weights=twins.arrays(net), rngs=nnx.Rngs(0)), net


def batch(height, width, count=2):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, height, width, 3)).astype(np.float32)
    return jnp.asarray(x), jnp.asarray(rng.integers(0, CLASSES, count))


def in_torch(torch, x):
    return torch.from_numpy(np.array(np.asarray(x).transpose(0, 3, 1, 2), order="C"))


def forward(net):
    """The network's logits and pyramid, compiled, in evaluation mode."""
    net.eval()
    graph, state = nnx.split(net)

    @jax.jit
    def found(state, x):
        net = nnx.merge(graph, state)
        return net(x), net.pyramid(x)

    return partial(found, state)


def distance(ours, theirs):
    """Largest difference, relative to the largest entry of theirs."""
    ours, theirs = np.asarray(ours), theirs.detach().numpy()
    assert ours.shape == theirs.shape
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


@pytest.mark.parametrize("name", BUILDERS)
def test_logits_and_stages_equal_torch(name, torch, defect_twins):
    net, twin = both(name, defect_twins)
    x, _ = batch(45, 64)
    logits, pyramid = forward(net)(x)
    with torch.no_grad():
        y = in_torch(torch, x)
        assert distance(logits, twin.eval()(y)) < 1e-4
        for ours, theirs in zip(pyramid, twin.pyramid(y), strict=True):
            assert distance(ours, theirs.permute(0, 2, 3, 1)) < 1e-4


def gradients(net, x, labels):
    """Loss and gradients in training mode and float64, under torchvision's names."""
    net.train()
    graph, params, rest = nnx.split(net, nnx.Param, ...)
    params, rest = jax.tree.map(lambda a: jnp.asarray(a, jnp.float64), (params, rest))

    @jax.jit
    def found(params, rest, data):
        def loss(params):
            merged = nnx.merge(graph, params, rest, copy=True)
            return cross_entropy(merged, data), nnx.state(merged, nnx.BatchStat)

        return jax.value_and_grad(loss, has_aux=True)(params)

    (loss, statistics), grads = found(params, rest, (jnp.asarray(x, jnp.float64), labels))
    return loss, to_torch(nnx.merge(graph, grads, statistics))


@pytest.mark.parametrize("name", ["resnet18", "vgg16_bn", "mobilenet_v2"])
def test_gradients_and_statistics_equal_torch(name, torch, defect_twins):
    """In float64: in float32 rounding flips ReLUs, and few pixels a channel amplify that."""
    net, twin = both(name, defect_twins)
    x, labels = batch(64, 64, count=8)
    with jax.enable_x64(True):
        loss, found = gradients(net, x, labels)
    other = torch.nn.functional.cross_entropy(
        twin.double().train()(in_torch(torch, x).double()),
        torch.from_numpy(np.array(labels, np.int64)),
    )
    other.backward()
    assert abs(float(loss) - other.item()) < 1e-10 * other.item()
    theirs = {name: p.grad.numpy() for name, p in twin.named_parameters()}
    largest = max(np.abs(value).max() for value in theirs.values())
    for key, value in theirs.items():
        # A bias before a normalisation has no gradient but rounding: hence the second term.
        gap = np.abs(found[key] - value).max()
        assert gap < 1e-8 * np.abs(value).max() + 1e-12 * largest, key
    for key, value in twin.state_dict().items():
        if key.endswith("running_mean"):
            assert distance(found[key], value) < 1e-10, key


def test_swapped_kernels_are_noticed(torch, defect_twins):
    net, twin = both("mobilenet_v2", defect_twins)
    first, second = (net.parts[4].blocks[place].layers[1].conv for place in (1, 2))
    first.kernel_r[...], second.kernel_r[...] = second.kernel_r[...], first.kernel_r[...]
    x, _ = batch(45, 64)
    with torch.no_grad():
        assert distance(forward(net)(x)[0], twin.eval()(in_torch(torch, x))) > 1e-3


@pytest.fixture(scope="module")
def published(torch, defect_twins):
    """MobileNetV2 with ImageNet's weights: ours, compiled, and its twin."""
    if not available("weights"):
        pytest.skip("real data: set NEURONS_DATA to a folder that holds weights intact")
    weights = pretrained("mobilenet_v2")
    twin = defect_twins.MobileNetV2()
    twin.load_state_dict({name: torch.tensor(np.array(a)) for name, a in weights.items()})
    return forward(mobilenet_v2(weights=weights, rngs=nnx.Rngs(0))), twin.eval()


@pytest.mark.parametrize("kind", ["random", "real"])
def test_published_mobilenet_equals_torch(kind, published, torch):
    if kind == "real" and not available("images"):
        pytest.skip("real data: set NEURONS_DATA to a folder that holds images intact")
    rng = np.random.default_rng(0)
    x = images().x_test[:4] if kind == "real" else rng.random((4, 32, 32, 3), np.float32)
    x = preprocess(np.kron(x, np.ones((1, 3, 3, 1), np.float32)))  # 96 pixels
    ours, twin = published
    logits, pyramid = ours(x)
    with torch.no_grad():
        y = in_torch(torch, x)
        np.testing.assert_allclose(logits, twin(y), atol=1e-4)
        for mine, theirs in zip(pyramid, twin.pyramid(y), strict=True):
            np.testing.assert_allclose(mine, theirs.permute(0, 2, 3, 1), atol=1e-4)


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_files_of_torch_save_are_read(legacy, torch, tmp_path, defect_twins):
    torch.manual_seed(0)
    whole = 50 * torch.randn(4, 6)
    stored = {kind: whole.to(getattr(torch, kind)) for kind in TYPES}
    stored |= {"part": whole[1:, ::2].T, "expanded": whole[:1].expand(3, 6), "scalar": whole.sum()}
    stored |= {"none": whole[:0], "parameter": torch.nn.Parameter(whole[2])}
    path = tmp_path / "state.pth"
    torch.save({"state": stored, "epoch": 3}, path, _use_new_zipfile_serialization=not legacy)
    found = read_torch(path)
    assert list(found) == [f"state.{name}" for name in stored]
    for name, value in stored.items():
        value = value.detach()
        expected = value.float() if value.dtype == torch.bfloat16 else value
        assert found[f"state.{name}"].dtype == expected.numpy().dtype
        np.testing.assert_array_equal(found[f"state.{name}"], expected.numpy(), err_msg=name)
    twin = defect_twins.ResNet(18, CLASSES, 4)
    torch.save(twin.state_dict(), path, _use_new_zipfile_serialization=not legacy)
    net = resnet18(classes=CLASSES, width=4, weights=read_torch(path), rngs=nnx.Rngs(0))
    np.testing.assert_array_equal(to_torch(net)["fc.weight"], twin.fc.weight.detach().numpy())


def threads(torch):
    """All cores for both sides."""
    torch.set_num_threads(os.cpu_count())
    return f"torch, {os.cpu_count()} threads"


def test_forward_time_of_mobilenet(record, interleaved, torch, defect_twins):
    """64 images of 224 x 224, as the bar of Grad-CAM asks, in two chunks of 32."""
    net, twin = both("mobilenet_v2", defect_twins)
    net.eval()
    graph, state = nnx.split(net)
    run = jax.jit(lambda state, x: nnx.merge(graph, state)(x))
    x, _ = batch(224, 224, count=32)
    y = in_torch(torch, x)
    twin.eval()

    def theirs():
        with torch.no_grad():
            return [twin(y) for _ in range(2)]

    def ours():
        return [run(state, x).block_until_ready() for _ in range(2)]

    peer = threads(torch)
    times = interleaved(ours, theirs, rounds=4)
    record("MobileNetV2: forward, 64 images of 224", peer, *times, 1.0)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_time_of_a_training_step(name, record, interleaved, torch, defect_twins):
    """16 images of 96 x 96, SGD with momentum."""
    net, twin = both(name, defect_twins)
    data = batch(96, 96, count=16)
    net.train()
    ours = our_step(net, data, cross_entropy, optax.sgd(RATE, momentum=0.9))
    other = torch.optim.SGD(twin.train().parameters(), lr=RATE, momentum=0.9)
    x, labels = in_torch(torch, data[0]), torch.from_numpy(np.array(data[1], np.int64))

    def theirs():
        other.zero_grad()
        torch.nn.functional.cross_entropy(twin(x), labels).backward()
        other.step()

    peer = threads(torch)
    times = interleaved(ours, theirs, rounds=4)
    record(f"{name}: training step, 16 images of 96", peer, *times)
