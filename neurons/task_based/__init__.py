"""From a formula to a neuron: text, sympy, JAX, and layers that weigh its terms."""

from neurons.task_based.expression import Expression as Expression
from neurons.task_based.function import JaxFunction as JaxFunction
from neurons.task_based.neuron import to_neuron as to_neuron
from neurons.task_based.operators import OPERATORS as OPERATORS
from neurons.task_based.operators import Operator as Operator
from neurons.task_based.operators import with_operators as with_operators
from neurons.task_based.parser import parse as parse
from neurons.task_based.symbolic import from_sympy as from_sympy
from neurons.task_based.symbolic import latex as latex
from neurons.task_based.symbolic import to_sympy as to_sympy
