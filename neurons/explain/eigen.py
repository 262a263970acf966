"""Maps along the strongest direction among the channels: EigenCAM and EigenGradCAM.

With X the `positions x channels` matrix of a sample and v its first right singular vector, the map
is `M = X v`. The sign of v is arbitrary; here the entry of M that is largest in size is positive.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from neurons.explain.maps import Half, Maps
from neurons.explain.splitting import activations_and_gradients, open_at
from neurons.explain.targets import Target


def eigen_cam(
    features: Half, head: Half, x: Any, target: Target = None, *, centred: bool = False
) -> Maps:
    """EigenCAM: the activations' first principal direction; it knows no class.

    Args:
        features: as for :func:`neurons.explain.maps.cam`.
        head: not used.
        x: as for :func:`neurons.explain.maps.cam`.
        target: not used.
        centred: whether each channel's mean over space is taken off before the decomposition, as
            in pytorch-grad-cam; the paper decomposes the activations as they are.

    Returns:
        Raw maps `(batch, *spatial)`. Where the two strongest directions are equally strong, which
        of them is taken is chance, and the derivative is infinite.

    Raises:
        TypeError: for uint8 images.
        ValueError: for activations without space.

    References:
        M. B. Muhammad, M. Yeasin, Eigen-CAM: Class Activation Map using Principal Components,
        IJCNN 2020.
    """
    return principal_map(open_at(features, head, x).activations, centred=centred)


def eigen_grad_cam(
    features: Half, head: Half, x: Any, target: Target = None, *, centred: bool = False
) -> Maps:
    """EigenGradCAM: as :func:`eigen_cam`, on `G A`, which knows the class.

    Args:
        features: as for :func:`neurons.explain.maps.cam`.
        head: as for :func:`neurons.explain.maps.cam`.
        x: as for :func:`neurons.explain.maps.cam`.
        target: as for :func:`neurons.explain.maps.cam`.
        centred: as for :func:`eigen_cam`.

    Returns:
        Raw maps.

    References:
        J. Gildenblat and contributors, pytorch-grad-cam (EigenGradCAM), 2021.
    """
    a, g = activations_and_gradients(features, head, x, target)
    return principal_map(g * a, centred=centred)


def principal_map(
    values: Float[Array, "batch *spatial channels"], *, centred: bool = False
) -> Float[Array, " batch *spatial"]:
    """Projection of each position on the sample's first right singular vector, sign fixed.

    Args:
        values: one row of channels per position.
        centred: whether each channel's mean over space is taken off first.

    Returns:
        Maps whose entry of largest size is positive; zero for a sample of zeros.
    """
    batch, *spatial, channels = values.shape
    rows = values.reshape(batch, math.prod(spatial), channels)  # (batch, positions, channels)
    if not batch:
        return values[..., 0]
    if centred:
        rows = rows - rows.mean(axis=1, keepdims=True)
    # The smaller of the two Gram matrices; scaled, so that small activations do not underflow.
    size = jnp.max(jnp.abs(rows), axis=(1, 2), keepdims=True)
    unit = rows / jnp.where(size == 0, 1, size)
    if rows.shape[1] <= channels:
        along, energy = _strongest(jnp.einsum("bik,bjk->bij", unit, unit))
        found = along * jnp.sqrt(jnp.where(energy > 0, energy, 1))[:, None]
        found = jnp.where(energy[:, None] > 0, found, jnp.zeros_like(found))
    else:
        along, _ = _strongest(jnp.einsum("bik,bil->bkl", unit, unit))
        found = jnp.einsum("bik,bk->bi", unit, along)
    found = found * size[:, :, 0]
    flipped = jnp.max(-found, axis=1, keepdims=True) > jnp.max(found, axis=1, keepdims=True)
    return jnp.where(flipped, -found, found).reshape(batch, *spatial)


@jax.custom_jvp
def _strongest(gram: Float[Array, "batch n n"]) -> tuple[Array, Array]:
    """First eigenvector `(batch, n)` and eigenvalue `(batch,)` of symmetric matrices."""
    energies, vectors = jnp.linalg.eigh(gram)
    return vectors[:, :, -1], energies[:, -1]


@_strongest.defjvp
def _strongest_jvp(primals: Any, tangents: Any) -> Any:
    """Differentiates the first eigenvector alone.

    The rule of `eigh` divides by the distance of every two eigenvalues, and silent channels make
    many of them zero; here only the distances to the first count.
    """
    (gram,), (change,) = primals, tangents
    energies, vectors = jnp.linalg.eigh(gram)
    first, largest = vectors[:, :, -1], energies[:, -1]
    moved = jnp.einsum("bij,bik,bk->bj", vectors[:, :, :-1], change, first)
    turn = jnp.einsum(
        "bij,bj->bi", vectors[:, :, :-1], moved / (largest[:, None] - energies[:, :-1])
    )
    growth = jnp.einsum("bi,bij,bj->b", first, change, first)
    return (first, largest), (turn, growth)
