"""Neurons that slide: convolution, and its adjoint, over one to three axes.

Channels come last and any number of batch axes first, as in Flax.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array, lax
from jax.typing import DTypeLike

from neurons.depthwise import MOST_TAPS, depthwise
from neurons.layer import Init, Layer
from neurons.neuron import Neuron

Padding = int | Sequence[int | tuple[int, int]] | Literal["SAME", "VALID"]


class _Sliding(Layer):
    """What both share: a window with strides, padding and dilation, and per-axis arguments."""

    padding: Literal["SAME"] | tuple[tuple[int, int], ...]

    def __init__(
        self,
        neuron: Neuron,
        in_features: int,
        out_features: int,
        kernel_size: int | Sequence[int],
        *,
        strides: int | Sequence[int] = 1,
        padding: Padding = "SAME",
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        init: Init = "relinear",
        remat: bool = False,
        dtype: DTypeLike = jnp.float32,
        rngs: nnx.Rngs,
    ) -> None:
        if init == "relinear_fan_out":
            raise ValueError('init="relinear_fan_out" is a quirk of the authors\' dense layer only')
        window = _per_axis("kernel_size", kernel_size, None)
        self.strides = _per_axis("strides", strides, len(window))
        self.dilation = _per_axis("dilation", dilation, len(window))
        self.padding = _padding(padding, len(window))
        super().__init__(
            neuron,
            in_features,
            out_features,
            window=window,
            groups=groups,
            bias=bias,
            init=init,
            remat=remat,
            dtype=dtype,
            rngs=rngs,
        )


class Conv(_Sliding):
    """Neurons that slide over 1 to 3 axes; channels last, any number of batch axes.

    Args:
        neuron: the formula.
        in_features: input channels.
        out_features: output channels.
        kernel_size: one size per axis; an int means one axis.
        strides: per axis.
        padding: zeros on both sides: an int for all axes, or per axis an int or (low, high);
            or "SAME", "VALID".
        dilation: spacing of the kernel's taps, per axis.
        groups: channels are split into so many groups that do not see each other.
        bias, init, remat, dtype, rngs: as for :class:`Dense`; "relinear_fan_out" does not apply:
            the authors' convolutions have the right fan-in.

    Raises:
        ValueError: for sizes below 1, groups that do not divide, more than 3 axes; on call for a
            wrong number of axes or channels.

    Example:
        >>> from neurons import quadratic
        >>> layer = Conv(quadratic, 1, 16, 64, strides=8, padding=28, rngs=nnx.Rngs(0))
        >>> layer(jnp.ones((5, 2048, 1))).shape
        (5, 256, 16)
    """

    def linear_map(self, x: Array, kernel: Array) -> Array:
        """Cross-correlation of `x` with `kernel`."""
        self._check_length(x)
        x, restore = _merge_batch(x, len(self.window))
        return restore(self._correlate(x, kernel))

    def _correlate(self, x: Array, kernel: Array) -> Array:
        """A matrix product, a depthwise correlation or a convolution, whichever it is.

        As convolutions the first takes up to 4 times as long on a CPU, the second 20 to 80 times.
        """
        taps, nothing = math.prod(self.window), ((0, 0),) * len(self.window)
        if taps == 1 and self.groups == 1 and self.padding in ("SAME", nothing):
            x = x[:, *(slice(None, None, stride) for stride in self.strides)]
            # One axis of positions: the kernel's gradient is ten times slower over several.
            rows = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
            y = rows @ kernel.reshape(kernel.shape[-2:])
            return y.reshape(*x.shape[:-1], kernel.shape[-1])
        if kernel.shape[-2] == 1 and x.shape[-1] == self.groups > 1 and taps <= MOST_TAPS:
            return depthwise(x, kernel[..., 0, :], self.strides, self.padding, self.dilation)
        return lax.conv_general_dilated(
            x,
            kernel,
            self.strides,
            self.padding,
            rhs_dilation=self.dilation,
            dimension_numbers=_channels_last(len(self.window)),
            feature_group_count=self.groups,
        )

    def _check_length(self, x: Array) -> None:
        if isinstance(self.padding, str) or x.ndim <= len(self.window):
            return
        sizes = x.shape[-1 - len(self.window) : -1]
        spans = zip(sizes, self.padding, self.dilation, self.window, strict=True)
        if any(n + low + high < d * (k - 1) + 1 for n, (low, high), d, k in spans):
            raise ValueError(f"an input of {sizes} is shorter than the window {self.window}")

    def patches(self, x: Array) -> Array:
        """`(*batch, *positions, groups, inputs)`; within a group channels are slow, taps fast."""
        self._check_length(x)
        x, restore = _merge_batch(x, len(self.window))
        found = lax.conv_general_dilated_patches(
            x,
            self.window,
            self.strides,
            self.padding,
            rhs_dilation=self.dilation,
            dimension_numbers=_channels_last(len(self.window)),
        )
        inputs = found.shape[-1] // self.groups
        return restore(found.reshape(*found.shape[:-1], self.groups, inputs))


class ConvTranspose(_Sliding):
    """The adjoint of :class:`Conv` for every branch: it up-samples by its strides.

    For each branch the linear map is the transpose of the convolution with the same kernel size,
    strides, padding and dilation; output length per axis
    `(length - 1) * stride - low - high + dilation * (kernel - 1) + 1 + output_padding`.

    Args:
        neuron: the formula; one that mixes the inputs of a window has no transposed form.
        in_features: input channels.
        out_features: output channels.
        kernel_size: one size per axis; an int means one axis.
        output_padding: extra length at the high end, per axis, below the stride.
        **options: strides, padding, dilation, groups, bias, init, remat, dtype and rngs as for
            :class:`Conv`. `padding` is that of the convolution it is the adjoint of; "SAME" gives
            `length * stride`. The fan-in is `kernel * in_features / groups`; PyTorch's default
            takes out_features.

    Raises:
        ValueError: as :class:`Conv`; for an output_padding of a stride or more.
        TypeError: for a neuron that mixes the inputs of a window.

    Example:
        >>> from neurons import quadratic
        >>> layer = ConvTranspose(quadratic, 8, 4, (2, 2), strides=2, padding=0, rngs=nnx.Rngs(0))
        >>> layer(jnp.ones((5, 7, 7, 8))).shape
        (5, 14, 14, 4)
    """

    def __init__(
        self,
        neuron: Neuron,
        in_features: int,
        out_features: int,
        kernel_size: int | Sequence[int],
        *,
        output_padding: int | Sequence[int] = 0,
        **options: Any,
    ) -> None:
        if neuron.needs_window:
            raise TypeError(f"{neuron.name} has no transposed form: it mixes inputs of one window")
        super().__init__(neuron, in_features, out_features, kernel_size, **options)
        extra = _per_axis("output_padding", output_padding, len(self.window), least=0)
        if any(e >= s for e, s in zip(extra, self.strides, strict=True)):
            raise ValueError(f"output_padding {extra} must be below the strides {self.strides}")
        reach = tuple(d * (k - 1) for d, k in zip(self.dilation, self.window, strict=True))
        self.padding = _transposed(self.padding, reach, self.strides, extra)

    def linear_map(self, x: Array, kernel: Array) -> Array:
        """Cross-correlation of the stretched `x` with the flipped kernel."""
        x, restore = _merge_batch(x, len(self.window))
        y = lax.conv_general_dilated(
            x,
            jnp.flip(kernel, axis=tuple(range(len(self.window)))),
            (1,) * len(self.window),
            self.padding,
            lhs_dilation=self.strides,
            rhs_dilation=self.dilation,
            dimension_numbers=_channels_last(len(self.window)),
            feature_group_count=self.groups,
        )
        return restore(y)


def _per_axis(
    label: str, value: int | Sequence[int], axes: int | None, least: int = 1
) -> tuple[int, ...]:
    """One int per axis; an int alone stands for every axis."""
    sizes = (int(value),) * (axes or 1) if isinstance(value, int | np.integer) else tuple(value)
    if not 1 <= len(sizes) <= 3 or (axes is not None and len(sizes) != axes):
        raise ValueError(f"{label} needs {axes or '1 to 3'} values, got {value!r}")
    if any(size < least for size in sizes):
        raise ValueError(f"{label} must be at least {least}, got {value!r}")
    return sizes


def _padding(padding: Padding, axes: int) -> Literal["SAME"] | tuple[tuple[int, int], ...]:
    if isinstance(padding, str):
        if padding not in ("SAME", "VALID"):
            raise ValueError(f'padding must be "SAME", "VALID" or sizes, got {padding!r}')
        return "SAME" if padding == "SAME" else ((0, 0),) * axes
    given = (int(padding),) * axes if isinstance(padding, int | np.integer) else tuple(padding)
    pairs = tuple(
        (int(p), int(p)) if isinstance(p, int | np.integer) else (p[0], p[1]) for p in given
    )
    if len(pairs) != axes or any(size < 0 for pair in pairs for size in pair):
        raise ValueError(f"padding needs {axes} sizes of at least 0, got {padding!r}")
    return pairs


def _transposed(
    padding: Literal["SAME"] | tuple[tuple[int, int], ...],
    reach: tuple[int, ...],
    strides: tuple[int, ...],
    extra: tuple[int, ...],
) -> tuple[tuple[int, int], ...]:
    """Padding of the stretched input: what the adjoint leaves after cropping the convolution's."""
    if isinstance(padding, str):
        # A SAME convolution over length * stride pads reach + 1 - stride; a kernel shorter than
        # the stride pads nothing and leaves stride - reach - 1 samples unread at the end.
        totals = [max(r + 1 - s, 0) for r, s in zip(reach, strides, strict=True)]
        padding = tuple((total // 2, total - total // 2) for total in totals)
        extra = tuple(e + max(s - r - 1, 0) for e, r, s in zip(extra, reach, strides, strict=True))
    return tuple(
        (r - low, r - high + e) for (low, high), r, e in zip(padding, reach, extra, strict=True)
    )


def _channels_last(axes: int) -> tuple[str, str, str]:
    space = "DHW"[3 - axes :]
    return f"N{space}C", f"{space}IO", f"N{space}C"


def _merge_batch(x: Array, axes: int) -> tuple[Array, Callable[[Array], Array]]:
    """One batch axis for XLA, and the way back to the caller's batch axes."""
    batch = x.shape[: x.ndim - axes - 1]
    if x.ndim < axes + 1:
        raise ValueError(f"expected (*batch, {axes} spatial axes, channels), got shape {x.shape}")
    merged = x.reshape(math.prod(batch), *x.shape[len(batch) :])
    return merged, lambda y: y.reshape(*batch, *y.shape[1:])
