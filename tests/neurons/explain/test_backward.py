"""Rewritten backward passes: the same values, found everywhere, and the gradients of loops."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax import lax

from neurons.backbones import defect
from neurons.explain import backward

KERNEL = jax.random.normal(jax.random.key(1), (3, 3, 2, 2)) / 3
ZERO = jnp.zeros(())
IMAGES = jax.random.normal(jax.random.key(0), (2, 6, 6, 2))


def conv(x):
    layout = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, KERNEL, (1, 1), "SAME", dimension_numbers=layout)


def looped(x):
    return lax.scan(lambda a, _: (nnx.relu(conv(a)), None), x, None, length=2)[0]


WAYS = {  # how a network may write a ReLU behind a convolution, and how many there are
    "nnx.relu": lambda x: nnx.relu(conv(x)),
    "jit": lambda x: jax.jit(jax.jit(jax.nn.relu))(conv(x)),
    "maximum": lambda x: jnp.maximum(conv(x), 0.0),
    "zero first": lambda x: jnp.maximum(0.0, conv(x)),
    "zeros_like": lambda x: jnp.maximum(conv(x), jnp.zeros_like(x)),
    "clip": lambda x: jnp.clip(conv(x), 0.0),
    "closed over": lambda x: jnp.maximum(conv(x), ZERO),
    "remat": jax.checkpoint(lambda x: nnx.relu(conv(x))),
    "cond": lambda x: lax.cond(x.sum() > -1e9, lambda a: nnx.relu(conv(a)), jnp.sin, x),
    "scan": looped,
}
DEPTH = {"scan": 2}


@partial(jax.jit, static_argnums=0)
def run(f, x, r):
    """The value, and what arrives at the input if r arrives at the output."""
    value, pull = jax.vjp(f, x)
    return value, pull(r)[0]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_write_a_relu_is_found(way):
    f = WAYS[way]
    guided = backward.rewrite(f, relu=backward.guided, require=True)
    seed = jax.random.normal(jax.random.key(2), IMAGES.shape)
    value, found = run(guided, IMAGES, seed)
    plain, ordinary = run(f, IMAGES, seed)
    assert np.array_equal(value, plain)
    expected, r = [IMAGES], seed
    for _ in range(DEPTH.get(way, 1)):
        expected.append(conv(jnp.maximum(expected[-1], 0) if expected[1:] else expected[-1]))
    for u in reversed(expected[1:]):
        r = jax.vjp(conv, u)[1](jnp.where((u > 0) & (r > 0), r, 0.0))[0]  # conv is linear
    np.testing.assert_allclose(found, r, atol=1e-5)
    assert np.abs(found - ordinary).max() > 0.1  # planted fault


def test_relu6_keeps_its_ceiling():
    u, r = jnp.array([-1.0, 0.0, 3.0, 6.0, 9.0]), jnp.array([1.0, 1.0, 2.0, 1.0, 1.0])
    six = backward.rewrite(jax.nn.relu6, relu=backward.deconvnet)
    value, pull = jax.vjp(six, u)
    assert value.tolist() == [0, 0, 3, 6, 6]
    assert pull(r)[0].tolist() == [1, 1, 2, 0, 0]
    bounded = backward.rewrite(lambda x: jnp.clip(x, 0.0, 6.0), relu=backward.guided)
    assert jax.vjp(bounded, u)[1](-r)[0].tolist() == [0, 0, 0, 0, 0]


@jax.custom_vjp
def own(x):
    return nnx.relu(x)


own.defvjp(lambda x: (own(x), x), lambda x, r: (r,))


@pytest.mark.parametrize(
    ("name", "f"),
    [
        ("ReLU lies inside while", lambda x: lax.while_loop(lambda a: a.sum() < 0, nnx.relu, x)),
        ("ReLU lies inside custom_vjp_call own", own),
    ],
    ids=["while", "custom_vjp"],
)
def test_a_hidden_relu_is_an_error_that_names_where(name, f):
    with pytest.raises(NotImplementedError, match=name):
        backward.rewrite(f, relu=backward.guided)(IMAGES)
    backward.rewrite(f, pool=backward.uniform)(IMAGES)  # no pooling hides there


@pytest.mark.parametrize(
    "f",
    [
        jax.nn.softplus,
        jax.nn.hard_swish,
        jax.nn.leaky_relu,
        jax.nn.elu,
        lambda x: nnx.LayerNorm(2, rngs=nnx.Rngs(0))(x),
        lambda x: nnx.GroupNorm(2, num_groups=1, rngs=nnx.Rngs(0))(x),
        lambda x: x.max(axis=(1, 2)),
        lambda x: x.reshape(2, 36, 2).max(axis=1),
        lambda x: x.reshape(72, 2).reshape(2, 36, 2).max(axis=1),
        lambda x: x[:, jnp.clip(jnp.argmax(x[0, :, 0, 0]), 0, 3)],
    ],
    ids=[
        "softplus",
        "hard_swish",
        "leaky_relu",
        "elu",
        "LayerNorm",
        "GroupNorm",
        "global maximum",
        "flat",
        "batch",
        "integers",
    ],
)
def test_what_is_no_gate_is_left_alone(f):
    changed = backward.rewrite(f, relu=backward.guided, pool=backward.uniform)
    plain, found = (jax.jit(jax.grad(lambda x, g=g: g(x).sum()))(IMAGES) for g in (f, changed))
    assert np.array_equal(found, plain)
    with pytest.raises(ValueError, match="ReLU and max pooling finds nothing"):
        backward.rewrite(f, relu=backward.guided, pool=backward.uniform, require=True)(IMAGES)


def test_relu_rules_say_what_they_do():
    u, r = jnp.array([[1.0, -1.0, 2.0, 0.0, 1.0]]), jnp.array([[3.0, 2.0, -1.0, 4.0, 1.0]])
    assert backward.guided(u, r).tolist() == [[3, 0, 0, 0, 1]]
    assert backward.deconvnet(u, r).tolist() == [[3, 2, 0, 4, 1]]
    assert np.array_equal(backward.truncated(0)(u, r), backward.guided(u, r))
    assert backward.truncated(0.5)(u, r).tolist() == [[3, 0, 0, 0, 0]]  # theta = 2
    np.testing.assert_allclose(backward.soft(2.0)(u, r), r / (1 + np.exp(-2 * u)), rtol=1e-6)
    undefined = jnp.full_like(r, jnp.nan)
    for rule in (backward.guided, backward.deconvnet, backward.truncated(0.5)):
        assert np.isnan(rule(jnp.abs(u) + 1, undefined)).all()


@pytest.mark.parametrize("make", [backward.truncated, backward.soft, backward.softmax])
def test_rules_refuse_settings_without_sense(make):
    for wrong in (-0.5, float("nan")):
        with pytest.raises(ValueError, match="must"):
            make(wrong)


# -- max pooling --------------------------------------------------------------------------------

POOLINGS = {
    "side by side": ((2, 2), (2, 2), "VALID"),
    "overlapping": ((3, 3), (2, 2), "SAME"),
    "padded": ((3, 3), (2, 2), ((1, 1), (1, 1))),
    "sparse": ((1, 2), (2, 3), "VALID"),
}
each_pooling = pytest.mark.parametrize("name", POOLINGS)
SHARES = {"uniform": backward.uniform, "softmax": backward.softmax(0.5)}


def by_hand(name, u, r, weight):
    """Every window's gradient shared out by `weight` of its inputs, in a loop."""
    size, strides, padding = POOLINGS[name]
    if isinstance(padding, str):
        padding = lax.padtype_to_pads(u.shape[1:3], size, strides, padding)
    found = np.zeros_like(u)
    for b, i, j, c in np.ndindex(r.shape):
        rows = np.arange(size[0]) + i * strides[0] - padding[0][0]
        columns = np.arange(size[1]) + j * strides[1] - padding[1][0]
        rows, columns = rows[(rows >= 0) & (rows < 6)], columns[(columns >= 0) & (columns < 6)]
        at = np.ix_([b], rows, columns, [c])
        found[at] += r[b, i, j, c] * weight(u[at]) / weight(u[at]).sum()
    return found


