"""Rotary positions in two dimensions, as DINOv3 has them.

A patch in row r of R and column c of C lies at `u = 2 (r + 1/2) / R - 1` and
`v = 2 (c + 1/2) / C - 1`. With d channels a head and frequencies `f_i = base^(-4 i / d)`,
`i < d / 4`, its angles are `2 pi u f` and `2 pi v f`, side by side and twice over; queries and keys
`(a, b)`, halves of d channels, become `(a, b) cos + (-b, a) sin`. Class and register tokens have no
place and stay as they are.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float


def rotary_table(
    rows: int, columns: int, channels: int, *, prefix: int = 0, base: float = 100.0
) -> tuple[Float[Array, "tokens channels"], Float[Array, "tokens channels"]]:
    """Cosines and sines for all tokens; for the prefix 1 and 0, which changes nothing.

    Args:
        rows: of the grid of patches.
        columns: of the grid; patches follow one another row by row.
        channels: d, of one head; a multiple of 4.
        prefix: tokens before the patches.
        base: of the frequencies.

    Returns:
        Two arrays `(prefix + rows * columns, channels)` in float32.

    Raises:
        ValueError: for an empty grid, or channels that are no multiple of 4.

    Example:
        >>> cosine, _ = rotary_table(14, 14, 64)
        >>> [round(float(value), 6) for value in cosine[0, :3]]
        [0.900969, -0.330862, -0.99031]
    """
    if min(rows, columns) < 1 or channels < 1 or channels % 4:
        raise ValueError(
            f"needs a grid of at least one patch and a multiple of 4 channels, "
            f"got {rows} x {columns} and {channels}"
        )
    frequency = base ** (-4 * np.arange(channels // 4) / channels)
    down, right = (2 * (np.arange(n) + 0.5) / n - 1 for n in (rows, columns))
    places = np.stack(np.meshgrid(down, right, indexing="ij"), axis=-1).reshape(-1, 2)
    angle = 2 * np.pi * places[:, :, None] * frequency
    angle = np.tile(angle.reshape(len(places), -1), 2)
    angle = np.concatenate([np.zeros((prefix, channels)), angle])
    return jnp.asarray(np.cos(angle), jnp.float32), jnp.asarray(np.sin(angle), jnp.float32)


def rotate(
    x: Float[Array, "batch tokens heads channels"],
    table: tuple[Float[Array, "tokens channels"], Float[Array, "tokens channels"]],
) -> Float[Array, "batch tokens heads channels"]:
    """Turn the channels of every token by its angles."""
    cosine, sine = (part[None, :, None].astype(x.dtype) for part in table)
    first, second = jnp.split(x, 2, axis=-1)
    return x * cosine + jnp.concatenate([-second, first], axis=-1) * sine
