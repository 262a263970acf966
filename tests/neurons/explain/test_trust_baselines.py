"""Baselines against their formulas, and the ranking that most of them share."""

import cam_nets
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import mahalanobis

from neurons.explain import Split
from neurons.explain import trust_baselines as baselines

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(50, 2)) * 3
P = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
NORMAL = LOGITS[:, 1] < LOGITS[:, 0]
FEATURES = RANDOM.normal(size=(40, 3)) @ RANDOM.normal(size=(3, 3))
LABELS = np.arange(40) % 2


def test_formulas():
    np.testing.assert_allclose(baselines.confidence(LOGITS), 1 - P.max(axis=1))
    np.testing.assert_allclose(baselines.margin(LOGITS), -np.abs(LOGITS[:, 1] - LOGITS[:, 0]))
    np.testing.assert_allclose(baselines.entropy(LOGITS), stats.entropy(P, axis=1))
    expected = -2 * np.log(np.exp(LOGITS / 2).sum(axis=1))
    np.testing.assert_allclose(baselines.energy(LOGITS, 2.0), expected)
    np.testing.assert_allclose(baselines.decision_threshold(LOGITS), LOGITS[:, 1] - LOGITS[:, 0])


@pytest.mark.parametrize("name", ["confidence", "margin", "entropy"])
def test_of_two_classes_they_rank_as_the_decision_threshold_does(name):
    score, other = baselines.OF_LOGITS[name], baselines.decision_threshold
    assert (score(LOGITS)[NORMAL].argsort() == other(LOGITS)[NORMAL].argsort()).all()
    if name != "margin":
        assert (score(LOGITS, 7.0)[NORMAL].argsort() == other(LOGITS)[NORMAL].argsort()).all()


def test_sure_answers_are_told_apart():
    sure = np.array([[40.0, -40.0], [50.0, -50.0]])  # 1 - p rounds to 0
    for score in (baselines.confidence, baselines.entropy):
        first, second = score(sure)
        assert first > second > 0


@pytest.mark.parametrize("name", baselines.OF_LOGITS)
def test_a_single_logit_is_two(name):
    z = LOGITS[:, 0]
    score = baselines.OF_LOGITS[name]
    expected = score(np.stack([-z, z], axis=1))
    np.testing.assert_array_equal(score(z), expected)
    np.testing.assert_array_equal(score(z[:, None]), expected)


def test_the_temperature_is_the_most_likely_one():
    labels = (RANDOM.random(50) < 1 / (1 + np.exp((LOGITS[:, 0] - LOGITS[:, 1]) / 3))).astype(int)
    found = baselines.fitted_temperature(LOGITS, labels)

    def loss(temperature):
        log_p = LOGITS / temperature
        log_p = log_p - np.log(np.exp(log_p).sum(axis=1, keepdims=True))
        return -log_p[np.arange(50), labels].mean()

    grid = np.geomspace(0.02, 90, 500)
    assert loss(found) <= min(map(loss, grid)) + 1e-9
    assert baselines.fitted_temperature(LOGITS, LOGITS[:, 1] > LOGITS[:, 0]) < 0.0101
    assert baselines.fitted_temperature(LOGITS, LOGITS[:, 1] < LOGITS[:, 0]) > 99


def test_dropout_is_that_of_channels_and_unbiased():
    x, key = jnp.abs(cam_nets.images(2, 4)) / 50, jax.random.key(0)
    net = Split(lambda x: x, lambda a: a.mean(axis=(1, 2)) @ jnp.array([1.0, -2.0]))
    found = baselines.mc_dropout(net, x, key, rate=0.25, passes=400)
    levels = np.asarray(x.mean(axis=(1, 2)) / 0.75)
    possible = [[0.0, a, -2 * b, a - 2 * b] for a, b in levels]
    for image in (0, 1):
        z = np.log(found[:, image] / (1 - found[:, image])) / 2  # p = sigmoid(2 z)
        gaps = np.abs(np.asarray(z)[:, None] - np.array(possible[image]))
        assert gaps.min(axis=1).max() < 1e-5
        assert len(set(gaps.argmin(axis=1).tolist())) == 4
        np.testing.assert_allclose(z.mean(), 0.75 * (possible[image][3]), rtol=0.3)
    again = baselines.mc_dropout(net, x, key, rate=0.25, passes=400)
    np.testing.assert_array_equal(found, again)