@pytest.mark.parametrize("rule", SHARES)
@each_pooling
def test_shares_equal_a_loop_over_windows(name, rule):
    def f(x):
        return nnx.max_pool(x, *POOLINGS[name][:2], POOLINGS[name][2])

    r = jax.random.normal(jax.random.key(3), f(IMAGES).shape)
    value, found = run(backward.rewrite(f, pool=SHARES[rule], require=True), IMAGES, r)
    assert np.array_equal(value, f(IMAGES))
    weight = np.ones_like if rule == "uniform" else lambda u: np.exp(u / 0.5)
    expected = by_hand(name, np.asarray(IMAGES), np.asarray(r), weight)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("rule", [backward.uniform, backward.bilinear, backward.softmax(0.1)])
@each_pooling
def test_each_windows_gradient_keeps_its_sum(name, rule):
    f = backward.rewrite(lambda x: nnx.max_pool(x, *POOLINGS[name]), pool=rule)
    image = IMAGES[0, :, :, 0]

    @jax.jit
    def every_window():
        value, pull = jax.vjp(lambda x: f(x[None, :, :, None])[0, :, :, 0], image)
        return jax.vmap(lambda r: pull(r)[0])(jnp.eye(value.size).reshape(-1, *value.shape))

    shares = every_window()
    np.testing.assert_allclose(shares.sum(axis=(1, 2)), 1, rtol=1e-5)
    assert shares.min() >= 0


