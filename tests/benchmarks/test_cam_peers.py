"""The same raw maps as pytorch-grad-cam, torch-cam and captum give; where not, on purpose.

Deliberate differences, each tested as one:

- Grad-CAM++ has no epsilon in its denominator (pytorch-grad-cam: 1e-6, larger than the squares of
  small gradients). torch-cam 0.5.0 means to divide by another sum, and does not divide at all.
- Smooth Grad-CAM++ takes the mean gradient and the input's activations (torch-cam: the last noisy
  copy's, both).
- EigenCAM does not centre the activations (pytorch-grad-cam does: an option), and fixes the sign.
- Score-CAM enlarges masks between pixel centres (pytorch-grad-cam: between corners).
- Ablation-CAM divides by the score's size, so that a negative score does not turn the map over.
- A zero map stays zero, and no epsilon is added in normalisation.
- Integrated gradients' trapezoid weights sum to 1 (captum's to (n - 1) / n).
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurons.explain import INPUT_METHODS, METHODS, cam, finish, refine_cam, split
from neurons.explain.maps import plus_plus_weights, weighted
from neurons.explain.smoothing import noise_scales, with_noise
from neurons.explain.splitting import activations_and_gradients

pytestmark = [
    pytest.mark.peers,
    pytest.mark.usefixtures("standard_promotion"),
    pytest.mark.filterwarnings("ignore"),
]
TARGET = [2, 0, 3]
EXTRA = "needs grad-cam, torchcam and captum beside torchvision"
TOLERANCE = 1e-5
both_stages = pytest.mark.parametrize("stage", ["shallow", "deep"])


@pytest.fixture(scope="module")
def cam_twins(torch):
    import cam_twins

    return cam_twins


@pytest.fixture(scope="module")
def pair(cam_twins):
    return cam_twins.twins()


@pytest.fixture(scope="module")
def x(cam_twins):
    return cam_twins.pictures()


@pytest.fixture(scope="module")
def gradcam():
    return pytest.importorskip("pytorch_grad_cam", reason=EXTRA)


@pytest.fixture(scope="module")
def torchcam():
    return pytest.importorskip("torchcam.methods", reason=EXTRA)


@pytest.fixture(scope="module")
def captum():
    return pytest.importorskip("captum.attr", reason=EXTRA)


def raw_of_gradcam(gradcam, name, net, stage, x):
    """pytorch-grad-cam's map before ReLU, normalisation and resize."""
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    kept = []
    with getattr(gradcam, name)(net, [getattr(net, stage)]) as other:
        make = other.get_cam_image
        other.get_cam_image = lambda *args: kept.append(make(*args)) or kept[-1]
        other(x, [ClassifierOutputTarget(c) for c in TARGET])
    return kept[0]


def raw_of_torchcam(torchcam, name, net, stage, x, **options):
    with getattr(torchcam, name)(net, stage, input_shape=x.shape[1:], **options) as other:
        scores = net(x)
        return other(TARGET, scores, normalized=False)[0]


def ours(name, net, stage, x, **options):
    found = METHODS[name](*split(net, stage), x, np.array(TARGET), **options)
    return np.asarray(found)


def test_logits_are_the_same(pair, x, cam_twins):
    features, head = split(pair[0])
    assert cam_twins.distance(head(features(x[0])), pair[1](x[1])) < TOLERANCE


# -- pytorch-grad-cam ---------------------------------------------------------------------------


@both_stages
@pytest.mark.parametrize(
    ("name", "other", "options"),
    [
        ("grad_cam", "GradCAM", {}),
        ("grad_cam_pp", "GradCAMPlusPlus", {"eps": 1e-6}),
        ("xgrad_cam", "XGradCAM", {}),
        ("hires_cam", "HiResCAM", {}),
        ("layer_cam", "LayerCAM", {}),
        ("elementwise_cam", "GradCAMElementWise", {}),
        ("ablation_cam", "AblationCAM", {"relative_to": "score"}),
    ],
)
def test_maps_equal_pytorch_grad_cam(name, other, options, stage, pair, x, gradcam, cam_twins):
    theirs = raw_of_gradcam(gradcam, other, pair[1], stage, x[1])
    assert cam_twins.distance(ours(name, pair[0], stage, x[0], **options), theirs) < TOLERANCE