def test_disagreement():
    p = np.array([[0.2, 0.9], [0.6, 0.9]])
    np.testing.assert_allclose(baselines.disagreement(p), [0.04, 0], atol=1e-12)
    entropies = [stats.entropy([q, 1 - q]) for q in (0.4, 0.2, 0.6)]
    expected = entropies[0] - (entropies[1] + entropies[2]) / 2
    np.testing.assert_allclose(baselines.disagreement(p, "information"), [expected, 0], atol=1e-12)


def test_mahalanobis_is_that_of_scipy():
    fitted = baselines.Mahalanobis.fit(FEATURES, LABELS, shrinkage=0.0)
    means = np.stack([FEATURES[label == LABELS].mean(axis=0) for label in (0, 1)])
    inverse = np.linalg.inv(np.cov((FEATURES - means[LABELS]).T, bias=True))
    for row in FEATURES[:4]:
        expected = [mahalanobis(row, mean, inverse) ** 2 for mean in means]
        np.testing.assert_allclose(fitted.distances(row[None])[0], expected)
        np.testing.assert_allclose(fitted(row[None])[0], min(expected))


def test_features_that_never_vary_count_as_little_as_shrinkage_says():
    constant = np.concatenate([FEATURES, np.ones((40, 1))], axis=1)
    plain = baselines.Mahalanobis.fit(FEATURES, LABELS, shrinkage=0.0)(FEATURES)
    np.testing.assert_allclose(
        baselines.Mahalanobis.fit(constant, LABELS, shrinkage=0.0)(constant), plain
    )
    assert np.isfinite(baselines.Mahalanobis.fit(constant, LABELS)(constant)).all()


def test_the_trust_score_is_a_ratio_of_distances():
    found = baselines.trust_score(FEATURES, LABELS, FEATURES[:5] + 0.1, neighbours=3)
    for row, value in zip(FEATURES[:5] + 0.1, found, strict=True):
        far = [
            np.sort(np.linalg.norm(FEATURES[label == LABELS] - row, axis=1))[2] for label in (0, 1)
        ]
        assert value == pytest.approx(far[0] / far[1])
    on_it = baselines.trust_score(FEATURES, LABELS, FEATURES[1:2], neighbours=1)
    assert on_it[0] > 1e5 or np.isinf(on_it[0])  # a defective image itself


def test_penultimate_features_are_means_over_space():
    net, x = cam_nets.tiny(2), cam_nets.images()
    net.eval()
    expected = net.features(x).mean(axis=(1, 2))
    np.testing.assert_allclose(baselines.penultimate(net, x), expected, rtol=1e-5)


@pytest.mark.usefixtures("unchecked")
def test_refusals():
    fit, x = baselines.Mahalanobis.fit, cam_nets.images()
    for call, text in (
        (lambda: baselines.decision_threshold(np.ones((2, 3))), "two classes"),
        (lambda: baselines.confidence(np.ones((2, 3, 1))), "needs logits"),
        (lambda: baselines.fitted_temperature(LOGITS, LABELS), "a label per image"),
        (lambda: baselines.disagreement(np.ones((1, 3))), "two members"),
        (lambda: baselines.disagreement(np.ones((2, 3)), "range"), "variance"),
        (lambda: fit(FEATURES, np.zeros(40)), "both classes"),
        (lambda: fit(FEATURES, LABELS, shrinkage=2.0), "shrinkage"),
        (lambda: baselines.trust_score(FEATURES, LABELS, FEATURES, 0), "neighbours"),
        (lambda: baselines.mc_dropout(cam_nets.tiny(2), x, jax.random.key(0), rate=1.0), "rate"),
        (lambda: baselines.mc_dropout(cam_nets.tiny(2), x, jax.random.key(0), passes=0), "passes"),
    ):
        with pytest.raises(ValueError, match=text):
            call()
