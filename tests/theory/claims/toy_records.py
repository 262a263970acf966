"""Toy recordings that a network learns in two dozen steps: tones that differ between classes."""

import numpy as np

from neurons.data import SKF_6205, Recording, Records
from neurons.data.bearings import FAULTS

RATE, SAMPLES = 12_000.0, 60_000


def tones(kind: str) -> Records:
    """Four classes of different pitch and level, modulated at their fault frequency.

    "clear" stays the same over time; in "drift" each class turns into its neighbour after 4/9 of
    the record, so that only windows of the training stretch can be told.
    """
    generator = np.random.default_rng(7)
    time = np.arange(SAMPLES) / RATE
    recordings = []
    for label, fault in enumerate(FAULTS):
        number = np.full(SAMPLES, label)
        if kind == "drift":
            number[int(SAMPLES * 4 / 9) :] = (label + 1) % len(FAULTS)
        strikes = SKF_6205.frequencies(30.0).impacts(fault) if label else 0.0
        modulation = 1 + 0.9 * np.cos(2 * np.pi * strikes * time)
        tone = 1.5**number * np.sin(2 * np.pi * 300 * (number + 1) * time)
        signal = modulation * tone + 0.05 * generator.normal(size=SAMPLES)
        recordings.append(Recording(fault, signal, RATE, 30.0, fault, 1e-4 if label else 0.0))
    return Records(kind, tuple(recordings), SKF_6205, "toy tones", simulated=True)
