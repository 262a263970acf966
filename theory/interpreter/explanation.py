"""Why a point is what it is: the exact affine map around it, and how far the boundary is."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from theory.interpreter.wording import terms
from theory.regions.polytope import Polytope


@dataclass(frozen=True)
class Explanation:
    """One affine function, exact on a polytope around the point.

    For a classification it is the margin, output of `label` minus output of `other`; for a
    regression the value.

    Args:
        point: `(in_features,)` what is explained.
        label: the class explained; None for a regression.
        other: the class it is held against; None for a regression.
        weights: `(in_features,)` w, in the user's units.
        bias: b; the function is w.x + b.
        polytope: where it is exact.
        scale: `(in_features,)` standard deviation by feature.
        features: names.
    """

    point: Float[np.ndarray, " in_features"]
    label: Any
    other: Any
    weights: Float[np.ndarray, " in_features"]
    bias: float
    polytope: Polytope
    scale: Float[np.ndarray, " in_features"]
    features: tuple[str, ...]

    @property
    def margin(self) -> float:
        """w.x + b: above zero where `label` wins; the value for a regression."""
        return float(self.weights @ self.point + self.bias)

    @property
    def effects(self) -> Float[np.ndarray, " in_features"]:
        """What one standard deviation of each feature changes."""
        return self.weights * self.scale

    @property
    def distance(self) -> float:
        """Signed distance to the hyperplane w.x + b = 0, in the user's units.

        Negative where `other` wins; infinite where nothing changes the margin. It is the distance
        to the boundary itself where :attr:`foot_inside`; else the boundary bends before.
        """
        return self._over(float(np.linalg.norm(self.weights)))

    @property
    def standard_distance(self) -> float:
        """The same in standard deviations: every feature is measured in its own."""
        return self._over(float(np.linalg.norm(self.effects)))

    def _over(self, length: float) -> float:
        return self.margin / length if length > 0 else float(np.copysign(np.inf, self.margin))

    @property
    def foot(self) -> Float[np.ndarray, " in_features"]:
        """The nearest point where w.x + b = 0; NaN where there is none."""
        square = float(self.weights @ self.weights)
        step = self.margin / square if square > 0 else np.nan
        return self.point - step * self.weights

    @property
    def foot_inside(self) -> bool:
        """Whether the foot lies in the polytope, so that the boundary really is there."""
        foot = self.foot
        return bool(np.isfinite(foot).all()) and self.polytope.contains(foot)

    def __str__(self) -> str:
        affine = f"{terms(self.weights, self.scale, self.features)} {self.bias:+.4g}"
        if self.label is None:
            return f"value {self.margin:.4g} = {affine}"
        return (
            f"{self.label} rather than {self.other}: {affine} = {self.margin:.4g}, "
            f"{self.standard_distance:.3g} standard deviations from the boundary"
        )
