"""Exact affine regions of fully connected networks with piecewise-linear activations.

A ReLU network is affine on each of finitely many polytopes. `from_layers`, `from_modules` and
`from_sklearn` make the network, `regions` finds all of its regions in a box or on all of R^d,
`boundary` every facet of its decision boundary, `label_cells` the cells with one label each;
`linearised` brings smooth activations along, `quadratic_form` layers of quadratic neurons. Nothing
is sampled: all numbers are exact but for rounding in float64.
"""

from theory.regions.activation import Activation as Activation
from theory.regions.boundary import Boundary as Boundary
from theory.regions.boundary import Facet as Facet
from theory.regions.boundary import Nearest as Nearest
from theory.regions.boundary import boundary as boundary
from theory.regions.counts import generic_count as generic_count
from theory.regions.counts import most_at_least as most_at_least
from theory.regions.counts import most_at_most as most_at_most
from theory.regions.decision import Margins as Margins
from theory.regions.decision import labels as labels
from theory.regions.decision import margins as margins
from theory.regions.labelling import LabelCells as LabelCells
from theory.regions.labelling import label_cells as label_cells
from theory.regions.network import PiecewiseAffine as PiecewiseAffine
from theory.regions.network import from_layers as from_layers
from theory.regions.partition import Region as Region
from theory.regions.partition import Regions as Regions
from theory.regions.partition import regions as regions
from theory.regions.polytope import Polytope as Polytope
from theory.regions.quadratic import QuadraticForm as QuadraticForm
from theory.regions.quadratic import quadratic_form as quadratic_form
from theory.regions.readers import from_modules as from_modules
from theory.regions.readers import from_sklearn as from_sklearn
from theory.regions.smooth import Linearised as Linearised
from theory.regions.smooth import error_bound as error_bound
from theory.regions.smooth import linearised as linearised
