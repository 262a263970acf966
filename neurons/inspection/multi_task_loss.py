"""The loss of a network that decides about samples and marks their pixels.

The loss is a mean over samples, each with two parts,

`segmentation_i = mean_p CE(m_ip, g_ip) + dice d_i D_i`, with the Dice loss
`D_i = 1 - (2 sum_p m_ip g_ip + s) / (sum_p m_ip + sum_p g_ip + s)`, and

`classification_i = CE(z_i, d_i)`, or with the focal factor `(1 - p_true)^gamma`,

so that what a sample, a group of samples or a task contributes to a gradient is defined: see
`neurons.inspection.gradient_share`. Only defective samples, `d_i = 1`, have a Dice term, and only
if their mask is not empty: there is no shape to match in nothing.

References:
    H.-C. Dong et al., Sample-Centric Multi-Task Learning, arXiv 2510.13226. The abstract alone was
    at hand: the two losses and their weight are our reading.
    F. Milletari, N. Navab, S.-A. Ahmadi, V-Net, 3DV 2016 (Dice). T.-Y. Lin et al., Focal Loss for
    Dense Object Detection, ICCV 2017, eq. 4.
"""

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float

from neurons.explain.segmentation import dice_loss, pixel_cross_entropy
from neurons.inspection.balancing import Balance, Fixed

Batch = tuple[Any, Bool[Array, "batch height width"], Bool[Array, " batch"]]
TASKS = ("segmentation", "classification")


@dataclass(frozen=True)
class MultiTaskLoss:
    """Segmentation and classification together, balanced; a loss of :func:`neurons.fit`.

    A batch is `(x, masks, defective)`: the network's input, bool masks and bool labels. The
    network returns logits as :class:`neurons.backbones.defect.MultiTask` does.

    Args:
        balance: of the two tasks; :class:`Fixed` weights, by default 1 and 0.5. With weights 1
            and 0 the same network learns to segment alone.
        dice: weight of the Dice term.
        smooth: s, pixels.
        gamma: 0 for cross-entropy, 2 for the usual focal loss of the sample's label.

    Raises:
        ValueError: for a negative `dice` or `gamma`, or `smooth` that is not positive; on call for
            masks or labels of other shapes than the network's answers.

    Example:
        >>> from neurons.backbones.defect import MultiTask
        >>> sure = lambda x: MultiTask(jnp.array([50.0, -50.0]), 50.0 * x)
        >>> masks = jnp.array([[[True, False]], [[False, False]]])
        >>> x = jnp.where(masks, 1.0, -1.0)[..., None]
        >>> bool(MultiTaskLoss()(sure, (x, masks, jnp.array([True, False]))) < 1e-6)
        True
    """

    balance: Balance = field(default_factory=lambda: Fixed((1.0, 0.5)))
    dice: float | int = 1.0
    smooth: float | int = 1.0
    gamma: float | int = 0.0

    def __post_init__(self) -> None:
        if not (self.dice >= 0 and self.gamma >= 0 and self.smooth > 0):
            raise ValueError(
                "needs dice >= 0, gamma >= 0 and smooth > 0: "
                f"{self.dice}, {self.gamma}, {self.smooth}"
            )

    def __call__(self, model: Any, batch: Batch) -> Float[Array, ""]:
        """The balanced loss of a batch."""
        return self.balance(self.tasks, model, batch)

    def tasks(self, model: Any, batch: Batch) -> tuple[Array, Array]:
        """Mean loss of segmentation and of classification over the batch."""
        segmentation, classification = self.samples(model, batch)
        return segmentation.mean(), classification.mean()

    def samples(
        self, model: Any, batch: Batch
    ) -> tuple[Float[Array, " batch"], Float[Array, " batch"]]:
        """Loss of segmentation and of classification of every sample."""
        x, masks, defective = batch
        logits, pixels = model(x)
        if pixels.shape != (*masks.shape, 1) or logits.shape != defective.shape:
            raise ValueError(
                f"logits {logits.shape} and {pixels.shape} of samples and pixels, "
                f"for labels {defective.shape} and masks {masks.shape}"
            )
        truth, labels = masks.astype(pixels.dtype), defective.astype(logits.dtype)
        segmentation = pixel_cross_entropy(pixels[..., 0], truth).mean(axis=(1, 2))
        shape = dice_loss(jax.nn.sigmoid(pixels[..., 0]), truth, self.smooth, (1, 2))
        shaped = (defective & masks.any(axis=(1, 2))).astype(labels.dtype)
        classification = pixel_cross_entropy(logits, labels)
        if self.gamma:
            classification *= (1 - jnp.exp(-classification)) ** self.gamma
        return segmentation + self.dice * shaped * shape, classification
