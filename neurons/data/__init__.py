"""Readers of public sets with checksums, and synthetic generators with units.

Numpy and scipy only. Nothing here falls back from real to simulated data by itself: the
caller asks with `available` and decides.
"""

from neurons.data.bearings import HC7003 as HC7003
from neurons.data.bearings import SKF_6205 as SKF_6205
from neurons.data.bearings import Bearing as Bearing
from neurons.data.bearings import FaultFrequencies as FaultFrequencies
from neurons.data.bearings import Recording as Recording
from neurons.data.bearings import Records as Records
from neurons.data.cwru import cwru as cwru
from neurons.data.cwru import read_mat as read_mat
from neurons.data.download import fetch as fetch
from neurons.data.images import Images as Images
from neurons.data.images import images as images
from neurons.data.magnetic_tile import Tiles as Tiles
from neurons.data.magnetic_tile import magnetic_tile as magnetic_tile
from neurons.data.polynomial_groups import PolynomialGroup as PolynomialGroup
from neurons.data.polynomial_groups import polynomial_groups as polynomial_groups
from neurons.data.registry import DataError as DataError
from neurons.data.registry import Entry as Entry
from neurons.data.registry import available as available
from neurons.data.registry import digest as digest
from neurons.data.registry import entries as entries
from neurons.data.registry import locate as locate
from neurons.data.registry import names as names
from neurons.data.registry import verify as verify
from neurons.data.sets import DataSet as DataSet
from neurons.data.sets import load as load
from neurons.data.sets import simulated as simulated
from neurons.data.simulated_images import simulated_shapes as simulated_shapes
from neurons.data.simulated_images import simulated_tiles as simulated_tiles
from neurons.data.simulated_tables import simulated_tables as simulated_tables
from neurons.data.simulator import simulate as simulate
from neurons.data.simulator import simulated_cwru as simulated_cwru
from neurons.data.simulator import simulated_hit as simulated_hit
from neurons.data.tables import Table as Table
from neurons.data.tables import Tables as Tables
from neurons.data.tabular import tabular as tabular
from neurons.data.windows import Protocol as Protocol
from neurons.data.windows import Split as Split
from neurons.data.windows import Splits as Splits
from neurons.data.windows import add_noise as add_noise
from neurons.data.windows import random_windows as random_windows
from neurons.data.windows import split as split
from neurons.data.windows import time_split as time_split
