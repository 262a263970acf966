"""All methods by name: of one layer, at the input, and of several layers."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from neurons.explain import (
    continuous,
    eigen,
    fusion,
    gradients,
    maps,
    perturbation,
    region_aware,
    smoothing,
    truncation,
)

METHODS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "cam": maps.cam,
        "grad_cam": maps.grad_cam,
        "grad_cam_pp": maps.grad_cam_pp,
        "xgrad_cam": maps.xgrad_cam,
        "hires_cam": maps.hires_cam,
        "layer_cam": maps.layer_cam,
        "elementwise_cam": maps.elementwise_cam,
        "eigen_cam": eigen.eigen_cam,
        "eigen_grad_cam": eigen.eigen_grad_cam,
        "score_cam": perturbation.score_cam,
        "ablation_cam": perturbation.ablation_cam,
        "smooth_grad_cam_pp": smoothing.smooth_grad_cam_pp,
        "truncated_cam": truncation.truncated_cam,
        "cg_cam": continuous.cg_cam,
        "region_aware_cam": region_aware.region_aware_cam,
    }
)
"""`method(features, head, x, target=None, **options)` -> raw maps `(batch, *spatial)`."""

INPUT_METHODS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "saliency": gradients.saliency,
        "guided_backprop": gradients.guided_backprop,
        "deconvnet": gradients.deconvnet,
        "fgbp": region_aware.fgbp,
        "guided_grad_cam": gradients.guided_grad_cam,
        "smooth_grad": gradients.smooth_grad,
        "integrated_gradients": gradients.integrated_gradients,
    }
)
"""The same signature; maps at the input's resolution, one for every leaf of the input."""

SEVERAL: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "refine_cam": smoothing.refine_cam,
        "fusion_cam": fusion.fusion_cam,
        "region_fusion_cam": region_aware.region_fusion_cam,
    }
)
"""`method(splits, x, target=None, **options)` -> one map of several layers `(batch, *spatial)`."""

# They compile their steps themselves: a convolution in a scan is slow on CPU.
STEPPED = frozenset(
    {"score_cam", "ablation_cam", "smooth_grad_cam_pp", "smooth_grad", "integrated_gradients"}
)
