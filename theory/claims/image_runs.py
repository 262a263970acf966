"""The trained networks behind the image claims: segmentation, small images, first steps.

Every network is one unit of the lab's memory, so that claims share runs. Widths and sizes are a
fraction of the papers': what they are stands in the constants below, and each claim says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array

from neurons import Batches, cross_entropy, fit, quadratic, relinear
from neurons.backbones.resnet import ResNet, qresnet, resnet, wide_resnet
from neurons.backbones.unet import UNet, qunet, slim_unet, unet
from neurons.data.magnetic_tile import COVERED
from theory.claims.claim import Lab

PART = 4  # the segmentation networks have a quarter of the paper's widths
WIDTH = 4  # of the residual networks' first stage; the paper's have 16
SIDE = 16  # pixels, to which small images are averaged; the paper's have 32
PIXELS = 32  # to which tiles are averaged
PIXEL_EPOCHS, PIXEL_BATCH = 60, 8
IMAGE_EPOCHS, IMAGE_BATCH = 120, 32
PAPER_RATE, PAPER_BATCH = 0.1, 128
IMAGE_RATE = PAPER_RATE * IMAGE_BATCH / PAPER_BATCH  # a smaller batch, a smaller step
FIRST_STEPS, FIRST_BATCH, FIRST_SIDE = 10, 16, 8

SEGMENTERS: Mapping[str, Callable[..., UNet]] = {
    "QUNet": qunet,
    "UNet": unet,
    "slim UNet": slim_unet,
}
CLASSIFIERS: Mapping[str, Callable[..., ResNet]] = {
    "QResNet-20": qresnet,
    "ResNet-20": resnet,
    "wide ResNet-20": wide_resnet,
}


@dataclass(frozen=True)
class Run:
    """One network to train.

    Args:
        model: key of :data:`SEGMENTERS` or :data:`CLASSIFIERS`.
        seed: number of the repetition; decides split, start and order.
        rate: learning rate.
        scale: share of it that the quadratic part gets.
        shuffled: planted fault: train on the masks or labels of other images.
        tuning: half the epochs.
    """

    model: str
    seed: int
    rate: float
    scale: float = 1.0
    shuffled: bool = False
    tuning: bool = False


class Parts(NamedTuple):
    """Inputs and targets for training, validation and test."""

    train: tuple[Array, Array]
    valid: tuple[Array, Array]
    test: tuple[Array, Array]


# -- segmentation -------------------------------------------------------------------------------


def segmenter(lab: Lab, run: Run) -> dict[str, Any]:
    """Train and score a segmentation network, or recall it.

    Returns:
        Dice scores `test` and `valid` in percent, and `examples`: tiles of the test part as grey
        levels 0 to 255, with mask and prediction.
    """
    return lab.recall(f"segment/{lab.data.name}/{run}", partial(_segment, lab, run))


def _segment(lab: Lab, run: Run) -> dict[str, Any]:
    parts = tile_parts(lab, run.seed)
    model = SEGMENTERS[run.model](part=PART, channels=1, rngs=nnx.Rngs(_key(lab, run.seed)))
    steps = len(parts.train[1]) // PIXEL_BATCH * _epochs(lab, run, PIXEL_EPOCHS)
    trained = _fit(lab, run, model, dice_loss, parts.train, PIXEL_EPOCHS, PIXEL_BATCH, _adam(steps))
    predicted = {part: _labels(trained, getattr(parts, part)[0]) for part in ("valid", "test")}
    scores = {part: dice(found, getattr(parts, part)[1]) for part, found in predicted.items()}
    return {**scores, "examples": _examples(parts.test, predicted["test"])}


def tile_parts(lab: Lab, seed: int) -> Parts:
    """Small standardised tiles and masks: a third for testing, a sixth for validation.

    Of the other half, the share for training that the budget's `data` says; every kind of defect
    is in each part as often as chance has it.
    """
    tiles = lab.data
    order = np.asarray(jax.random.permutation(_key(lab, seed), len(tiles.kinds)))
    thirds, sixths = len(order) // 3, len(order) // 6
    kept = max(PIXEL_BATCH, round((len(order) - thirds - sixths) * lab.budget.data))
    rows = (order[thirds + sixths :][:kept], order[thirds : thirds + sixths], order[:thirds])
    images, covered = (
        averaged(pixels[..., None].astype(np.float32), PIXELS)
        for pixels in (tiles.images, tiles.masks)
    )
    learnt = images[rows[0]]
    x = (images - learnt.mean()) / learnt.std()
    y = (covered[..., 0] >= COVERED).astype(np.int32)
    return Parts(*((jnp.asarray(x[part]), jnp.asarray(y[part])) for part in rows))


def dice_loss(model: Any, batch: tuple[Array, Array]) -> Array:
    """Cross-entropy plus one minus the soft Dice score of the batch, as in the paper's code."""
    x, masks = batch
    logits = model(x)
    entropy = optax.softmax_cross_entropy_with_integer_labels(logits, masks).mean()
    defect, truth = jax.nn.softmax(logits)[..., 1], masks.astype(logits.dtype)
    overlap = 2 * (defect * truth).sum() + 1
    return entropy + 1 - overlap / (defect.sum() + truth.sum() + 1)


