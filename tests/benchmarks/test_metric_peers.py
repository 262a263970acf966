"""Metrics against scikit-learn, scikit-image, Quantus, captum, torch-cam and pytorch-grad-cam.

Where definitions agree, values agree to 1e-6. Where they do not, a test shows by how much, and why
ours is as it is:

- Ties. Quantus' rank accuracy and top-k take whichever tied pixel the sort puts first, and its
  pointing game counts a hit if any of the highest pixels hits: a constant map then scores 1. Ours
  are means over all ways to break the ties, so that a constant map scores what chance scores.
- Quantus' pointing game writes NaN into a boolean array for empty masks, where it becomes True.
- Quantus adds 1e-7 to all relevance before its Gini index: a map of zeros is "constant". Ours is
  NaN there, and agrees where the sum is large.
- Quantus' effective complexity counts relevance above 1e-5 in the map's own unit; ours in shares of
  its largest magnitude, so that the unit does not count.
- Quantus' infidelity replaces block after block in one image without restoring the last; the
  paper's, captum's and ours change the image anew each time.
- pytorch-grad-cam's percentile keeps what lies below it and may remove one pixel more than the
  fraction says; with fractions chosen to match, ROAD agrees.
"""

import numpy as np
import pytest
from sklearn import metrics as sk

from neurons.explain import metrics

pytestmark = [pytest.mark.peers, pytest.mark.usefixtures("unchecked")]
EXTRA = 'needs the peers extra: pip install "neuron-companion[peers]"'
SIDE = 11
rng = np.random.default_rng(0)
MAPS = rng.permuted(np.tile(np.arange(1, SIDE**2 + 1), (4, 1)), axis=1) / SIDE**2
MAPS = MAPS.reshape(4, SIDE, SIDE).astype(np.float32)
TIED = np.round(8 * MAPS) / 8
MASKS = rng.random(MAPS.shape) < 0.3


def one_by_one(find, *stacks):
    return [find(*(one.ravel() for one in images)) for images in zip(*stacks, strict=True)]


@pytest.mark.parametrize("maps", [MAPS, TIED], ids=["distinct", "tied"])
def test_areas_are_those_of_scikit_learn(maps):
    expected = one_by_one(sk.average_precision_score, MASKS, maps)
    np.testing.assert_allclose(metrics.pixel_ap(maps, MASKS), expected, atol=1e-6)
    expected = one_by_one(sk.roc_auc_score, MASKS, maps)
    np.testing.assert_allclose(metrics.auc(maps, MASKS), expected, atol=1e-6)
    pooled = [MASKS.ravel(), maps.ravel()]
    np.testing.assert_allclose(
        metrics.pixel_ap(maps, MASKS, pooled=True), sk.average_precision_score(*pooled), atol=1e-6
    )


def test_one_region_s_overlap_is_the_roc_curve_up_to_the_limit():
    masks = np.zeros_like(MASKS)
    masks[:, 3:8, 2:6] = True
    for maps in (MAPS, TIED):
        expected = []
        for mask, one in zip(masks, maps, strict=True):
            rate, overlap, _ = sk.roc_curve(mask.ravel(), one.ravel(), drop_intermediate=False)
            cut = np.append(rate[rate < 0.3], 0.3)
            heights = np.append(overlap[rate < 0.3], np.interp(0.3, rate, overlap))
            expected.append(np.trapezoid(heights, cut) / 0.3)
        np.testing.assert_allclose(metrics.aupro(maps, masks), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (metrics.iou, sk.jaccard_score),
        (metrics.f1, sk.f1_score),
        (metrics.precision, sk.precision_score),
        (metrics.recall, sk.recall_score),
        (metrics.miou, lambda true, found: sk.jaccard_score(true, found, average="macro")),
    ],
    ids=["iou", "f1", "precision", "recall", "miou"],
)
def test_scores_are_those_of_scikit_learn(ours, theirs):
    expected = one_by_one(theirs, MASKS, MAPS >= 0.6)
    np.testing.assert_allclose(ours(MAPS, MASKS, 0.6), expected, atol=1e-6)