@both_stages
@pytest.mark.parametrize(
    ("name", "other"), [("eigen_cam", "EigenCAM"), ("eigen_grad_cam", "EigenGradCAM")]
)
def test_eigen_maps_equal_pytorch_grad_cam_but_for_the_sign(
    name, other, stage, pair, x, gradcam, cam_twins
):
    theirs = raw_of_gradcam(gradcam, other, pair[1], stage, x[1])
    found = ours(name, pair[0], stage, x[0], centred=True)
    sign = np.sign((found * theirs).sum(axis=(1, 2), keepdims=True))
    assert cam_twins.distance(found, sign * theirs) < TOLERANCE
    uncentred = ours(name, pair[0], stage, x[0])  # the paper's, and our default
    assert cam_twins.distance(uncentred, sign * theirs) > 0.01


def test_score_cam_equals_pytorch_grad_cam_where_nothing_is_enlarged(pair, x, gradcam, cam_twins):
    for stage, equal in (("shallow", True), ("deep", False)):
        theirs = raw_of_gradcam(gradcam, "ScoreCAM", pair[1], stage, x[1])
        found = cam_twins.distance(ours("score_cam", pair[0], stage, x[0]), theirs)
        assert (found < TOLERANCE) == equal


def test_the_epsilon_of_grad_cam_pp_rules_small_gradients(pair, x, gradcam, cam_twins):
    theirs = raw_of_gradcam(gradcam, "GradCAMPlusPlus", pair[1], "shallow", x[1])
    without = ours("grad_cam_pp", pair[0], "shallow", x[0])
    assert cam_twins.distance(without, theirs) > TOLERANCE


def test_finished_maps_equal_pytorch_grad_cam(pair, x, gradcam):
    """cv2's interpolation in full precision, and an epsilon of 1e-7, lie between the two."""
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    with gradcam.LayerCAM(pair[1], [pair[1].deep]) as other:
        theirs = other(x[1], [ClassifierOutputTarget(c) for c in TARGET])
    found = cam(pair[0], x[0], np.array(TARGET), method="layer_cam")
    # They normalise once more behind the resize.
    np.testing.assert_allclose(finish(found), theirs, atol=1e-4)


def test_refine_cam_equals_pytorch_grad_cam(pair, x, gradcam):
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    layers = [pair[1].shallow, pair[1].deep]
    other = gradcam.RefineCAM(pair[1], layers) if hasattr(gradcam, "RefineCAM") else None
    if other is None:
        from pytorch_grad_cam.refine_cam import RefineCAM

        other = RefineCAM(pair[1], layers)
    theirs = other(x[1], [ClassifierOutputTarget(c) for c in TARGET])
    splits = [split(pair[0], stage) for stage in ("shallow", "deep")]
    maps = [METHODS["grad_cam_pp"](*halves, x[0], np.array(TARGET), eps=1e-6) for halves in splits]
    # Their layers' maps are normalised again behind the resize, ours once: the same where nothing
    # is enlarged, and so for the shallow one.
    again = [finish(finish(one, 16)) for one in maps]
    np.testing.assert_allclose(finish(again[0] * again[1]), theirs, atol=1e-4)
    once = refine_cam(splits, x[0], np.array(TARGET), eps=1e-6)
    np.testing.assert_allclose(finish(once), theirs, atol=0.1)


# -- torch-cam ----------------------------------------------------------------------------------


@both_stages
@pytest.mark.parametrize(
    ("name", "other", "options"),
    [
        ("grad_cam", "GradCAM", {}),
        ("xgrad_cam", "XGradCAM", {"eps": 1e-8}),
        ("layer_cam", "LayerCAM", {}),
    ],
)
def test_maps_equal_torch_cam(name, other, options, stage, pair, x, torchcam, cam_twins):
    theirs = raw_of_torchcam(torchcam, other, pair[1], stage, x[1])
    found = np.maximum(ours(name, pair[0], stage, x[0], **options), 0)
    assert cam_twins.distance(found, theirs) < TOLERANCE


def test_cam_equals_torch_cam(pair, x, torchcam, cam_twins, torch):
    with torchcam.CAM(pair[1], "deep", "out", input_shape=x[1].shape[1:]) as other:
        pair[1](x[1])
        theirs = other(TARGET, normalized=False)[0]
    found = ours("cam", pair[0], "deep", x[0])
    theirs = theirs.detach().numpy()
    if theirs.min() >= 0:
        found = np.maximum(found, 0)
    assert cam_twins.distance(found, theirs) < TOLERANCE


@pytest.mark.parametrize("stage", ["shallow", "deep"])
def test_score_cam_equals_torch_cam(stage, pair, x, torchcam, cam_twins):
    theirs = raw_of_torchcam(torchcam, "ScoreCAM", pair[1], stage, x[1])
    found = ours("score_cam", pair[0], stage, x[0], order="normalise_first")
    assert cam_twins.distance(np.maximum(found, 0), theirs) < TOLERANCE


