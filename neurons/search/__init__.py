"""The neuron search: one formula f with `y = c + sum_i f(x_i)`, from compressed data."""

from neurons.search.backend import Backend as Backend
from neurons.search.backend import BackendUnavailable as BackendUnavailable
from neurons.search.checkpoint import Checkpoint as Checkpoint
from neurons.search.frame import Frame as Frame
from neurons.search.frame import frame_of as frame_of
from neurons.search.genetic import Evolution as Evolution
from neurons.search.hard_concrete import NsTd as NsTd
from neurons.search.hard_concrete import search_by_gates as search_by_gates
from neurons.search.interactions import Interactions as Interactions
from neurons.search.interactions import interactions as interactions
from neurons.search.moments import Triangle as Triangle
from neurons.search.moments import compress as compress
from neurons.search.moments import stream as stream
from neurons.search.operon import Operon as Operon
from neurons.search.pysr import Pysr as Pysr
from neurons.search.reduced import Curve as Curve
from neurons.search.reduced import curve as curve
from neurons.search.result import Found as Found
from neurons.search.result import LackOfFit as LackOfFit
from neurons.search.result import SearchResult as SearchResult
from neurons.search.search import Budget as Budget
from neurons.search.search import Progress as Progress
from neurons.search.search import search as search
from neurons.search.space import Space as Space
from neurons.search.tnsr import Tnsr as Tnsr