def test_shapes_are_those_of_scikit_image():
    measure = pytest.importorskip("skimage.measure", reason=EXTRA)
    segmentation = pytest.importorskip("skimage.segmentation", reason=EXTRA)
    shapes = MAPS >= 0.5
    for mask, regions, euler, edge in zip(
        shapes,
        metrics.components(shapes),
        metrics.euler(shapes),
        metrics.boundary(shapes),
        strict=True,
    ):
        assert regions == measure.label(mask, connectivity=2).max()
        assert euler == measure.euler_number(mask, connectivity=2)
        inner = segmentation.find_boundaries(mask, connectivity=1, mode="inner")
        np.testing.assert_array_equal(edge, inner & mask)


# -- Quantus --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def quantus():
    return pytest.importorskip("quantus", reason=EXTRA)


def theirs(metric, **options):
    """A metric of Quantus on arrays as they are."""
    made = metric(disable_warnings=True, abs=False, normalise=False, **options)
    return lambda maps, masks: np.asarray(
        made.evaluate_batch(a_batch=maps[:, None].astype(float), s_batch=masks[:, None].copy()),
        dtype=float,
    ).ravel()


def test_localisation_is_quantus(quantus):
    pairs = {
        "RelevanceMassAccuracy": metrics.relevance_mass,
        "RelevanceRankAccuracy": metrics.relevance_rank,
        "PointingGame": metrics.pointing_game,
        "AUC": metrics.auc,
    }
    for name, ours in pairs.items():
        found = theirs(getattr(quantus, name))(MAPS, MASKS)
        np.testing.assert_allclose(ours(MAPS, MASKS), found, atol=1e-6, err_msg=name)
    found = theirs(quantus.TopKIntersection, k=17)(MAPS, MASKS)
    np.testing.assert_allclose(metrics.top_k_intersection(MAPS, MASKS, 17), found, atol=1e-6)


def test_concentration_is_quantus(quantus):
    signed = MAPS - 0.4
    magnitudes = np.abs(signed)
    entropy = _over_maps(quantus.Complexity, magnitudes)
    np.testing.assert_allclose(metrics.complexity(signed), entropy, atol=1e-6)
    gini = _over_maps(quantus.Sparseness, 1000 * magnitudes)
    np.testing.assert_allclose(metrics.sparseness(signed), gini, atol=1e-6)
    counted = _over_maps(quantus.EffectiveComplexity, magnitudes, eps=0.2 * 0.6)
    largest = magnitudes.max()
    ours = metrics.effective_complexity(signed[:1], threshold=0.2 * 0.6 / largest)
    assert ours[0] == counted[0]
    from quantus.functions.complexity_func import discrete_entropy

    expected = [discrete_entropy(one, one) for one in signed]
    np.testing.assert_allclose(metrics.histogram_entropy(signed), expected, atol=1e-6)


def _over_maps(metric, maps, **options):
    made = metric(disable_warnings=True, abs=False, normalise=False, **options)
    stack = maps[:, None].astype(float)
    return np.asarray(made.evaluate_batch(a_batch=stack, x_batch=stack), dtype=float)


def test_ranks_correlate_as_in_quantus(quantus):
    from quantus.functions.similarity_func import correlation_spearman

    flat = TIED.reshape(4, -1), MAPS.reshape(4, -1)
    expected = correlation_spearman(*flat, batched=True)
    np.testing.assert_allclose(metrics.spearman(*flat), expected, atol=1e-6)


def test_quantus_lets_a_constant_map_point_and_an_empty_mask_hit(quantus):
    constant, empty = np.ones_like(MAPS), np.zeros_like(MASKS)
    pointing = theirs(quantus.PointingGame)
    assert pointing(constant, MASKS).tolist() == [1, 1, 1, 1]
    np.testing.assert_allclose(metrics.pointing_game(constant, MASKS), MASKS.mean(axis=(1, 2)))
    assert pointing(MAPS, empty).tolist() == [1, 1, 1, 1]
    assert np.isnan(metrics.pointing_game(MAPS, empty)).all()


