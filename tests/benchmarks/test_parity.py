"""The same numbers as PyTorch's and scikit-learn's, not only the same shapes."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import neurons as nr
from neurons.backbones.qttention import qcnn, slim_qcnn, wdcnn, wide_wdcnn
from neurons.training import cross_entropy
from theory.claims.scores import macro_scores

pytestmark = [pytest.mark.peers, pytest.mark.usefixtures("standard_promotion")]
BATCH = 32
RATE, SCALE = 0.05, 0.3


def windows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH, 2048, 1))
    return jnp.asarray(x, jnp.float32), jnp.asarray(rng.integers(0, 10, BATCH))


def in_torch(torch, batch):
    """A batch as torch has it, channels first."""
    x, labels = batch
    x = np.array(np.asarray(x).swapaxes(1, 2), order="C")
    return torch.from_numpy(x), torch.from_numpy(np.array(labels, np.int64))


def drawn(build):
    """A model with every parameter and running statistic at random, and without dropout."""
    model = build(rngs=nnx.Rngs(0))
    model.dropout.rate = 0.0
    rng = np.random.default_rng(1)

    def draw(variable):
        size = np.prod(variable.shape[:-1]) ** -0.5 if len(variable.shape) > 1 else 0.3
        value = size * rng.uniform(-1, 1, variable.shape)
        return variable.replace(jnp.asarray(value, jnp.float32))

    state = nnx.state(model, nnx.Any(nnx.Param, nnx.BatchStat))
    nnx.update(model, jax.tree.map(draw, state, is_leaf=lambda n: isinstance(n, nnx.Variable)))
    for block in model.blocks:
        block.norm.scale[...] += 1
        block.norm.var[...] += 1
    return model


def distance(ours, theirs):
    """Largest difference, relative to the largest entry of theirs."""
    ours, theirs = np.asarray(ours), theirs.detach().numpy()
    assert ours.shape == theirs.shape
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


def distances(twins, state, tensors):
    """By layer: the largest difference, relative to the largest entry in that layer.

    Not by array: batch normalisation makes the true gradient of a convolution's additive bias
    zero, so that both sides hold nothing but rounding there.
    """
    found = {}
    for name, ours in twins.named(state).items():
        theirs = tensors[name].detach()
        layer = ".".join(name.split(".")[:3]) if name.startswith("blocks") else name.split(".")[0]
        layer = layer.removesuffix(".weight").removesuffix(".bias")
        gap, size = found.get(layer, (0.0, 0.0))
        gap = max(gap, (ours - theirs).abs().max().item())
        found[layer] = gap, max(size, theirs.abs().max().item())
    return {layer: gap / size for layer, (gap, size) in found.items()}


def logits(model, net, torch, *, train):
    batch = windows()
    model.train() if train else model.eval()
    net.train(train)
    return model(batch[0]), net(in_torch(torch, batch)[0])


builders = pytest.mark.parametrize("build", [qcnn, wdcnn])


@pytest.mark.parametrize("build", [qcnn, wdcnn, slim_qcnn, wide_wdcnn])
@pytest.mark.parametrize("train", [False, True])
def test_logits_equal_torch(build, train, torch, twins):
    model = drawn(build)
    assert distance(*logits(model, twins.twin(model), torch, train=train)) < 1e-5


def test_swapped_branches_are_noticed(torch, twins):
    model = drawn(qcnn)
    net = twins.twin(model)
    conv = model.blocks[2].conv
    conv.kernel_r[...], conv.kernel_b[...] = conv.kernel_b[...], conv.kernel_r[...]
    for train in (False, True):
        assert distance(*logits(model, net, torch, train=train)) > 1e-2


@builders
def test_running_statistics_equal_torch(build, torch, twins):
    model = drawn(build)
    net = twins.twin(model)
    before = [np.asarray(block.norm.var[...]) for block in model.blocks]
    logits(model, net, torch, train=True)
    lengths = (256, 128, 64, 32, 16, 6)
    for block, other, old, length in zip(model.blocks, net.blocks, before, lengths, strict=True):
        assert distance(block.norm.mean[...], other.norm.running_mean) < 1e-5
        # Of n values ours divides by n, torch by n - 1.
        n = BATCH * length
        seen = (other.norm.running_var.numpy() - 0.9 * old) * (n - 1) / n
        np.testing.assert_allclose(block.norm.var[...], 0.9 * old + seen, rtol=1e-5)


@builders
def test_gradients_equal_torch(build, torch, twins):
    model = drawn(build)
    net = twins.twin(model)
    batch = windows()
    model.train()
    graph, params, rest = nnx.split(model, nnx.Param, ...)
    grads = jax.grad(
        lambda params: cross_entropy(nnx.merge(graph, params, rest, copy=True), batch)
    )(params)
    x, labels = in_torch(torch, batch)
    torch.nn.functional.cross_entropy(net(x), labels).backward()
    found = distances(twins, grads, {name: p.grad for name, p in net.named_parameters()})
    assert len(found) == 14
    assert max(found.values()) < 1e-5, found


@builders
def test_three_steps_equal_torch(build, torch, twins):
    model = drawn(build)
    net = twins.twin(model)
    tx = nr.relinear(optax.sgd(RATE, momentum=0.9), SCALE)
    whole = nr.Batches(windows(), size=BATCH, epochs=3)
    run = nr.fit(model, cross_entropy, tx, whole, key=jax.random.key(0))
    other, (x, labels) = twins.optimizer(net, RATE, SCALE), in_torch(torch, windows())
    losses = [twins.step(net, other, x, labels).item() for _ in range(3)]
    np.testing.assert_allclose(run.losses, losses, rtol=1e-5)
    found = distances(twins, nnx.state(run.model, nnx.Param), dict(net.named_parameters()))
    assert max(found.values()) < 1e-5, found


@pytest.mark.parametrize(("examples", "classes"), [(1000, 10), (40, 4), (5, 10), (1, 2)])
def test_macro_scores_equal_scikit_learn(examples, classes):
    metrics = pytest.importorskip("sklearn.metrics", reason="needs the peers extra")
    rng = np.random.default_rng(examples)
    labels, predicted = rng.integers(0, classes, (2, examples))
    predicted = np.where(rng.random(examples) < 0.5, labels, predicted)
    found = macro_scores(labels, predicted, classes)
    options = {"labels": range(classes), "average": "macro", "zero_division": 0}
    expected = [
        100 * score(labels, predicted, **options)
        for score in (metrics.f1_score, metrics.precision_score, metrics.recall_score)
    ]
    np.testing.assert_allclose(found[:3], expected, rtol=1e-12)
