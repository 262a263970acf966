"""Lattice neurons: max of mins of affine maps, exactly as knots and values, and their training."""

from neurons.lattice.fitting import IMPROVED as IMPROVED
from neurons.lattice.fitting import PLAIN as PLAIN
from neurons.lattice.fitting import LatticeFit as LatticeFit
from neurons.lattice.fitting import Recipe as Recipe
from neurons.lattice.fitting import fit_lattice as fit_lattice
from neurons.lattice.fitting import fit_lattice_seeds as fit_lattice_seeds
from neurons.lattice.layer import Lattice as Lattice
from neurons.lattice.layer import max_min as max_min
