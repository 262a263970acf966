"""Artificial neurons for JAX: any neuron in any layer."""

from neurons.convolution import Conv as Conv
from neurons.convolution import ConvTranspose as ConvTranspose
from neurons.layer import Branch as Branch
from neurons.layer import Dense as Dense
from neurons.layer import Layer as Layer
from neurons.layer import Neuron as Neuron
from neurons.quadratic import compact as compact
from neurons.quadratic import conventional as conventional
from neurons.quadratic import power_only as power_only
from neurons.quadratic import product_only as product_only
from neurons.quadratic import qres as qres
from neurons.quadratic import quadralib as quadralib
from neurons.quadratic import quadralib_t1 as quadralib_t1
from neurons.quadratic import quadralib_t2 as quadralib_t2
from neurons.quadratic import quadralib_t3 as quadralib_t3
from neurons.quadratic import quadralib_t4 as quadralib_t4
from neurons.quadratic import quadratic as quadratic
from neurons.relinear import clip_weights as clip_weights
from neurons.relinear import freeze as freeze
from neurons.relinear import relinear as relinear
from neurons.relinear import shrink_weights as shrink_weights
from neurons.training import Batches as Batches
from neurons.training import Fit as Fit
from neurons.training import cross_entropy as cross_entropy
from neurons.training import fit as fit
from neurons.training import fit_seeds as fit_seeds
