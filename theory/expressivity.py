"""What networks of a kind of neuron can express: one door to the rooms that measure it.

Dimensions of functional varieties (`theory.varieties`, exact ranks in `theory.modular`), pieces of
networks of one variable (`theory.pieces`), networks made to order (`theory.splines`,
`theory.products`, `theory.sawtooth`, `theory.exact_layers`), what ridges and radial neurons leave
out (`theory.ridges`, `theory.separation`), and networks that express too much
(`theory.superexpressive`). Rates and norms are in `theory.barron`.
"""

from theory.exact_layers import product_neuron as product_neuron
from theory.exact_layers import square_norm_neuron as square_norm_neuron
from theory.exact_layers import xor_neuron as xor_neuron
from theory.modular import modular_rank as modular_rank
from theory.modular import polynomial_variety as polynomial_variety
from theory.pieces import Spline as Spline
from theory.pieces import count_pieces as count_pieces
from theory.pieces import pieces as pieces
from theory.pieces import pieces_bound as pieces_bound
from theory.products import ProductTree as ProductTree
from theory.products import product_tree as product_tree
from theory.ridges import catalecticant_rank as catalecticant_rank
from theory.ridges import ridge_share as ridge_share
from theory.sawtooth import sawtooth_product as sawtooth_product
from theory.sawtooth import sawtooth_square as sawtooth_square
from theory.separation import radial_r2 as radial_r2
from theory.splines import SplineNetwork as SplineNetwork
from theory.splines import spline_network as spline_network
from theory.superexpressive import shattering_frequency as shattering_frequency
from theory.superexpressive import shatters as shatters
from theory.varieties import PolynomialNetwork as PolynomialNetwork
from theory.varieties import Variety as Variety
from theory.varieties import ambient_dimension as ambient_dimension
from theory.varieties import parameter_count as parameter_count
from theory.varieties import variety_dimension as variety_dimension
from theory.varieties import variety_formula as variety_formula
