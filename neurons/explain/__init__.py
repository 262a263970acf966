"""Explanations of trained models; they know `features`, `head` and `layer_inputs`, no backbone."""

from neurons.explain.qttention import factorise as factorise
from neurons.explain.qttention import qttention_map as qttention_map
from neurons.explain.qttention import qttention_maps as qttention_maps
