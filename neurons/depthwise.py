"""Depthwise cross-correlation: every channel with a kernel of its own.

XLA's convolution on a CPU takes twenty to eighty times as long for it as a sum of shifted
products, and adding up the kernel's gradient in one reduction per tap five times as long as image
by image (measured on MobileNetV2's layers, JAX 0.10.2). So the operation is a primitive of its
own, which is lowered to whichever is fast on the platform and differentiates into its like: in
forward and in reverse mode, and any number of times.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jaxtyping import Float

MOST_TAPS = 64  # a sum of more products takes long to compile
Window = tuple[int, ...]


class Geometry(NamedTuple):
    """Where the kernel's taps fall: per axis stride, padding (low, high) and spacing of taps."""

    strides: Window
    padding: tuple[tuple[int, int], ...]
    dilation: Window


def depthwise(
    x: Float[Array, "batch *space channels"],
    kernel: Float[Array, "*window out_channels"],
    strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    dilation: Sequence[int],
) -> Float[Array, "batch *positions out_channels"]:
    """Cross-correlate each channel with its own kernels, `out_channels / channels` of them.

    `y[n, p, c] = sum_t x[n, p stride + t dilation - low, c // m] kernel[t, c]`, with zeros outside.

    Args:
        x: channels last.
        kernel: the kernels of one channel side by side.
        strides: one per axis.
        padding: "SAME", "VALID", or zeros (low, high) per axis.
        dilation: one per axis.

    Returns:
        Like `lax.conv_general_dilated` with `feature_group_count=channels`.
    """
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel.shape[:-1], strict=True)]
    if isinstance(padding, str):
        padding = lax.padtype_to_pads(x.shape[1:-1], reach, strides, padding)
    pairs = tuple((int(low), int(high)) for low, high in padding)
    if (times := kernel.shape[-1] // x.shape[-1]) > 1:
        x = jnp.repeat(x, times, axis=-1)
    return correlate_p.bind(x, kernel, geometry=Geometry(tuple(strides), pairs, tuple(dilation)))


def _shifted(x: Array, taps: Window, geometry: Geometry) -> list[Array]:
    """For every tap the part of the padded `x` that it meets, `(batch, *positions, channels)`."""
    edges = [(0, 0), *geometry.padding, (0, 0)]
    x = jnp.pad(x, edges)
    spans = [
        n - d * (k - 1) for n, d, k in zip(x.shape[1:-1], geometry.dilation, taps, strict=True)
    ]

    def part(tap: Window) -> Array:
        start = [i * d for i, d in zip(tap, geometry.dilation, strict=True)]
        stop = [first + span for first, span in zip(start, spans, strict=True)]
        ends = ((0, *start, 0), (x.shape[0], *stop, x.shape[-1]), (1, *geometry.strides, 1))
        return lax.slice(x, *ends)

    return [part(tap) for tap in product(*map(range, taps))]


def _correlate_shifted(x: Array, kernel: Array, *, geometry: Geometry) -> Array:
    parts = _shifted(x, kernel.shape[:-1], geometry)
    rows = kernel.reshape(len(parts), *(1,) * (x.ndim - 1), kernel.shape[-1])
    total = parts[0] * rows[0]
    for part, row in zip(parts[1:], rows[1:], strict=True):
        total = total + part * row
    return total


def _correlate_whole(x: Array, kernel: Array, *, geometry: Geometry) -> Array:
    space = "DHW"[5 - x.ndim :]
    return lax.conv_general_dilated(
        x,
        kernel[..., None, :],
        geometry.strides,
        geometry.padding,
        rhs_dilation=geometry.dilation,
        dimension_numbers=(f"N{space}C", f"{space}IO", f"N{space}C"),
        feature_group_count=x.shape[-1],
    )


def _gradient_shifted(x: Array, y: Array, *, geometry: Geometry, taps: Window) -> Array:
    """Image by image, since a sum over whole images is fast and a reduction per channel slow."""

    def add(totals: list[Array], image: tuple[Array, Array]) -> tuple[list[Array], None]:
        parts = _shifted(image[0][None], taps, geometry)
        return [t + part[0] * image[1] for t, part in zip(totals, parts, strict=True)], None

    start = [jnp.zeros(y.shape[1:], y.dtype) for _ in product(*map(range, taps))]
    totals, _ = lax.scan(add, start, (x, y))
    axes = tuple(range(y.ndim - 2))
    return jnp.stack([total.sum(axes) for total in totals]).reshape(*taps, -1)


def _gradient_whole(x: Array, y: Array, *, geometry: Geometry, taps: Window) -> Array:
    kernel = jax.ShapeDtypeStruct((*taps, x.shape[-1]), x.dtype)
    (found,) = jax.linear_transpose(lambda k: _correlate_whole(x, k, geometry=geometry), kernel)(y)
    return found


def _to_input(y: Array, kernel: Array, geometry: Geometry, space: Window) -> Array:
    """The adjoint in the input: the flipped kernel over `y`, stretched by the strides.

    Left to JAX it would be a sum of padded products, which XLA runs without vector instructions.
    """
    edges = []
    for n, k, m, stride, (low, _), gap in zip(
        space, kernel.shape[:-1], y.shape[1:-1], *geometry, strict=True
    ):
        reach = gap * (k - 1)
        before = reach - low
        edges.append((before, n + reach - before - ((m - 1) * stride + 1), stride - 1))
    y = lax.pad(y, jnp.zeros((), y.dtype), [(0, 0, 0), *edges, (0, 0, 0)])
    ones, nothing = (1,) * len(space), ((0, 0),) * len(space)
    flipped = jnp.flip(kernel, axis=tuple(range(len(space))))
    return correlate_p.bind(y, flipped, geometry=Geometry(ones, nothing, geometry.dilation))


def _primitive(
    name: str, on_cpu: Callable[..., Array], elsewhere: Callable[..., Array]
) -> Primitive:
    """A primitive that runs one function on a CPU, and the other on anything else."""
    made = Primitive(name)

    def shape(*arguments: Any, **options: Any) -> ShapedArray:
        found = jax.eval_shape(partial(on_cpu, **options), *arguments)
        return ShapedArray(found.shape, found.dtype)

    def batched(arguments: Any, axes: Any, **options: Any) -> tuple[Array, int]:
        return jax.vmap(partial(on_cpu, **options), in_axes=axes)(*arguments), 0

    @partial(jax.jit, static_argnames="options")  # so that a second call compiles nothing
    def run(*arguments: Any, options: Any) -> Array:
        return made.bind(*arguments, **dict(options))

    made.def_impl(lambda *arguments, **options: run(*arguments, options=tuple(options.items())))
    made.def_abstract_eval(shape)
    batching.primitive_batchers[made] = batched
    mlir.register_lowering(made, mlir.lower_fun(elsewhere, multiple_results=False))
    mlir.register_lowering(made, mlir.lower_fun(on_cpu, multiple_results=False), platform="cpu")
    return made


correlate_p = _primitive("depthwise", _correlate_shifted, _correlate_whole)
gradient_p = _primitive("depthwise_gradient", _gradient_shifted, _gradient_whole)


def _map(arguments: Any, axes: Any, *, geometry: Geometry) -> tuple[Array, int]:
    """Mapped images of one kernel are more images."""
    (x, kernel), (axis, shared) = arguments, axes
    if shared is not None:
        shifted = partial(_correlate_shifted, geometry=geometry)
        return jax.vmap(shifted, in_axes=axes)(x, kernel), 0
    x = jnp.moveaxis(x, axis, 0)
    images = x.reshape(math.prod(x.shape[:2]), *x.shape[2:])
    y = correlate_p.bind(images, kernel, geometry=geometry)
    return y.reshape(*x.shape[:2], *y.shape[1:]), 0


batching.primitive_batchers[correlate_p] = _map
ad.defbilinear(
    correlate_p,
    lambda y, x, kernel, *, geometry: _to_input(y, kernel, geometry, x.aval.shape[1:-1]),
    lambda y, x, kernel, *, geometry: gradient_p.bind(
        x, y, geometry=geometry, taps=kernel.aval.shape[:-1]
    ),
)
ad.defbilinear(
    gradient_p,
    lambda kernel, x, y, *, geometry, taps: _to_input(y, kernel, geometry, x.aval.shape[1:-1]),
    lambda kernel, x, y, *, geometry, taps: correlate_p.bind(x, kernel, geometry=geometry),
)
