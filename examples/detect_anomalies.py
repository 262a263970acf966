"""Which cells do not look like benign ones, and why? A detector that has seen benign cells only.

`python examples/detect_anomalies.py` takes about ten seconds on two cores. It prints how many of
the malignant cells lie above the threshold, and for the three most unusual of all cells the
features that make them so: value, what the detector expected, and share of the score.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score

from neurons.estimators import HeterogeneousAutoencoder


def main(steps: int = 1000) -> tuple[float, float]:
    """AUC of the detector, and the share of its score that three features of the worst row have."""
    cells = load_breast_cancer()
    benign = cells.target == 1
    part = np.where(benign, np.random.default_rng(0).choice(3, len(benign), p=(0.6, 0.2, 0.2)), 2)
    train, calibrate, others = (cells.data[part == number] for number in range(3))
    malignant = ~benign[part == 2]

    detector = HeterogeneousAutoencoder(steps=steps, contamination=0.05).fit(train)
    detector.calibrate(calibrate)  # training rows are known too well to set the threshold
    flagged, scores = detector.predict(others) == -1, detector.score_samples(others)
    auc = float(roc_auc_score(malignant, -scores))
    print(
        f"above the threshold: {flagged[malignant].mean():.0%} of the malignant cells, "
        f"{flagged[~malignant].mean():.0%} of the benign ones; area under the ROC curve {auc:.3f}"
    )

    worst = np.argsort(scores)[:3]
    reasons = detector.explain(others[worst], top=3, names=cells.feature_names)
    for place, of_row in zip(np.flatnonzero(part == 2)[worst], reasons, strict=True):
        print(f"row {place}:", *of_row, sep="\n    ")
    return auc, sum(reason.share for reason in reasons[0])


if __name__ == "__main__":
    main()
