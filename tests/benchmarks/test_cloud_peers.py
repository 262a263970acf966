"""PointNet and DGCNN give PyTorch's numbers, and train in at most PyTorch's time."""

import os

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from training_step import our_step

import neurons as nr
from neurons.backbones.cloud_rain import DGCNN, PointNet
from neurons.backbones.cloud_rain.recipe import smoothed_cross_entropy

pytestmark = [pytest.mark.peers, pytest.mark.usefixtures("standard_promotion")]
CLASSES, RATE = 7, 0.01
NEURONS = [nr.conventional, nr.quadratic, nr.power_only]


@pytest.fixture(scope="session")
def cloud_twins(torch):
    """The module cloud_twins, which imports torch."""
    import cloud_twins

    return cloud_twins


def pointnet(neuron):
    sizes = {"widths": (8, 16, 32), "hidden": (16, 8)}
    return PointNet(
        neuron,
        CLASSES,
        input_transform=True,
        feature_transform=True,
        dropout=0.0,
        rngs=nnx.Rngs(0),
        **sizes,
    )


def dgcnn(neuron):
    sizes = {"widths": (8, 16, 8), "embedding": 32, "hidden": (16, 8), "neighbours": 6}
    return DGCNN(neuron, CLASSES, dropout=0.0, rngs=nnx.Rngs(0), **sizes)


def clouds(batch, points):
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(batch, points, 3)), rng.integers(0, CLASSES, batch)
    return jnp.asarray(x, jnp.float32), jnp.asarray(labels)


def in_torch(torch, batch):
    """A batch as torch has it, channels first."""
    x, labels = batch
    points = torch.from_numpy(np.asarray(x).swapaxes(1, 2).copy())
    return points, torch.from_numpy(np.asarray(labels).astype(np.int64))


def drawn(model):
    """The model with every parameter and running statistic at random; scales of both signs."""
    rng = np.random.default_rng(1)

    def draw(variable):
        size = variable.shape[0] ** -0.5 if len(variable.shape) > 1 else 0.5
        value = size * rng.uniform(-1, 1, variable.shape)
        if isinstance(variable, nnx.BatchStat):
            value = value + 1
        return variable.replace(jnp.asarray(value, jnp.float32))

    state = nnx.state(model, nnx.Any(nnx.Param, nnx.BatchStat))
    nnx.update(model, jax.tree.map(draw, state, is_leaf=lambda n: isinstance(n, nnx.Variable)))
    return model


def distance(ours, theirs):
    """Largest difference, relative to the largest entry of theirs."""
    ours, theirs = np.asarray(ours), theirs.detach().numpy()
    assert ours.shape == theirs.shape
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


def distances(ours, theirs):
    """Largest difference by block, relative to the block's largest entry.

    Not by array: normalisation makes the true gradient of a bias before it zero, so that both
    sides hold nothing but rounding there.
    """
    found = {}
    for name, value in ours.items():
        block, other = name.partition(".layer")[0].partition(".norm")[0], theirs[name].detach()
        gap, size = found.get(block, (0.0, 0.0))
        gap = max(gap, (value - other).abs().max().item())
        found[block] = gap, max(size, other.abs().max().item())
    return {block: gap / size for block, (gap, size) in found.items()}


def gradients(model, batch):
    """Loss and gradients in training mode, and the state that the running statistics moved to."""
    model.train()
    graph, params, rest = nnx.split(model, nnx.Param, ...)

    @jax.jit
    def both(params, rest, batch):
        def loss(params):
            merged = nnx.merge(graph, params, rest, copy=True)
            return smoothed_cross_entropy(merged, batch), nnx.state(merged, nnx.BatchStat)

        return jax.value_and_grad(loss, has_aux=True)(params)

    (loss, statistics), grads = both(params, rest, batch)
    return loss, statistics, grads


both = pytest.mark.parametrize("build", [pointnet, dgcnn])
every = pytest.mark.parametrize("neuron", NEURONS, ids=lambda neuron: neuron.name)


@both
@every
def test_logits_equal_torch(build, neuron, torch, cloud_twins):
    model, batch = drawn(build(neuron)), clouds(16, 64)
    model.eval()
    net = cloud_twins.twin(model).eval()
    graph, state = nnx.split(model)
    found = jax.jit(lambda state, x: nnx.merge(graph, state)(x))(state, batch[0])
    assert distance(found, net(in_torch(torch, batch)[0])) < 1e-4


@both
@every
def test_gradients_equal_torch(build, neuron, torch, cloud_twins):
    model, batch = drawn(build(neuron)), clouds(16, 64)
    net = cloud_twins.twin(model).train()
    loss, _, grads = gradients(model, batch)
    x, labels = in_torch(torch, batch)
    other = torch.nn.functional.cross_entropy(net(x), labels, label_smoothing=0.2)
    other.backward()
    assert abs(float(loss) - other.item()) < 1e-4 * other.item()
    theirs = {name: p.grad for name, p in net.named_parameters()}
    found = distances(cloud_twins.named(grads, net), theirs)
    assert max(found.values()) < 1e-4, found


def test_swapped_branches_are_noticed(torch, cloud_twins):
    model, batch = drawn(pointnet(nr.quadratic)), clouds(16, 64)
    net = cloud_twins.twin(model).train()
    layer = model.blocks[1].layer
    layer.kernel_r[...], layer.kernel_b[...] = layer.kernel_b[...], layer.kernel_r[...]
    loss, _, _ = gradients(model, batch)
    x, labels = in_torch(torch, batch)
    other = torch.nn.functional.cross_entropy(net(x), labels, label_smoothing=0.2)
    assert abs(float(loss) - other.item()) > 1e-3 * other.item()


@pytest.mark.parametrize(
    ("make", "rounds"), [(PointNet, 10), (DGCNN, 3)], ids=["PointNet", "DGCNN"]
)
@pytest.mark.parametrize("neuron", NEURONS[:2], ids=lambda neuron: neuron.name)
def test_training_step(make, neuron, rounds, record, interleaved, torch, cloud_twins):
    """As published, 8 clouds of 1,024 points; both sides use all cores."""
    model, batch = make(neuron, CLASSES, rngs=nnx.Rngs(0)), clouds(8, 1024)
    net = cloud_twins.twin(model).train()
    tx = torch.optim.SGD(net.parameters(), lr=RATE, momentum=0.9)
    x, labels = in_torch(torch, batch)
    model.train()
    before = torch.get_num_threads()
    torch.set_num_threads(os.cpu_count())
    ours, theirs = interleaved(
        our_step(model, batch, smoothed_cross_entropy, optax.sgd(RATE, momentum=0.9)),
        lambda: cloud_twins.step(net, tx, x, labels),
        rounds=rounds,
    )
    torch.set_num_threads(before)
    what = f"{make.__name__} {neuron.name}: training step, batch 8"
    record(what, f"torch, {os.cpu_count()} threads", ours, theirs, 1.0)
