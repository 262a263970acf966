"""What can be checked of neurons: claims and their statistics, theorems as functions."""

from theory import barron as barron
from theory import expressivity as expressivity
from theory import groups as groups
from theory.claims import Budget as Budget
from theory.claims import Claim as Claim
from theory.claims import Verdict as Verdict
from theory.claims import budgets as budgets
from theory.claims import claims as claims
from theory.claims import laptop as laptop
from theory.claims import paper as paper
from theory.claims import papers as papers
from theory.claims import smoke as smoke
from theory.expressivity import count_pieces as count_pieces
from theory.expressivity import product_tree as product_tree
from theory.expressivity import spline_network as spline_network
from theory.expressivity import variety_dimension as variety_dimension
from theory.interpreter import Interpretation as Interpretation
from theory.interpreter import interpret as interpret
from theory.invariance import assert_invariant as assert_invariant
from theory.invariance import invariance_gap as invariance_gap
from theory.optimal import Approximation as Approximation
from theory.optimal import approximate as approximate
from theory.optimal import fewest_segments as fewest_segments
from theory.piecewise import PiecewiseLinear as PiecewiseLinear
