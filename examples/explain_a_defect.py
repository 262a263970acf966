"""Where does a classifier see the defect? Maps of several methods, judged against exact masks.

`python examples/explain_a_defect.py` takes about a minute on two cores; it uses magnetic tiles if
`$NEURONS_DATA` has them, drawn ones otherwise. A small ResNet learns which pictures show a defect,
and nothing of where. Its maps find drawn defects; real ones take pretrained features.
"""

import jax
import numpy as np
import optax
from flax import nnx

import neurons as nr
from neurons import data
from neurons.backbones.defect import resnet18
from neurons.explain import cam
from neurons.explain.metrics import best_threshold, miou, pixel_ap

MAPS = {  # method, and where the network is cut: later stages are coarser
    "Grad-CAM, last stage": ("grad_cam", "stage4"),
    "LayerCAM, stage 2": ("layer_cam", "stage2"),
    "EigenCAM, stage 3": ("eigen_cam", "stage3"),
    "RefineCAM, stages 2 to 4": ("refine_cam", ("stage2", "stage3", "stage4")),
}


def main(steps: int = 300, side: int = 32) -> dict[str, float]:
    """Train for `steps` steps; return the mean IoU of every kind of map on unseen defects."""
    tiles = data.simulated_defects(images=600, side=side, contrast=(0.2, 0.4), area=(0.01, 0.05))
    if data.available("magnetic_tile"):
        tiles = data.magnetic_tile(side=side, free=400)
    x = tiles.images[..., None] - tiles.images.mean(axis=(1, 2))[:, None, None, None]
    y = tiles.defective.astype(int)
    part = np.random.default_rng(0).choice(3, len(y), p=(0.6, 0.2, 0.2))  # learn, tune, judge

    epochs = max(1, steps * 32 // int(sum(part == 0)))
    batches = nr.Batches((x[part == 0], y[part == 0]), 32, epochs)
    tx = optax.adamw(optax.cosine_decay_schedule(3e-3, batches.steps))
    net = resnet18(channels=1, width=8, small=True, rngs=nnx.Rngs(0))
    model = nr.fit(net, nr.cross_entropy, tx, batches, key=jax.random.key(0)).model
    model.eval()
    logits = nnx.jit(lambda model, x: model(x))(model, x[part > 0])
    right = np.argmax(logits, axis=1) == y[part > 0]
    print(f"{tiles}\naccuracy {right.mean():.3f} on unseen pictures")

    shown = tiles.masks.any(axis=(1, 2)) & (part > 0)
    masks, second = tiles.masks[shown], part[shown] == 2
    found = {"nothing marked": float(miou(np.zeros(masks.shape), masks, 0.5, pooled=True))}
    for name, (method, stage) in MAPS.items():
        maps = np.asarray(cam(model, x[shown], 1, method=method, stage=stage))
        threshold = best_threshold(maps[~second], masks[~second])  # the same grid for all
        found[name] = float(miou(maps[second], masks[second], threshold, pooled=True))
        ap = np.nanmean(pixel_ap(maps[second], masks[second]))
        print(f"{name:25} mean IoU {found[name]:.3f}, average precision of pixels {ap:.3f}")
    print(f"{'nothing marked':25} mean IoU {found['nothing marked']:.3f}")
    return found


if __name__ == "__main__":
    main()