def dice(predicted: Any, truth: Any) -> float:
    """Dice score in percent over all pixels of all tiles; 100 where both are empty."""
    found, wanted = np.asarray(predicted) == 1, np.asarray(truth) == 1
    total = int(found.sum() + wanted.sum())
    return 200 * int((found & wanted).sum()) / total if total else 100.0


def _examples(test: tuple[Array, Array], predicted: np.ndarray) -> list[dict[str, Any]]:
    """The tiles with the smallest, two middle and the largest defects."""
    images, masks = np.asarray(test[0])[..., 0], np.asarray(test[1])
    sizes = masks.sum(axis=(1, 2))
    marked = [tile for tile in np.argsort(sizes, kind="stable") if sizes[tile]]
    chosen = [marked[place * (len(marked) - 1) // 3] for place in range(4)] if marked else []
    low, high = float(images.min()), float(images.max())
    grey = np.rint(255 * (images - low) / (high - low)).astype(int)
    return [
        {
            "tile": grey[tile].tolist(),
            "mask": masks[tile].tolist(),
            "predicted": predicted[tile].astype(int).tolist(),
        }
        for tile in chosen
    ]


# -- small images -------------------------------------------------------------------------------


def classifier(lab: Lab, run: Run) -> dict[str, float]:
    """Train and score a classifier of small images, or recall it.

    Returns:
        Accuracies `test` and `valid` in percent.
    """
    return lab.recall(f"classify/{lab.data.name}/{run}", partial(_classify, lab, run))


def _classify(lab: Lab, run: Run) -> dict[str, float]:
    parts = image_parts(lab, run.seed)
    model = CLASSIFIERS[run.model](
        width=WIDTH,
        channels=int(parts.train[0].shape[-1]),
        classes=len(lab.data.classes),
        rngs=nnx.Rngs(_key(lab, run.seed)),
    )
    steps = len(parts.train[1]) // IMAGE_BATCH * _epochs(lab, run, IMAGE_EPOCHS)
    trained = _fit(
        lab, run, model, cross_entropy, parts.train, IMAGE_EPOCHS, IMAGE_BATCH, _sgd(steps)
    )
    return {
        part: 100 * float(np.mean(_labels(trained, x) == np.asarray(y)))
        for part, (x, y) in (("valid", parts.valid), ("test", parts.test))
    }


def image_parts(lab: Lab, seed: int) -> Parts:
    """Small standardised images; a sixth of the training images is kept for validation."""
    data = lab.data
    order = np.asarray(jax.random.permutation(_key(lab, seed), len(data.y_train)))
    sixths = len(order) // 6
    kept = max(IMAGE_BATCH, round((len(order) - sixths) * lab.budget.data))
    rows = (order[sixths:][:kept], order[:sixths])
    x, test = (averaged(images, SIDE) for images in (data.x_train, data.x_test))
    mean, spread = x[rows[0]].mean(axis=(0, 1, 2)), x[rows[0]].std(axis=(0, 1, 2))
    x, test = (x - mean) / spread, (test - mean) / spread
    arrays = (*((x[part], data.y_train[part]) for part in rows), (test, data.y_test))
    return Parts(*((jnp.asarray(a), jnp.asarray(b, jnp.int32)) for a, b in arrays))


def averaged(images: np.ndarray, side: int) -> np.ndarray:
    """Means over squares of pixels, so that height and width become `side`; margins are cut."""
    step = max(1, min(images.shape[1:3]) // side)
    rows, columns = (step * min(side, size // step) for size in images.shape[1:3])
    cut = images[:, :rows, :columns]
    squares = cut.reshape(len(cut), rows // step, step, columns // step, step, cut.shape[-1])
    return squares.mean(axis=(2, 4), dtype=np.float32)


# -- training -----------------------------------------------------------------------------------


def _fit(
    lab: Lab,
    run: Run,
    model: Any,
    loss: Callable[..., Array],
    data: tuple[Array, Array],
    epochs: int,
    size: int,
    tx: optax.GradientTransformation,
) -> Any:
    if run.shuffled:
        others = jax.random.permutation(_key(lab, run.seed + 50_000), len(data[1]))
        data = (data[0], data[1][others])
    batches = Batches(data, size, _epochs(lab, run, epochs))
    settings = {"learning_rate": run.rate, "relinear_scale": run.scale}
    key = jax.random.fold_in(_key(lab, run.seed), 1)
    return fit(model, loss, tx, batches, key=key, settings=settings).model


def _epochs(lab: Lab, run: Run, epochs: int) -> int:
    return max(1, round(epochs * lab.budget.effort * (0.5 if run.tuning else 1.0)))


def _key(lab: Lab, seed: int) -> Array:
    return jax.random.fold_in(lab.key, seed)


def _labels(model: Any, x: Array) -> np.ndarray:
    """The largest logit's place for every image or pixel; a network that is NaN predicts 0."""
    graph, state = nnx.split(model)
    logits = [_logits(graph)(state, x[i : i + 200]) for i in range(0, len(x), 200)]
    return np.argmax(np.nan_to_num(np.concatenate(logits), nan=0.0), axis=-1)


@lru_cache(maxsize=16)
def _logits(graph: Any) -> Callable[..., Array]:
    return jax.jit(lambda state, x: nnx.merge(graph, state, copy=True)(x))


@lru_cache(maxsize=8)
def _adam(steps: int) -> optax.GradientTransformation:
    """Adam with cosine annealing, as the paper anneals."""
    annealing = optax.scale_by_schedule(optax.cosine_decay_schedule(1.0, steps))
    return relinear(optax.chain(optax.inject_hyperparams(optax.adam)(1e-2), annealing), 1.0)


@lru_cache(maxsize=8)
def _sgd(steps: int) -> optax.GradientTransformation:
    """SGD, momentum 0.9, weight decay 1e-4; a tenth of the rate after half and three quarters."""
    sgd = optax.inject_hyperparams(optax.sgd, static_args=("momentum",))(0.1, momentum=0.9)
    drops = optax.piecewise_constant_schedule(1.0, {steps // 2: 0.1, 3 * steps // 4: 0.1})
    decayed = optax.chain(optax.add_decayed_weights(1e-4), sgd, optax.scale_by_schedule(drops))
    return relinear(decayed, 1.0)


# -- first steps --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Start:
    """A deep quadratic network at its start.

    Args:
        depth: layers.
        norm: with batch normalisation.
        init: "relinear", or "common" for all kernels at random.
        scale: share of the learning rate for the quadratic part.
        rate: learning rate.
    """

    depth: int
    norm: bool
    init: str
    scale: float
    rate: float


def first_losses(lab: Lab, start: Start, seed: int) -> list[float]:
    """Training losses of the first steps, and one after them; infinity stands for NaN."""
    return lab.recall(
        f"start/{lab.data.name}/{start}/{seed}", partial(_first_losses, lab, start, seed)
    )


def _first_losses(lab: Lab, start: Start, seed: int) -> list[float]:
    key = _key(lab, seed)
    x, y = averaged(lab.data.x_train, FIRST_SIDE), lab.data.y_train
    x = (x - x.mean(axis=(0, 1, 2))) / x.std(axis=(0, 1, 2))
    net = ResNet(
        quadratic,
        start.depth,
        width=WIDTH,
        channels=x.shape[-1],
        classes=len(lab.data.classes),
        norm=start.norm,
        init="common" if start.init == "common" else "relinear",
        rngs=nnx.Rngs(key),
    )
    steps = max(2, round(FIRST_STEPS * lab.budget.effort))
    rows = np.asarray(jax.random.randint(key, (steps + 1, FIRST_BATCH), 0, len(y)))
    batches = [(jnp.asarray(x[r]), jnp.asarray(y[r], jnp.int32)) for r in rows]
    return [value if np.isfinite(value) else float("inf") for value in _steps(net, start, batches)]


def _steps(net: ResNet, start: Start, batches: Sequence[tuple[Array, Array]]) -> list[float]:
    """The loss before every step.

    Blocks of one shape share one compiled program: a network of 56 layers compiles as six.
    """
    net.train()
    split = [nnx.split(part, nnx.Param, ...) for part in (net.stem, *net.blocks, net.out)]
    graphs, params, rests = (list(found) for found in zip(*split, strict=True))
    rate, scale = jnp.float32(start.rate), jnp.float32(start.scale)
    states = [_begin(part, rate, scale) for part in params]
    losses = []
    for x, y in batches:
        value, grads = jax.value_and_grad(_blockwise_loss)(params, graphs, rests, x, y)
        losses.append(float(value))
        moved = [_move(*part) for part in zip(params, grads, states, strict=True)]
        params, states = [part for part, _ in moved], [state for _, state in moved]
    return losses


def _blockwise_loss(params: Any, graphs: Any, rests: Any, x: Array, y: Array) -> Array:
    for graph, part, rest in zip(graphs[:-1], params[:-1], rests[:-1], strict=True):
        x = _apply(graph, part, rest, x)
    return _head_loss(graphs[-1], params[-1], rests[-1], x, y)


@partial(jax.jit, static_argnums=0)
def _apply(graph: Any, params: Any, rest: Any, x: Array) -> Array:
    return nnx.merge(graph, params, rest, copy=True)(x)


@partial(jax.jit, static_argnums=0)
def _head_loss(graph: Any, params: Any, rest: Any, features: Array, y: Array) -> Array:
    logits = nnx.merge(graph, params, rest, copy=True)(features.mean(axis=(1, 2)))
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


@lru_cache(maxsize=1)
def _plain_sgd() -> optax.GradientTransformation:
    sgd = optax.inject_hyperparams(optax.sgd, static_args=("momentum",))(0.1, momentum=0.9)
    return relinear(sgd, 1.0)


@jax.jit
def _begin(params: Any, rate: Array, scale: Array) -> Any:
    # One name a call: tree_set does not look inside a state of which it has set a field.
    state = optax.tree_utils.tree_set(_plain_sgd().init(params), learning_rate=rate)
    return optax.tree_utils.tree_set(state, relinear_scale=scale)


@jax.jit
def _move(params: Any, grads: Any, state: Any) -> tuple[Any, Any]:
    updates, state = _plain_sgd().update(grads, state, params)
    return optax.apply_updates(params, updates), state
