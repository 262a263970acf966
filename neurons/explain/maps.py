"""Class activation maps from activations and gradients of one layer.

With A the activations of a layer, G the gradient of a sample's score with respect to them, sums
over the channels k and positions i:

    CAM               M_i = sum_k W_k A_i^k            W_k = sum_j G_j^k: the linear layer's row
    Grad-CAM          M_i = sum_k mean_j(G_j^k) A_i^k
    Grad-CAM++        M_i = sum_k w_k A_i^k            w_k = sum_j alpha_j^k relu(G_j^k)
    XGrad-CAM         M_i = sum_k w_k A_i^k            w_k = sum_j G_j^k A_j^k / sum_j A_j^k
    HiResCAM          M_i = sum_k G_i^k A_i^k
    LayerCAM          M_i = sum_k relu(G_i^k) A_i^k
    element-wise      M_i = sum_k relu(G_i^k A_i^k)

All have the signature `method(features, head, x, target=None, **options)` and return raw maps
`(batch, *spatial)` at the layer's resolution, before the final ReLU and any normalisation, which
are the business of `neurons.explain.finish`. They work on any number of spatial axes, are pure,
compile and can be differentiated.
"""

from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from neurons.explain.splitting import activations_and_gradients, open_at
from neurons.explain.targets import Target, predicted, scores

Half = Callable[..., Any]
Maps = Float[Array, " batch *spatial"]
Denominator = Literal["paper", "torch_cam"]


def weighted(weights: Float[Array, "batch channels"], activations: Array) -> Maps:
    """`sum_k w_k A^k`, the map of one weight per channel."""
    return jnp.einsum("bk,b...k->b...", weights, activations)


def over_space(values: Float[Array, "batch *spatial channels"]) -> Float[Array, "batch channels"]:
    """Sum over all positions."""
    return values.sum(axis=tuple(range(1, values.ndim - 1)))


def cam(features: Half, head: Half, x: Any, target: Target = None) -> Maps:
    """CAM: the class's row of the linear layer behind a mean over space; the bias is dropped.

    The row is read off the head's gradient, `W_k = sum_j G_j^k`. The method is defined for heads
    that are one mean over space and one linear layer, whose gradient is the same at all positions
    and for all activations; for any other head the map is NaN.

    Args:
        features: first half of the network, `x -> (batch, *spatial, channels)`.
        head: second half, to logits.
        x: input, an array or a pytree.
        target: see :func:`neurons.explain.targets.scores`.

    Returns:
        Raw maps.

    Raises:
        TypeError: for uint8 images, activations or classes of a wrong type.
        ValueError: for activations without space, or a target that does not fit.

    References:
        B. Zhou, A. Khosla, A. Lapedriza, A. Oliva, A. Torralba, Learning Deep Features for
        Discriminative Localization, CVPR 2016.
    """
    a, logits = open_at(features, head, x)
    chosen = predicted(logits(a)) if target is None else target
    at = jax.grad(lambda a: jnp.sum(scores(logits(a), chosen)))
    g, origin = at(a), at(jnp.zeros_like(a))
    return weighted(over_space(g) + _nan_unless_linear(g, origin), a)


def grad_cam(features: Half, head: Half, x: Any, target: Target = None) -> Maps:
    """Grad-CAM: each channel weighs its mean gradient.

    Behind a mean over space and a linear layer it is CAM over the number of positions.

    Args:
        features: as for :func:`cam`.
        head: as for :func:`cam`.
        x: as for :func:`cam`.
        target: as for :func:`cam`.

    Returns:
        Raw maps.

    References:
        R. R. Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
        Localization, ICCV 2017.
    """
    a, g = activations_and_gradients(features, head, x, target)
    return weighted(g.mean(axis=tuple(range(1, g.ndim - 1))), a)


def grad_cam_pp(
    features: Half,
    head: Half,
    x: Any,
    target: Target = None,
    *,
    denominator: Denominator = "paper",
    eps: float = 0.0,
) -> Maps:
    """Grad-CAM++: positive gradients, weighted by closed-form second and third derivatives.

    `w_k = sum_j alpha_j relu(G_j)`, `alpha_j = G_j^2 / (2 G_j^2 + S_j + eps)`, zero where G_j is,
    with `S_j = (sum_i A_i) G_j^3` in the paper and `S = sum_i A_i G_i^3` in torch-cam.

    Args:
        features: as for :func:`cam`.
        head: as for :func:`cam`.
        x: as for :func:`cam`.
        target: as for :func:`cam`.
        denominator: whose S.
        eps: added to the denominator. The paper has none. pytorch-grad-cam adds 1e-6, which rules
            wherever gradients are below 1e-3.

    Returns:
        Raw maps.

    Raises:
        ValueError: for an unknown denominator; else as :func:`cam`.

    References:
        A. Chattopadhay, A. Sarkar, P. Howlader, V. N. Balasubramanian, Grad-CAM++: Generalized
        Gradient-Based Visual Explanations for Deep Convolutional Networks, WACV 2018.
    """
    a, g = activations_and_gradients(features, head, x, target)
    return weighted(plus_plus_weights(a, g, g**2, g**3, denominator=denominator, eps=eps), a)


