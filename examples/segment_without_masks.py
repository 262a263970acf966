"""Which pixels are defective, if people only said which pictures are? Nobody draws a mask.

`python examples/segment_without_masks.py`, half a minute on two cores. A classifier learns the
pictures' labels, its CG-CAM gives seeds, a U-Net learns the seeds and then its own confident
predictions. Masks only judge: printed is the IoU on other pictures of each round, and with masks.
A demonstration on drawn surfaces with the best of three starts; the claims of `region_aware_cam`
measure, over seeds and on real ones.
"""

from functools import partial

import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array, random

import neurons as nr
from neurons.backbones.unet import UNet, max_pool
from neurons.data import folds, simulated_defects
from neurons.explain import Split, cam
from neurons.explain.segmentation import predict, seeds, train_rounds


def detector(rngs: nnx.Rngs) -> nnx.Sequential:
    """Three convolutions with pooling between them, the mean over space, the logit of a defect."""
    conv = partial(nr.Conv, nr.conventional, kernel_size=(3, 3), padding=1, rngs=rngs)
    shallow = (conv(1, 8), nnx.relu, max_pool, conv(8, 16), nnx.relu, max_pool)
    mean, out = lambda x: x.mean(axis=(1, 2)), nnx.Linear(16, 1, rngs=rngs)
    return nnx.Sequential(*shallow, conv(16, 16), nnx.relu, mean, out)


def loss(model: nnx.Sequential, batch: tuple[Array, Array]) -> Array:
    """Cross-entropy of the pictures' labels."""
    return optax.sigmoid_binary_cross_entropy(model(batch[0])[:, 0], 1.0 * batch[1]).mean()


def main(steps: int = 400) -> list[float]:
    """Intersection over union on other pictures: of two rounds, and of full supervision."""
    tiles = simulated_defects(images=300, side=32, contrast=(0.15, 0.5), area=(0.01, 0.06))
    x = jnp.asarray(5 * (tiles.images - tiles.images.mean(axis=(1, 2), keepdims=True)))[..., None]
    test = folds(tiles.kinds, 3) == 0
    defective, size, key = jnp.asarray(tiles.defective[~test]), 20, random.key(0)
    epochs = max(4, steps * size // len(defective))
    lesson = nr.Batches((x[~test], defective), size, epochs)
    net = nr.fit(detector(nnx.Rngs(1)), loss, optax.adam(1e-2), lesson, key=key).model
    cut = Split(nnx.Sequential(*net.layers[:2]), nnx.Sequential(*net.layers[2:]))
    given = seeds(cam(cut, x[~test], 1, method="cg_cam"), defective)
    unet = UNet(nr.conventional, (8, 16), channels=1, classes=1, bias=False, rngs=nnx.Rngs(1))
    scores, wanted = [], tiles.masks[test]
    options = {"tx": optax.adam(5e-3), "epochs": epochs // 4, "size": size, "key": key}
    for labels, rounds in ((given, 2), (jnp.asarray(tiles.masks[~test], jnp.int8), 1)):
        learned = train_rounds(unet, x[~test], labels, defective, rounds=rounds, **options)
        found = [np.asarray(predict(done.model, x[test])) > 0.5 for done in learned.rounds]
        scores += [float((one & wanted).sum() / (one | wanted).sum()) for one in found]
    print(f"{tiles}\nIoU of the rounds and with masks:", *(f"{score:.2f}" for score in scores))
    return scores


if __name__ == "__main__":
    main()