def test_torch_cam_leaves_out_the_division_of_grad_cam_pp(pair, x, torchcam, cam_twins):
    """Version 0.5.0 divides a copy of alpha: its weights are `sum_j G_j^2 relu(G_j)`."""
    theirs = raw_of_torchcam(torchcam, "GradCAMpp", pair[1], "shallow", x[1])
    a, g = activations_and_gradients(*split(pair[0], "shallow"), x[0], np.array(TARGET))
    undivided = jnp.maximum(weighted((g**2 * jax.nn.relu(g)).sum(axis=(1, 2)), a), 0)
    assert cam_twins.distance(undivided, theirs) < TOLERANCE
    for denominator in ("paper", "torch_cam"):
        found = ours("grad_cam_pp", pair[0], "shallow", x[0], denominator=denominator)
        assert cam_twins.distance(np.maximum(found, 0), theirs) > TOLERANCE


def test_smooth_grad_cam_pp_beside_torch_cam(pair, x, torchcam, cam_twins, torch, monkeypatch):
    """Its G and its map's activations are the last noisy copy's; ours the mean and the input's."""
    key, samples, eps = jax.random.key(3), 3, 1e-8
    scales = noise_scales(x[0], 0.3, relative=False)
    noisy = [with_noise(x[0], scales, one) for one in jax.random.split(key, samples)]
    feed = (torch.from_numpy(np.moveaxis(np.array(n - x[0]), -1, 1).copy()) for n in noisy)
    normal = torch.distributions.normal.Normal
    monkeypatch.setattr(normal, "sample", lambda self, *shape: next(feed))
    options = {"num_samples": samples}
    theirs = raw_of_torchcam(torchcam, "SmoothGradCAMpp", pair[1], "shallow", x[1], **options)

    halves = split(pair[0], "shallow")
    seen = [activations_and_gradients(*halves, one, np.array(TARGET)) for one in noisy]
    a, g = halves.features(x[0]), jnp.stack([g for _, g in seen])
    means = (g**2).mean(axis=0), (g**3).mean(axis=0)
    options = {"denominator": "torch_cam", "eps": eps}
    last = weighted(plus_plus_weights(a, g[-1], *means, **options), seen[-1][0])
    assert cam_twins.distance(jnp.maximum(last, 0), theirs) < 5 * TOLERANCE  # cubes cancel
    mean = weighted(plus_plus_weights(a, g.mean(axis=0), *means, **options), a)
    found = ours("smooth_grad_cam_pp", pair[0], "shallow", x[0], key=key, samples=samples, eps=eps)
    assert cam_twins.distance(found, np.asarray(mean)) < TOLERANCE
    assert cam_twins.distance(np.maximum(found, 0), theirs) > 0.01


# -- captum -------------------------------------------------------------------------------------


@both_stages
def test_grad_cam_equals_captum(stage, pair, x, captum, cam_twins):
    other = captum.LayerGradCam(pair[1], getattr(pair[1], stage))
    theirs = other.attribute(x[1], target=TARGET)[:, 0]
    assert cam_twins.distance(ours("grad_cam", pair[0], stage, x[0]), theirs) < TOLERANCE


def attribution(name, net, x, **options):
    found = INPUT_METHODS[name](*split(net), x, np.array(TARGET), channels="none", **options)
    return np.moveaxis(np.asarray(found), -1, 1)


@pytest.mark.parametrize(
    ("name", "other", "more"),
    [
        ("saliency", "Saliency", {"abs": False}),
        ("guided_backprop", "GuidedBackprop", {}),
        ("deconvnet", "Deconvolution", {}),
    ],
)
def test_attributions_equal_captum(name, other, more, pair, x, captum, cam_twins):
    theirs = getattr(captum, other)(pair[1]).attribute(x[1], target=TARGET, **more)
    assert cam_twins.distance(attribution(name, pair[0], x[0]), theirs) < TOLERANCE


@pytest.mark.parametrize(
    ("rule", "method"),
    [
        ("gauss_legendre", "gausslegendre"),
        ("left", "riemann_left"),
        ("right", "riemann_right"),
        ("middle", "riemann_middle"),
    ],
)
def test_integrated_gradients_equal_captum(rule, method, pair, x, captum, cam_twins, torch):
    base = 0.1 * x[1].flip(0)
    theirs = captum.IntegratedGradients(pair[1]).attribute(
        x[1], base, target=TARGET, n_steps=20, method=method
    )
    start = jnp.asarray(np.moveaxis(base.numpy(), 1, -1))
    found = attribution("integrated_gradients", pair[0], x[0], baseline=start, steps=20, rule=rule)
    assert cam_twins.distance(found, theirs.to(torch.float32)) < TOLERANCE


