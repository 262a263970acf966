"""Artificial neurons for JAX: any neuron in any layer.

`NeuronSearch`, `TaskBasedClassifier` and `TaskBasedRegressor`, of `neurons.estimators`, are loaded
when they are first asked for, since they need scikit-learn.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from neurons.catalogue import Catalogue as Catalogue
from neurons.catalogue import catalogue as catalogue
from neurons.convolution import Conv as Conv
from neurons.convolution import ConvTranspose as ConvTranspose
from neurons.cost import multiplications as multiplications
from neurons.cost import parameters as parameters
from neurons.edges import chebyshev as chebyshev
from neurons.edges import fourier as fourier
from neurons.edges import kan as kan
from neurons.edges import trigonometric as trigonometric
from neurons.heterogeneous import Mixed as Mixed
from neurons.kernel import complex_modulus as complex_modulus
from neurons.kernel import gaussian as gaussian
from neurons.kernel import glu as glu
from neurons.kernel import kervolution_l1 as kervolution_l1
from neurons.kernel import kervolution_l2 as kervolution_l2
from neurons.kernel import kervolution_polynomial as kervolution_polynomial
from neurons.kernel import kervolution_sigmoid as kervolution_sigmoid
from neurons.kernel import maxout as maxout
from neurons.kernel import product_unit as product_unit
from neurons.kernel import radial as radial
from neurons.kernel import rbf as rbf
from neurons.kernel import sine as sine
from neurons.kernel import swiglu as swiglu
from neurons.lattice import Lattice as Lattice
from neurons.lattice import LatticeFit as LatticeFit
from neurons.lattice import fit_lattice as fit_lattice
from neurons.layer import Dense as Dense
from neurons.layer import Layer as Layer
from neurons.neuron import Branch as Branch
from neurons.neuron import Neuron as Neuron
from neurons.polynomial import cp as cp
from neurons.polynomial import cross as cross
from neurons.polynomial import cross_v2 as cross_v2
from neurons.polynomial import dendrite as dendrite
from neurons.polynomial import neuronseek as neuronseek
from neurons.polynomial import pi_net_ccp as pi_net_ccp
from neurons.polynomial import pi_net_ncp as pi_net_ncp
from neurons.polynomial import pi_sigma as pi_sigma
from neurons.polynomial import polynomial as polynomial
from neurons.polynomial import ridge_polynomial as ridge_polynomial
from neurons.polynomial import sigma_pi as sigma_pi
from neurons.quadratic import bilinear as bilinear
from neurons.quadratic import compact as compact
from neurons.quadratic import conventional as conventional
from neurons.quadratic import dendritic as dendritic
from neurons.quadratic import factorisation_machine as factorisation_machine
from neurons.quadratic import low_rank as low_rank
from neurons.quadratic import positive as positive
from neurons.quadratic import power_only as power_only
from neurons.quadratic import product_only as product_only
from neurons.quadratic import qres as qres
from neurons.quadratic import quadralib as quadralib
from neurons.quadratic import quadralib_t1 as quadralib_t1
from neurons.quadratic import quadralib_t2 as quadralib_t2
from neurons.quadratic import quadralib_t3 as quadralib_t3
from neurons.quadratic import quadralib_t4 as quadralib_t4
from neurons.quadratic import quadralib_t12 as quadralib_t12
from neurons.quadratic import quadralib_t24 as quadralib_t24
from neurons.quadratic import quadratic as quadratic
from neurons.quadratic import symmetric as symmetric
from neurons.relinear import clip_weights as clip_weights
from neurons.relinear import freeze as freeze
from neurons.relinear import relinear as relinear
from neurons.relinear import shrink_weights as shrink_weights
from neurons.search import BackendUnavailable as BackendUnavailable
from neurons.search import Budget as Budget
from neurons.search import Checkpoint as Checkpoint
from neurons.search import SearchResult as SearchResult
from neurons.search import Space as Space
from neurons.search import interactions as interactions
from neurons.search import search as search
from neurons.spread import spread_over as spread_over
from neurons.task_based.expression import Expression as Expression
from neurons.task_based.operators import Operator as Operator
from neurons.training import Batches as Batches
from neurons.training import Fit as Fit
from neurons.training import cross_entropy as cross_entropy
from neurons.training import fit as fit
from neurons.training import fit_seeds as fit_seeds
from neurons.training import squared_error as squared_error

if TYPE_CHECKING:
    from neurons.estimators import HeterogeneousAutoencoder as HeterogeneousAutoencoder
    from neurons.estimators import NeuronSearch as NeuronSearch
    from neurons.estimators import TaskBasedClassifier as TaskBasedClassifier
    from neurons.estimators import TaskBasedRegressor as TaskBasedRegressor
else:
    _ESTIMATORS = (
        "HeterogeneousAutoencoder",
        "NeuronSearch",
        "TaskBasedClassifier",
        "TaskBasedRegressor",
    )

    def __getattr__(name: str) -> Any:
        """Estimators, whose scikit-learn takes a second to load."""
        if name in _ESTIMATORS:
            return getattr(import_module("neurons.estimators"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
