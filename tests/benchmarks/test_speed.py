"""How long we take, over how long others take; the table comes at the end of `make peers`."""

import os
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import neurons as nr
from neurons.backbones.qttention import qcnn, slim_qcnn, wdcnn, wide_wdcnn
from neurons.explain.qttention import qttention_maps
from neurons.training import cross_entropy

pytestmark = [pytest.mark.peers, pytest.mark.usefixtures("standard_promotion")]
BATCH, STEPS = 64, 8
RATE, SCALE = 0.01, 0.1
ROUNDS = 20  # many short rounds: each side meets the machine undisturbed in some of them


def windows(number):
    rng = np.random.default_rng(0)
    return rng.normal(size=(number, 2048, 1)).astype(np.float32), rng.integers(0, 10, number)


@pytest.fixture
def threads(torch):
    """Sets torch's number of threads, and puts it back."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("build", "bar"), [(qcnn, 0.8), (wdcnn, None), (slim_qcnn, None), (wide_wdcnn, None)]
)
def test_training_step(build, bar, record, torch, twins, threads):
    x, labels = windows(BATCH * STEPS)
    net = twins.twin(build(rngs=nnx.Rngs(0)))
    tx = twins.optimizer(net, RATE, SCALE)
    inputs, targets = torch.from_numpy(x.swapaxes(1, 2).copy()), torch.from_numpy(labels)
    times = {"ours": [], "all": [], "one": []}

    def epoch():
        for rows in torch.randperm(BATCH * STEPS).split(BATCH):
            twins.step(net, tx, inputs[rows], targets[rows])

    def torch_in_between(state):  # called by fit after each of our epochs
        nonlocal start
        jax.block_until_ready(state.carry)
        times["ours"].append(time.perf_counter() - start)
        for name, number in (("all", os.cpu_count()), ("one", 1)):
            threads(number)
            start = time.perf_counter()
            epoch()
            times[name].append(time.perf_counter() - start)
        start = time.perf_counter()

    start = time.perf_counter()
    nr.fit(
        build(rngs=nnx.Rngs(0)),
        cross_entropy,
        nr.relinear(optax.sgd(RATE, momentum=0.9), SCALE),
        nr.Batches((jnp.asarray(x), jnp.asarray(labels)), size=BATCH, epochs=ROUNDS + 2),
        key=jax.random.key(0),
        on_epoch=torch_in_between,
    )
    ours, every, one = (np.array(found[2:]) / STEPS for found in times.values())  # 2 to warm up
    what = f"{build.__name__}: training step, batch {BATCH}"
    # PyTorch's threads wait for each other: beside other work one thread can be faster than all.
    record(what, "torch, one thread", ours, one)
    record(what, f"torch, {os.cpu_count()} threads", ours, every, bar)


def trained_a_little():
    model = qcnn(rngs=nnx.Rngs(0))
    rng = np.random.default_rng(1)
    for block in model.blocks:
        for name in "gb":
            kernel = getattr(block.conv, f"kernel_{name}")
            kernel[...] = jnp.asarray(0.1 * rng.normal(size=kernel.shape), jnp.float32)
    model.eval()
    return model


# The bar of the plain Python loop over windows and channels is 1/50. A loop whose body NumPy
# vectorises over channels is a harder peer; it runs on one core, ours on all: its bar is half of
# what two idle cores show.
@pytest.mark.parametrize(
    ("name", "options", "bar"),
    [
        ("every_channel_map", {}, 1 / 50),
        ("looped_map", {}, 1 / 25),
        ("one_channel_map", {"channel": 0, "overlap": "recursive"}, None),
    ],
)
def test_maps(name, options, bar, record, interleaved):
    import looped_maps

    model, signals = trained_a_little(), jnp.asarray(windows(100)[0])
    graph, state = nnx.split(model)
    layers, one = [block.conv for block in model.blocks], getattr(looped_maps, name)

    class Given(NamedTuple):  # a model whose forward pass is done
        inputs: list

        def layer_inputs(self, signals):
            return list(zip(layers, self.inputs, strict=True))

    @jax.jit
    def layer_inputs(state, signals):
        return [x for _, x in nnx.merge(graph, state).layer_inputs(signals)]

    @jax.jit
    def maps(state, signals):
        return qttention_maps(nnx.merge(graph, state), signals, **options)

    @jax.jit
    def maps_alone(inputs, signals):
        return qttention_maps(Given(inputs), signals, **options)

    inputs = layer_inputs(state, signals)
    arrays = [np.asarray(x) for x in inputs]

    def loop():
        return looped_maps.looped_maps(zip(layers, arrays, strict=True), 2048, one)

    start = time.perf_counter()
    expected = loop()
    once = time.perf_counter() - start
    found = np.asarray(maps(state, signals))
    same = slice(1) if name == "one_channel_map" else slice(None)  # it reads one input channel
    np.testing.assert_allclose(found[same], expected[same], atol=1e-5 * expected.max())
    whole, alone, theirs = interleaved(
        lambda: maps(state, signals).block_until_ready(),
        lambda: maps_alone(inputs, signals).block_until_ready(),
        loop if once < 10 else lambda: None,
        rounds=ROUNDS // 2,
    )
    if once >= 10:  # half a minute a round: the call that was checked is the measurement
        theirs = np.full_like(whole, once)
    record("maps of 100 windows, after forward", f"NumPy {name}", alone, theirs)
    record("maps of 100 windows, with forward", f"NumPy {name}", whole, theirs, bar)


def gradients(function):
    """Compiled outputs, and gradients of weights and input for cotangents of the outputs.

    A cotangent per output, or XLA would share the gradients of outputs that have the same.
    """

    def both(weights, x, cotangents):
        outputs, pull = jax.vjp(function, weights, x)
        return outputs, pull(cotangents)

    return jax.jit(both)


def dense_map(kernel, x):
    return x @ kernel


def conv_map(kernel, x):
    axes = kernel.ndim - 2
    space = "XY"[:axes]
    numbers = (f"N{space}C", f"{space}IO", f"N{space}C")
    return jax.lax.conv_general_dilated(x, kernel, (1,) * axes, "SAME", dimension_numbers=numbers)


def torch_quadratic(torch, modules, x, target):
    """The straightforward layer, forward and backward."""
    r, g, b = modules

    def step():
        for tensor in (x, *(p for m in modules for p in m.parameters())):
            tensor.grad = None
        (r(x) * g(x) + b(x**2)).backward(target)

    return step


# Bars: the layer against the maps it needs, and against PyTorch's straightforward layer. In 1-d the
# two are at par (0.94 to 1.06 from run to run), which a bar of 1.0 would fail by chance. In 2-d the
# three plain convolutions of XLA alone take longer than all of PyTorch's layer; written as products
# of patches or of shifted inputs they take longer still.
@pytest.mark.parametrize(
    ("name", "shape", "features", "window", "bar", "torch_bar"),
    [
        ("Dense 512", (1024, 512), 512, (), 1.06, 1.0),
        ("Conv1d 64, kernel 3", (64, 128, 64), 64, (3,), 1.1, 1.1),
        ("Conv2d 32, kernel 3 x 3", (16, 28, 28, 32), 32, (3, 3), 1.1, None),
    ],
    ids=["dense", "conv1d", "conv2d"],
)
def test_quadratic_layer(name, shape, features, window, bar, torch_bar, record, interleaved, torch):
    rng = np.random.default_rng(0)
    x, *targets = jnp.asarray(rng.normal(size=(4, *shape)), jnp.float32)
    options = {"init": "common", "bias": False, "rngs": nnx.Rngs(0)}
    sizes = (shape[-1], features)
    layer = (
        nr.Conv(nr.quadratic, *sizes, window, **options)
        if window
        else nr.Dense(nr.quadratic, *sizes, **options)
    )
    graph, params = nnx.split(layer)
    kernels = [layer.weights(name) for name in "rgb"]
    one = conv_map if window else dense_map
    ours = gradients(lambda p, x: [nnx.merge(graph, p)(x)])
    maps = gradients(lambda ws, x: [one(w, x) for w in ws])

    torch_maps = {0: torch.nn.Linear, 1: torch.nn.Conv1d, 2: torch.nn.Conv2d}[len(window)]
    more = {"kernel_size": window, "padding": "same"} if window else {}
    modules = [torch_maps(*sizes, bias=False, **more) for _ in "rgb"]
    tx, target = (
        torch.from_numpy(np.moveaxis(np.array(a), -1, 1 if window else -1).copy())
        for a in (x, targets[0])
    )
    tx.requires_grad_()
    times = interleaved(
        lambda: jax.block_until_ready(ours(params, x, targets[:1])),
        lambda: jax.block_until_ready(maps(kernels, x, targets)),
        torch_quadratic(torch, modules, tx, target),
        rounds=2 * ROUNDS,
    )
    what = f"quadratic {name}, batch {shape[0]}"
    record(what, "torch", times[0], times[2], torch_bar)
    record(what, "its three maps", times[0], times[1], bar)