def plus_plus_weights(
    a: Float[Array, "batch *spatial channels"],
    g: Float[Array, "batch *spatial channels"],
    squares: Float[Array, "batch *spatial channels"],
    cubes: Float[Array, "batch *spatial channels"],
    *,
    denominator: Denominator = "paper",
    eps: float = 0.0,
) -> Float[Array, "batch channels"]:
    """The channel weights of Grad-CAM++, see :func:`grad_cam_pp`, from the powers of gradients.

    Raises:
        ValueError: for an unknown denominator.
    """
    if denominator not in ("paper", "torch_cam"):
        raise ValueError(f'denominator must be "paper" or "torch_cam", got {denominator!r}')
    spatial = tuple(range(1, a.ndim - 1))
    if denominator == "paper":
        below = a.sum(axis=spatial, keepdims=True) * cubes
    else:
        below = jnp.broadcast_to((a * cubes).sum(axis=spatial, keepdims=True), a.shape)
    below = 2 * squares + below + eps
    usable = (squares != 0) & (below != 0)
    alpha = jnp.where(usable, squares / jnp.where(usable, below, 1), jnp.zeros_like(below))
    return over_space(alpha * jax.nn.relu(g))


def xgrad_cam(
    features: Half, head: Half, x: Any, target: Target = None, *, eps: float = 1e-7
) -> Maps:
    """XGrad-CAM: each channel weighs its gradient averaged over its own activation.

    `w_k = sum_j G_j^k A_j^k / (sum_j A_j^k + eps)`; in a network of ReLUs without biases the map
    sums to the score (conservation).

    Args:
        features: as for :func:`cam`.
        head: as for :func:`cam`.
        x: as for :func:`cam`.
        target: as for :func:`cam`.
        eps: for channels that are silent; 1e-7 as in pytorch-grad-cam, 1e-8 in torch-cam.

    Returns:
        Raw maps.

    References:
        R. Fu, Q. Hu, X. Dong, Y. Guo, Y. Gao, B. Li, Axiom-based Grad-CAM: Towards Accurate
        Visualization and Explanation of CNNs, BMVC 2020.
    """
    a, g = activations_and_gradients(features, head, x, target)
    return weighted(over_space(g * a) / (over_space(a) + eps), a)


def hires_cam(features: Half, head: Half, x: Any, target: Target = None) -> Maps:
    """HiResCAM: `sum_k G^k A^k`, position by position.

    For a network that ends in one linear layer the map sums to the score, bias aside.

    Args:
        features: as for :func:`cam`.
        head: as for :func:`cam`.
        x: as for :func:`cam`.
        target: as for :func:`cam`.

    Returns:
        Raw maps.

    References:
        R. L. Draelos, L. Carin, Use HiResCAM Instead of Grad-CAM for Faithful Explanations of
        Convolutional Neural Networks, arXiv 2011.08891.
    """
    a, g = activations_and_gradients(features, head, x, target)
    return jnp.sum(g * a, axis=-1)


def layer_cam(features: Half, head: Half, x: Any, target: Target = None) -> Maps:
    """LayerCAM: `sum_k relu(G^k) A^k`; usable at shallow layers.

    Args:
        features: as for :func:`cam`.
        head: as for :func:`cam`.
        x: as for :func:`cam`.
        target: as for :func:`cam`.

    Returns:
        Raw maps.

    References:
        P.-T. Jiang, C.-B. Zhang, Q. Hou, M.-M. Cheng, Y. Wei, LayerCAM: Exploring Hierarchical
        Class Activation Maps for Localization, IEEE TIP 2021.
    """
    a, g = activations_and_gradients(features, head, x, target)
    return jnp.sum(jax.nn.relu(g) * a, axis=-1)


def elementwise_cam(features: Half, head: Half, x: Any, target: Target = None) -> Maps:
    """Element-wise Grad-CAM: `sum_k relu(G^k A^k)`.

    Args:
        features: as for :func:`cam`.
        head: as for :func:`cam`.
        x: as for :func:`cam`.
        target: as for :func:`cam`.

    Returns:
        Raw maps.

    References:
        J. Gildenblat and contributors, pytorch-grad-cam (GradCAMElementWise), 2021.
    """
    a, g = activations_and_gradients(features, head, x, target)
    return jnp.sum(jax.nn.relu(g * a), axis=-1)


def _nan_unless_linear(g: Array, origin: Array) -> Float[Array, "batch channels"]:
    """Zero where the gradient is one row for all positions and activations, NaN elsewhere."""
    spatial = tuple(range(1, g.ndim - 1))
    row = g.mean(axis=spatial, keepdims=True)
    every = tuple(range(1, g.ndim))
    gap = jnp.maximum(jnp.abs(g - row), jnp.abs(origin - row)).max(axis=every)
    linear = gap <= 1e-4 * jnp.abs(row).max(axis=every)
    zeros = jnp.zeros((len(g), g.shape[-1]), g.dtype)
    return jnp.where(linear[:, None], zeros, jnp.full_like(zeros, jnp.nan))