def test_bilinear_is_enlargement_where_windows_lie_side_by_side():
    f = backward.rewrite(lambda x: nnx.max_pool(x, (2, 2), (2, 2)), pool=backward.bilinear)
    r = jax.random.normal(jax.random.key(3), (2, 3, 3, 2))
    expected = jax.image.resize(r, IMAGES.shape, "linear") / 4
    np.testing.assert_allclose(run(f, IMAGES, r)[1], expected, atol=1e-6)


def test_sharp_softmax_is_max_pooling_itself():
    def f(x):
        return nnx.max_pool(x, (3, 3), (2, 2), "SAME")

    sharp = backward.rewrite(f, pool=backward.softmax(1e-4))
    r = jax.random.normal(jax.random.key(3), (2, 3, 3, 2))
    np.testing.assert_allclose(run(sharp, IMAGES, r)[1], run(f, IMAGES, r)[1])


def test_pooling_by_folding_is_a_pooling_too():
    def folded(x):
        return x.reshape(2, 3, 2, 3, 2, 2).max(axis=(2, 4))

    changed = backward.rewrite(folded, pool=backward.uniform, require=True)
    value, found = run(changed, IMAGES, jnp.ones((2, 3, 3, 2)))
    assert np.array_equal(value, folded(IMAGES))
    assert np.array_equal(found, jnp.full_like(IMAGES, 0.25))


@pytest.mark.parametrize("rule", [backward.uniform, backward.bilinear, backward.softmax(1.0)])
@pytest.mark.parametrize("axes", [1, 3])
def test_poolings_of_signals_and_volumes(axes, rule):
    x = jax.random.normal(jax.random.key(4), (2, *(4,) * axes, 3))

    def f(x):
        return nnx.max_pool(x, (2,) * axes, (2,) * axes)

    changed = backward.rewrite(f, pool=rule, require=True)
    shares = jax.jit(jax.grad(lambda x: changed(x).sum()))(x)
    np.testing.assert_allclose(shares.sum(), 2 * 2**axes * 3, rtol=1e-5)
    if rule is backward.uniform:
        np.testing.assert_allclose(shares, 0.5**axes)


# -- transformations ----------------------------------------------------------------------------


def network(x):
    return nnx.max_pool(nnx.relu(conv(nnx.relu(conv(x)))), (2, 2), (2, 2)).mean(axis=(1, 2))


def test_samples_of_a_batch_are_strangers_under_every_transformation():
    changed = backward.rewrite(network, relu=backward.truncated(0.6), pool=backward.softmax(1.0))

    def slope(x):
        return jax.grad(lambda x: changed(x)[:, 0].sum())(x)

    batch = jax.jit(slope)(IMAGES)
    alone = jax.jit(jax.vmap(lambda x: slope(x[None])[0]))(IMAGES)
    np.testing.assert_allclose(batch, alone, atol=1e-7)
    assert np.array_equal(jax.jit(changed)(IMAGES), jax.jit(network)(IMAGES))


def test_gradients_of_rewritten_gradients_exist():
    def energy(kernel):
        f = backward.rewrite(lambda x: nnx.relu(x * kernel), relu=backward.truncated(0.5))
        return jnp.square(jax.grad(lambda x: f(x).sum())(IMAGES[:, :, :, 0])).sum()

    # f = kernel on the entries that pass: d/dkernel of (kernel^2 times their number).
    passed = energy(jnp.float32(1))
    assert float(jax.grad(energy)(jnp.float32(1))) == pytest.approx(2 * float(passed))


def test_random_keys_and_integers_pass_through():
    key = jax.random.key(0)

    def noisy(x):
        return nnx.relu(x["image"] + jax.random.normal(key, (2, 2))) * x["sign"]

    x = {"image": jnp.ones((2, 2)), "sign": jnp.array(-1)}
    with jax.numpy_dtype_promotion("standard"):
        guided = jax.jit(backward.rewrite(noisy, relu=backward.guided))
        assert np.array_equal(guided(x), jax.jit(noisy)(x))


@pytest.mark.parametrize(
    ("make", "relus", "pools"),
    [(defect.resnet18, 17, 1), (defect.vgg16, 13, 4), (defect.mobilenet_v2, 35, 0)],
    ids=["resnet18", "vgg16", "mobilenet_v2"],
)
def test_every_gate_and_pooling_of_the_backbones_is_found(make, relus, pools):
    graph, state = nnx.split(nnx.eval_shape(lambda: make(rngs=nnx.Rngs(0))))

    def logits(state, x):
        net = nnx.merge(graph, state)
        net.eval()
        return backward.rewrite(net, relu=backward.guided, pool=backward.uniform)(x)

    images = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)
    found = str(jax.make_jaxpr(logits)(state, images))
    assert (found.count("name=gate"), found.count("name=pool")) == (relus, pools)
    assert "name=relu" not in found
