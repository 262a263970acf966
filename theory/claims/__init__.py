"""Executable claims: what the papers state, checked.

`claims("qttention")` gives the claims of one paper, `papers()` the papers that have any.
"""

import importlib
from collections.abc import Callable
from types import ModuleType

from theory.claims.claim import Budget as Budget
from theory.claims.claim import Claim as Claim
from theory.claims.claim import Control as Control
from theory.claims.claim import Finding as Finding
from theory.claims.claim import Lab as Lab
from theory.claims.claim import Row as Row
from theory.claims.claim import Verdict as Verdict
from theory.claims.claim import budgets as budgets
from theory.claims.claim import laptop as laptop
from theory.claims.claim import paper as paper
from theory.claims.claim import smoke as smoke
from theory.claims.side_by_side import Pieces as Pieces
from theory.claims.statistics import Comparison as Comparison
from theory.claims.statistics import greater as greater
from theory.claims.statistics import mean_effect as mean_effect
from theory.claims.statistics import paired as paired
from theory.claims.statistics import same as same

_PAPERS = (
    "qttention",
    "one_neuron_saved",
    "expressivity_trainability",
    "universal_approximation",
    "heterogeneous_theorem",
    "heterogeneous_autoencoder",
    "neuronseek",
    "neuronseek_theory",
    "task_based_neurons",
    "neuron_search",
    "pwla",
    "approximation_perspective",
    "cloud_rain",
    "shallow_cam",
    "cg_fusion_cam",
    "region_aware_cam",
    "knowledge_prior",
    "sample_centric",
    "reliability",
    "tri_path_dino",
    "s2m",
    "sal_cnn",
)


def papers() -> tuple[str, ...]:
    """Short names of the papers whose claims can be checked."""
    return _PAPERS


def pieces(paper: str) -> Callable[[Lab], Pieces] | None:
    """What can be computed side by side, ahead of a paper's claims; `None` where nothing is named.

    Returns:
        From a lab to functions. Each keeps, by `lab.recall`, partial results of its own (most
        often those of one seed), which the claims then recall.

    Raises:
        ValueError: for a paper without claims.
    """
    return getattr(_module(paper), "pieces", None)


def claims(paper: str) -> tuple[Claim, ...]:
    """The claims of one paper, in the order of its report.

    Raises:
        ValueError: for a paper without claims.
    """
    found: tuple[Claim, ...] = _module(paper).CLAIMS
    return found


def _module(paper: str) -> ModuleType:
    if paper not in _PAPERS:
        raise ValueError(f"claims exist for {', '.join(_PAPERS)}; got {paper!r}")
    return importlib.import_module(f"theory.claims.{paper}")
