"""Every image experiment can fail: a planted fault flips its status.

Toy data that small networks learn in seconds: large dark squares on tiles, and shapes that differ
by colour. What is tested is the experiments and their judgement, not the claims.
"""

from functools import cache, partial

import jax
import numpy as np
import pytest
from flax import nnx

from neurons import conventional, cross_entropy, quadratic
from neurons.backbones.resnet import ResNet, qresnet, resnet
from neurons.backbones.unet import UNet
from neurons.data import Images, Tiles, simulated_shapes
from theory.claims import Budget, image_runs, one_neuron_images
from theory.claims.claim import Lab, remember

BUDGET = Budget("test", seeds=3, effort=0.5, data=1.0)
QUICK = Budget("test", seeds=3, effort=0.1, data=0.4)
SEGMENTERS = {
    "QUNet": lambda part, **options: UNet(quadratic, (4, 8), **options),
    "UNet": lambda part, **options: UNet(conventional, (4, 8), **options),
}
SEGMENTERS["slim UNet"] = SEGMENTERS["UNet"]
CLASSIFIERS = {"QResNet-20": partial(qresnet, 8), "ResNet-20": partial(resnet, 8)}
CLASSIFIERS["wide ResNet-20"] = CLASSIFIERS["ResNet-20"]


def squares():
    """Forty tiles of 16 pixels, each with a small dark square."""
    random = np.random.default_rng(5)
    images = random.uniform(0.7, 0.9, (40, 16, 16)).astype(np.float32)
    masks = np.zeros(images.shape, bool)
    for mask, row, column in zip(masks, *random.integers(0, 13, (2, 40)), strict=True):
        mask[row : row + 4, column : column + 4] = True
    images -= 0.5 * masks.astype(np.float32)
    return Tiles("squares", images, masks, ("square",) * 40, "toy", simulated=True)


def colours():
    """Four classes of colour in noise."""
    random = np.random.default_rng(6)
    inks = np.array([[0.9, 0.1, 0.1], [0.1, 0.9, 0.1], [0.1, 0.1, 0.9], [0.8, 0.8, 0.1]])
    labels = [np.arange(count) % 4 for count in (160, 80)]
    x = [
        np.clip(inks[y][:, None, None] + random.normal(0, 0.2, (len(y), 8, 8, 3)), 0, 1)
        for y in labels
    ]
    train, test = (images.astype(np.float32) for images in x)
    return Images("colours", train, labels[0], test, labels[1], tuple("rgby"), "toy", True)


@cache
def memory(name):
    data = squares() if name == "segmentation" else colours()
    return data, remember()


def status(name, fault=None):
    shared = "segmentation" if name == "segmentation" else "images"
    data, recall = memory(shared)
    budget = QUICK if name.startswith("relinear") else BUDGET
    lab = Lab(budget, jax.random.key(0), data, recall, fault)
    return getattr(one_neuron_images, name)(lab).status


FLIPS = [
    ("segmentation", "shuffle_quadratic", "refuted"),
    ("segmentation", "shuffle_conventional", "supported"),
    ("small_images", "shuffle_quadratic", "refuted"),
    ("small_images", "shuffle_conventional", "supported"),
    ("scale_sweep", "shuffle_grown", "refuted"),
    ("scale_sweep", "shuffle_frozen", "supported"),
    ("relinear_converges", "same_start", "refuted"),
    ("relinear_converges", "rate_millionfold", "supported"),
    ("relinear_converges_without_norm", "same_start", "refuted"),
    ("relinear_converges_without_norm", "rate_millionfold", "supported"),
]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Networks and repetitions as few as the judgement allows."""
    monkeypatch.setattr(one_neuron_images, "DEPTHS", (8, 14))
    monkeypatch.setattr(one_neuron_images, "STARTS_PER_SEED", 1)
    for models, made in (("SEGMENTERS", SEGMENTERS), ("CLASSIFIERS", CLASSIFIERS)):
        for module in (image_runs, one_neuron_images):
            monkeypatch.setattr(module, models, made)
    monkeypatch.setattr(one_neuron_images, "SCALES", (0.0, 1e-2))
    monkeypatch.setattr(one_neuron_images, "PIXEL_GRID", dict.fromkeys(SEGMENTERS, ((2e-2, 1e-4),)))


@pytest.mark.usefixtures("standard_promotion")
@pytest.mark.parametrize(("name", "fault", "faulty"), FLIPS)
def test_planted_fault_decides_the_status(name, fault, faulty):
    assert status(name, fault) == faulty


@pytest.mark.usefixtures("standard_promotion")
@pytest.mark.parametrize("name", list(one_neuron_images.FAULTS))
def test_some_planted_fault_flips_the_honest_status(name):
    faulty = {expected for experiment, _, expected in FLIPS if experiment == name}
    assert faulty - {status(name)}
    planted = {fault for experiment, fault, _ in FLIPS if experiment == name}
    assert planted == set(one_neuron_images.FAULTS[name])


def test_dice_is_its_formula():
    found, truth = np.array([[[1, 1, 0, 0]]]), np.array([[[1, 0, 1, 1]]])
    assert image_runs.dice(found, truth) == pytest.approx(100 * 2 / 5)
    assert image_runs.dice(truth, truth) == 100
    assert image_runs.dice(1 - truth, truth) == 0
    assert image_runs.dice(0 * truth, 0 * truth) == 100


def test_the_first_steps_follow_rate_and_scale():
    lab = Lab(QUICK, jax.random.key(0), colours(), remember())

    def second(**changes):
        start = {"depth": 8, "norm": True, "init": "relinear", "scale": 1.0, "rate": 0.1}
        return image_runs.first_losses(lab, image_runs.Start(**start | changes), 0)[1]

    assert len({second(), second(rate=0.2), second(scale=0.5)}) == 3


def test_averaging_takes_means_of_squares_and_cuts_margins():
    x = np.arange(2 * 28 * 28, dtype=np.float32).reshape(2, 28, 28, 1)
    assert image_runs.averaged(x, 16).shape == (2, 16, 16, 1)
    assert image_runs.averaged(x, 14)[0, 0, 1, 0] == x[0, :2, 2:4, 0].mean()
    np.testing.assert_array_equal(image_runs.averaged(x, 28), x)


def test_no_image_is_in_two_parts():
    lab = Lab(BUDGET, jax.random.key(0), squares(), remember())
    parts = image_runs.tile_parts(lab, 0)
    seen = [part[0].mean(axis=(1, 2, 3)) for part in parts]
    assert [len(part) for part in seen] == [21, 6, 13]
    assert len(set(np.concatenate(seen).tolist())) == 40
    lab = Lab(QUICK, jax.random.key(0), simulated_shapes(train=60, test=20), remember())
    sizes = [len(y) for _, y in image_runs.image_parts(lab, 0)]
    assert sizes == [32, 10, 20]


def test_blockwise_losses_are_those_of_the_network():
    data = colours()
    batch = (jax.numpy.asarray(data.x_train[:16]), jax.numpy.asarray(data.y_train[:16], "int32"))
    net = ResNet(quadratic, 8, width=4, classes=4, rngs=nnx.Rngs(0))
    start = image_runs.Start(8, True, "relinear", 1.0, 0.1)
    first, second = image_runs._steps(net, start, [batch, batch])
    assert first == pytest.approx(float(cross_entropy(net, batch)), rel=1e-4)
    assert second < first