def test_the_trapezoid_of_captum_loses_a_step(pair, x, captum, cam_twins, torch):
    theirs = captum.IntegratedGradients(pair[1]).attribute(
        x[1], target=TARGET, n_steps=20, method="riemann_trapezoid"
    )
    found = attribution("integrated_gradients", pair[0], x[0], steps=20, rule="trapezoid")
    assert cam_twins.distance(found * 19 / 20, theirs.to(torch.float32)) < TOLERANCE


@pytest.mark.parametrize(
    ("kind", "other"),
    [("mean", "smoothgrad"), ("square", "smoothgrad_sq"), ("variance", "vargrad")],
)
def test_smooth_grad_equals_captum_on_the_same_noise(
    kind, other, pair, x, captum, cam_twins, torch, monkeypatch
):
    key, samples = jax.random.key(5), 4
    scales = noise_scales(x[0], 0.5, relative=False)
    noise = np.stack(
        [with_noise(x[0], scales, one) - x[0] for one in jax.random.split(key, samples)], axis=1
    )  # (batch, samples, ...): captum keeps a sample's copies together
    noise = np.moveaxis(noise.reshape(-1, *noise.shape[2:]), -1, 1)
    monkeypatch.setattr(torch, "normal", lambda *args, **more: torch.from_numpy(noise.copy()))
    tunnel = captum.NoiseTunnel(captum.Saliency(pair[1]))
    theirs = tunnel.attribute(
        x[1], nt_type=other, nt_samples=samples, stdevs=0.5, target=TARGET, abs=False
    )
    found = attribution(
        "smooth_grad", pair[0], x[0], key=key, samples=samples, std=0.5, relative=False, kind=kind
    )
    assert cam_twins.distance(found, theirs) < TOLERANCE


def test_guided_grad_cam_equals_captum_where_nothing_is_enlarged(pair, x, captum, cam_twins):
    theirs = captum.GuidedGradCam(pair[1], pair[1].shallow).attribute(x[1], target=TARGET)
    found = INPUT_METHODS["guided_grad_cam"](
        *split(pair[0], "shallow"), x[0], np.array(TARGET), channels="none"
    )
    assert cam_twins.distance(np.moveaxis(np.asarray(found), -1, 1), theirs) < TOLERANCE


# -- speed --------------------------------------------------------------------------------------


def test_grad_cam_of_64_images_on_mobilenet_v2(torch, gradcam, interleaved, record, cam_twins):
    """The issue's bar: at least as many images a second as pytorch-grad-cam."""
    models = pytest.importorskip("torchvision.models", reason=EXTRA)
    from flax import nnx
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    from neurons.backbones.defect import mobilenet_v2

    random = np.random.default_rng(0)
    images = random.normal(size=(64, 224, 224, 3)).astype(np.float32)
    channels_first = torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, -1, 1)))
    labels = random.integers(0, 1000, 64)
    targets = [ClassifierOutputTarget(int(label)) for label in labels]
    theirs = _calibrated(torch, models.mobilenet_v2(weights=None), channels_first[:4])
    weights = {name: value.numpy() for name, value in theirs.state_dict().items()}
    mine = split(mobilenet_v2(weights=weights, rngs=nnx.Rngs(0)))
    other = gradcam.GradCAM(theirs, [theirs.features[-1]])
    kept = {}

    def call_theirs():
        kept["theirs"] = other(channels_first, targets)

    def call_ours():
        kept["ours"] = np.asarray(cam(mine, images, labels))

    def forward_alone():
        with torch.no_grad():
            theirs(channels_first)

    what = "Grad-CAM, 64 images, MobileNetV2"
    mine_s, theirs_s, forward_s = interleaved(call_ours, call_theirs, forward_alone, rounds=2)
    np.testing.assert_allclose(finish(jnp.asarray(kept["ours"])), kept["theirs"], atol=2e-3)
    record(what, "pytorch-grad-cam", mine_s, theirs_s, bar=1.0)
    record(what, "torch's forward pass alone", mine_s, forward_s)


def _calibrated(torch, net, x):
    """Running statistics of these images, so that activations neither vanish nor explode."""
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        net.train()(x)
    return net.eval()
