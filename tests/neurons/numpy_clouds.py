"""The networks on clouds of points once more, in float64 NumPy, loop by loop.

Weights are taken from the library's networks, the neurons' formulas from the catalogue.
"""

import jax
import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
from flax import nnx

ACTIVATIONS = {
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.2 * z),
    "same": lambda z: z,
}


def drawn(make, *arguments, seed=0, **options):
    """A network with every parameter and statistic at random: scales of both signs.

    It is made abstractly: its own start would be compiled, shape by shape.
    """
    model = nnx.eval_shape(lambda: make(*arguments, **options, rngs=nnx.Rngs(0)))
    rng = np.random.default_rng(seed)

    def draw(variable):
        if isinstance(variable, nnx.RngState):
            key = isinstance(variable, nnx.RngKey)
            return variable.replace(jax.random.key(0) if key else jnp.zeros((), jnp.uint32))
        value = rng.uniform(-1, 1, variable.shape)
        if isinstance(variable, nnx.BatchStat):
            value = 0.75 + 0.25 * value
        elif len(variable.shape) > 1:
            value = (3 / variable.shape[0]) ** 0.5 * value
        return variable.replace(jnp.asarray(value, jnp.float32))

    state = nnx.state(model)
    nnx.update(model, jax.tree.map(draw, state, is_leaf=lambda n: isinstance(n, nnx.Variable)))
    return model


def run(model, *inputs, train=False):
    """Outputs of the compiled network, and its state after."""
    model.train() if train else model.eval()
    graph, state = nnx.split(model)
    return _run(graph, state, *inputs)


@jax.jit(static_argnums=0)
def _run(graph, state, *inputs):
    model = nnx.merge(graph, state)
    found = model.head(model.features(*inputs)) if hasattr(model, "features") else model(*inputs)
    return found, nnx.state(model, nnx.BatchStat)


def deviation(found, expected):
    """Largest error, over the spread of what is expected among clouds (and points)."""
    found, expected = twins.float64(found), twins.float64(expected)
    assert found.shape == expected.shape
    axes = tuple(range(expected.ndim - 1))
    return np.abs(found - expected).max() / expected.std(axes).max()


def layer(module, x):
    """A conventional, quadratic or power-only layer's values at every position."""
    values = {"bias_r": 0.0, "bias_g": 1.0, "bias_b": 0.0}
    values |= {name: twins.float64(v[...]) for name, v in twins.parameters(module).items()}
    branches = {
        name: (x**2 if name == "b" else x) @ values[f"kernel_{name}"] + values[f"bias_{name}"]
        for name in "rgb"
        if f"kernel_{name}" in values
    }
    if len(branches) == 1:
        return next(iter(branches.values()))
    return branches["r"] * branches["g"] + branches["b"]


def norm(module, z, train):
    axes = tuple(range(z.ndim - 1))
    mean, variance = twins.float64(module.mean[...]), twins.float64(module.var[...])
    if train:
        mean, variance = z.mean(axes), z.var(axes)
    scale, shift = twins.float64(module.scale[...]), twins.float64(module.bias[...])
    return (z - mean) / np.sqrt(variance + 1e-5) * scale + shift


def block(module, x, train, activation=None):
    act = activation or module.activation.__name__
    return ACTIVATIONS[act](norm(module.norm, layer(module.layer, x), train))


def head(module, x, train):
    for hidden in module.hidden:  # without dropout
        x = block(hidden, x, train)
    return x @ twins.float64(module.out.kernel[...]) + twins.float64(module.out.bias[...])


def matrix(module, x, train):
    size = module.size
    return head(module.head, x, train).reshape(-1, size, size) + np.eye(size)


def transform(module, x, train):
    for one in module.blocks:
        x = block(one, x, train)
    return matrix(module.matrix, x.max(1), train)


def nearest(x, k, query=None):
    """The k nearest points, by sorting all distances."""
    query = x if query is None else query
    index = np.zeros((*query.shape[:2], k), int)
    for b, q in np.ndindex(*query.shape[:2]):
        index[b, q] = np.argsort(((x[b] - query[b, q]) ** 2).sum(1), kind="stable")[:k]
    return index


