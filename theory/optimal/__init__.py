"""Optimal piecewise-linear approximation of functions of one variable, with certificates."""

from theory.optimal.approximation import approximate as approximate
from theory.optimal.approximation import choose_segments as choose_segments
from theory.optimal.approximation import fewest_segments as fewest_segments
from theory.optimal.imamoto_tang import ImamotoTang as ImamotoTang
from theory.optimal.laws import density_knots as density_knots
from theory.optimal.laws import limit_constant as limit_constant
from theory.optimal.resolution import resolve as resolve
from theory.optimal.result import Approximation as Approximation
from theory.optimal.result import Fewest as Fewest
from theory.optimal.series_solvers import DynamicProgramming as DynamicProgramming
from theory.optimal.series_solvers import FreeKnots as FreeKnots
from theory.optimal.series_solvers import FunctionalPruning as FunctionalPruning
from theory.optimal.solvers import Automatic as Automatic
from theory.optimal.solvers import BranchAndBound as BranchAndBound
from theory.optimal.solvers import Descent as Descent
from theory.optimal.solvers import Levelling as Levelling
from theory.optimal.solvers import Lloyd as Lloyd
from theory.optimal.solvers import Newton as Newton
from theory.optimal.solvers import Tunnel as Tunnel
from theory.optimal.target import Target as Target