def test_quantus_breaks_ties_by_place(quantus):
    """On a constant map a rank accuracy depends on where the mask lies; ours does not."""
    masks = np.zeros_like(MASKS)
    masks[:, :2], masks[1:] = True, masks[:1, ::-1]
    masks[1:, -2:] = True
    masks[1:, :2] = False
    constant = np.ones_like(MAPS)
    found = theirs(quantus.RelevanceRankAccuracy)(constant, masks)
    assert np.ptp(found) > 0.5
    np.testing.assert_allclose(metrics.relevance_rank(constant, masks), 2 / SIDE)


# -- metrics that run a network -------------------------------------------------------------------


@pytest.fixture(scope="module")
def net(torch):
    """A small convolutional classifier with smooth units, in float64."""
    torch.manual_seed(0)
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(2, 4, 3, padding=1),
        torch.nn.Tanh(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(4, 3),
    )
    return layers.double().eval()


IMAGES = rng.normal(size=(4, SIDE, SIDE, 2))


def first(x):
    return np.moveaxis(x, -1, 1).copy()


def probability(torch, net):
    """The probability of class 1, channels last."""

    def score(x):
        with torch.no_grad():
            return net(torch.from_numpy(first(x))).softmax(dim=-1)[:, 1].numpy()

    return score


@pytest.fixture
def extractor(torch, net):
    """What torch-cam's metrics ask of an extractor, with our maps."""
    from contextlib import nullcontext

    class Extractor:
        model = net
        _hooks_off = staticmethod(nullcontext)

        def __call__(self, *_, **__):
            return [torch.from_numpy(MAPS.astype(np.float64))]

        def fuse_cams(self, cams):
            return cams[0]

    return Extractor()


def test_deletion_insertion_drop_and_increase_are_torch_cam_s(torch, net, extractor):
    peer = pytest.importorskip("torchcam.metrics", reason=EXTRA)
    score, x = probability(torch, net), torch.from_numpy(first(IMAGES))
    softmax = torch.nn.Softmax(dim=-1)
    curves = peer.DeletionInsertionMetric(extractor, softmax)
    curves.update(x, 1)
    expected = curves.summary()
    found = metrics.deletion(score, IMAGES, MAPS).mean()
    np.testing.assert_allclose(found, expected["deletion_auc"], atol=1e-6)
    found = metrics.insertion(score, IMAGES, MAPS).mean()
    np.testing.assert_allclose(found, expected["insertion_auc"], atol=1e-6)
    kept = peer.ClassificationMetric(extractor, softmax)
    kept.update(x, 1)
    expected = kept.summary()
    found = metrics.average_drop(score, IMAGES, MAPS).mean()
    np.testing.assert_allclose(found, expected["avg_drop"], atol=1e-6)
    found = metrics.increase_in_confidence(score, IMAGES, MAPS).mean()
    np.testing.assert_allclose(found, expected["conf_increase"], atol=1e-6)