def edges(x, k):
    """`(x_j - x_i, x_i)` for every point and neighbour."""
    x = twins.float64(x)
    index = nearest(x, k)
    found = np.zeros((*index.shape, 2 * x.shape[-1]))
    for b, i, s in np.ndindex(*index.shape):
        found[b, i, s] = np.concatenate([x[b, index[b, i, s]] - x[b, i], x[b, i]])
    return found


def edge_conv(module, x, k, train):
    x = block(module.first, edges(x, k), train, "leaky_relu")
    for one in module.more:
        x = block(one, x, train)
    return x.max(2)


def pointnet(model, x, train):
    x = twins.float64(x)
    if model.input_transform is not None:
        x = x @ transform(model.input_transform, x, train)
    x = block(model.blocks[0], x, train)
    if model.feature_transform is not None:
        x = x @ transform(model.feature_transform, x, train)
    for one in model.blocks[1:]:
        x = block(one, x, train)
    return head(model.classifier, x.max(1), train)


def dgcnn(model, x, train):
    found, x = [], twins.float64(x)
    for conv in model.convs:
        x = edge_conv(conv, x, model.neighbours, train)
        found.append(x)
    x = block(model.embed, np.concatenate(found, -1), train)
    return head(model.classifier, np.concatenate([x.max(1), x.mean(1)], -1), train)


def part_head(module, cloud, points, train):
    spread = np.repeat(cloud[:, None], points.shape[1], 1)
    x = block(module, np.concatenate([spread, points], -1), train)
    return head(module.rest, x, train)


def pointnet_parts(model, x, category, train):
    x, found = twins.float64(x), []
    if model.input_transform is not None:
        x = x @ transform(model.input_transform, x, train)
    for number, one in enumerate(model.blocks):
        x = block(one, x, train)
        found.append(x)
        if number == len(model.blocks) - 3 and model.feature_transform is not None:
            x = x @ transform(model.feature_transform, x, train)
    known = np.eye(model.categories)[np.asarray(category)]
    cloud = np.concatenate([x.max(1), known], -1)
    return part_head(model.classifier, cloud, np.concatenate(found, -1), train)


def dgcnn_parts(model, x, category, train):
    x, k, found = twins.float64(x), model.neighbours, []
    if model.input_transform is not None:
        net = model.input_transform
        seen = block(net.embed, edge_conv(net.conv, x, k, train), train).max(1)
        x = x @ matrix(net.matrix, seen, train)
    for conv in model.convs:
        x = edge_conv(conv, x, k, train)
        found.append(x)
    x = np.concatenate(found, -1)
    known = np.eye(model.categories)[np.asarray(category)]
    cloud = [block(model.embed, x, train).max(1), block(model.category, known, train)]
    return part_head(model.classifier, np.concatenate(cloud, -1), x, train)


def spread(x, count):
    """Farthest points, from the one farthest from the mean on."""
    found = np.zeros((len(x), count), int)
    for b, cloud in enumerate(x):
        found[b, 0] = ((cloud - cloud.mean(0)) ** 2).sum(1).argmax()
        for j in range(1, count):
            taken = cloud[found[b, :j]]
            gaps = ((cloud[:, None] - taken[None]) ** 2).sum(-1).min(1)
            found[b, j] = gaps.argmax()
    return found


def pointnet2(model, x, train):
    x = twins.float64(x)
    points, features = x[..., : model.coordinates], x[..., model.coordinates :]
    batches = np.arange(len(x))[:, None]
    for abstraction in model.abstractions:
        middle = points[batches, spread(points, abstraction.level.centres)]
        found = []
        for scale, layers in zip(abstraction.level.scales, abstraction.scales, strict=True):
            index = nearest(points, scale.neighbours, middle)
            offsets = points[batches[..., None], index] - middle[:, :, None]
            if scale.radius is not None:
                out = np.sqrt((offsets**2).sum(-1)) > scale.radius
                index = np.where(out, index[..., :1], index)
                offsets = np.where(out[..., None], offsets[:, :, :1], offsets)
            seen = np.concatenate([offsets, features[batches[..., None], index]], -1)
            for one in layers:
                seen = block(one, seen, train)
            found.append(seen.max(2))
        points, features = middle, np.concatenate(found, -1)
    x = np.concatenate([points, features], -1)
    for one in model.blocks:
        x = block(one, x, train)
    return head(model.classifier, x.max(1), train)