@pytest.mark.filterwarnings("ignore:__array_wrap__")  # NumPy 2 on tensors, in the peer
def test_imputation_and_road_are_pytorch_grad_cam_s(torch, net, monkeypatch):
    peer = pytest.importorskip("pytorch_grad_cam.metrics.road", reason=EXTRA)
    x = torch.from_numpy(first(IMAGES))
    for share in (0.2, 0.9):
        holes = share >= MAPS
        found = metrics.impute(IMAGES, holes, noise=0.0)
        keep = torch.from_numpy(np.float32(~holes))
        fill = peer.NoisyLinearImputer(noise=0.0)
        expected = [fill(one.float(), mask).numpy() for one, mask in zip(x, keep, strict=True)]
        np.testing.assert_allclose(first(found), expected, atol=1e-6)

    class Silent(peer.NoisyLinearImputer):
        def __init__(self):
            super().__init__(noise=0.0)

    monkeypatch.setattr(peer, "NoisyLinearImputer", Silent)
    score = probability(torch, net)
    pixels = SIDE**2
    fractions = [(pixels - (pixels - 1) * tenth // 10) / pixels for tenth in range(1, 10)]
    ours = metrics.road(score, IMAGES, MAPS, fractions=fractions, noise=0.0)

    def target(logits):
        return logits.softmax(dim=-1)[1]

    inputs = x.float(), MAPS, [target] * 4, net.float()
    combined = peer.ROADCombined()(*inputs)
    arcc = pytest.importorskip("pytorch_grad_cam.metrics.arcc", reason=EXTRA)
    peer_arcc = arcc.ARCC(lambda input_tensor, targets: MAPS, road_percentiles=[20, 40])
    together = peer_arcc(*inputs)
    net.double()
    np.testing.assert_allclose(ours.combined, combined, atol=1e-6)
    found = metrics.arcc(
        score, lambda x: MAPS, IMAGES, fractions=[fractions[1], fractions[3]], noise=0.0
    )
    np.testing.assert_allclose(found, together, atol=1e-6)


@pytest.fixture(scope="module")
def captum():
    return pytest.importorskip("captum.metrics", reason=EXTRA)


@pytest.mark.parametrize("scaled", [False, True], ids=["plain", "scaled"])
def test_infidelity_is_captum_s(captum, torch, net, scaled):
    score = probability(torch, net)
    changed = []

    def listening(x):
        changed.append(x)
        return score(x)

    maps = rng.normal(size=IMAGES.shape)
    found = metrics.infidelity(listening, IMAGES, maps, samples=6, scaled=scaled)
    steps = [torch.from_numpy(first(IMAGES - x)) for x in changed[1:]]
    x = torch.from_numpy(first(IMAGES))

    def same_changes(inputs):
        # captum asks for all samples of an image in a row.
        each = torch.stack(steps, dim=1).flatten(0, 1)
        return each, inputs - each

    expected = captum.infidelity(
        lambda x: net(x).softmax(dim=-1)[:, 1],
        same_changes,
        x,
        torch.from_numpy(first(maps)),
        n_perturb_samples=6,
        normalize=scaled,
    )
    np.testing.assert_allclose(found, expected.detach().numpy(), atol=1e-6)


def test_max_sensitivity_is_captum_s(captum, torch, net):
    def gradient(x):
        with torch.enable_grad():
            x = x.detach().clone().requires_grad_()
            return torch.autograd.grad(net(x)[:, 1].sum(), x)[0]

    changed = []

    def explain(x):
        changed.append(x)
        return np.moveaxis(gradient(torch.from_numpy(first(x))).numpy(), 1, -1)

    found = metrics.max_sensitivity(explain, IMAGES, samples=5, radius=0.1)
    near = torch.stack([torch.from_numpy(first(x)) for x in changed[1:]], dim=1).flatten(0, 1)
    expected = captum.sensitivity_max(
        lambda inputs: (gradient(inputs[0]),),
        (torch.from_numpy(first(IMAGES)),),
        perturb_func=lambda inputs: (near,),
        n_perturb_samples=5,
    )
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-6)


# -- speed ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large():
    """Smooth maps and masks of 32 images of 128 x 128."""
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(1).normal(size=(2, 32, 128, 128))
    maps, levels = gaussian_filter(noise, (0, 0, 5, 5))
    return maps.astype(np.float32), levels > np.quantile(levels, 0.9)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(metrics.pixel_ap, sk.average_precision_score), (metrics.auc, sk.roc_auc_score)],
    ids=["average precision", "ROC area"],
)
def test_areas_take_no_longer_than_scikit_learn_s(ours, theirs, large, record, interleaved):
    maps, masks = large
    times = interleaved(
        lambda: ours(maps, masks), lambda: one_by_one(theirs, masks, maps), rounds=5
    )
    record(f"{ours.__name__}, 32 maps of 128 x 128", "scikit-learn, one by one", *times, bar=1.0)


@pytest.mark.filterwarnings("ignore:__array_wrap__")
def test_imputation_takes_no_longer_than_the_peer_s(torch, large, record, interleaved):
    peer = pytest.importorskip("pytorch_grad_cam.metrics.road", reason=EXTRA)
    maps, holes = (stack[:4] for stack in large)
    x = np.repeat(maps[..., None], 3, axis=-1)
    keep, inputs = torch.from_numpy(np.float32(~holes)), torch.from_numpy(first(x))
    fill = peer.NoisyLinearImputer()
    times = interleaved(
        lambda: metrics.impute(x, holes),
        lambda: [fill(one, mask) for one, mask in zip(inputs, keep, strict=True)],
        rounds=5,
    )
    record("ROAD imputation, 4 of 128 x 128, 10 %", "pytorch-grad-cam", *times, bar=1.0)
