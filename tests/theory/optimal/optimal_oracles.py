"""Optimal errors known in closed form or to many digits.

Each entry: function, domain, {segments: error}. Digits of the non-convex ones are best-found
multi-start values, which our bounds certify to within their gap.
"""

import numpy as np

SINE, CUBE = (np.sin, (0.0, 2 * np.pi)), (lambda x: x**3, (-1.0, 1.0))
RUNGE = (lambda x: 1 / (1 + 25 * x**2), (-1.0, 1.0))
EXP, LOG = (np.exp, (0.0, 1.0)), (np.log, (1.0, 2.0))
SQRT, ARC = (np.sqrt, (0.0, 1.0)), (np.sin, (0.0, np.pi / 2))

CONVEX_L2 = {
    "exp": (*EXP, {1: 0.0627711950, 2: 0.0156376168, 3: 0.00694543360, 4: 0.00390589371,
                   8: 0.000976252970, 16: 0.000244049447}),
    "sqrt": (*SQRT, {1: 2**0.5 / 30, 2: 2**0.5 / 90, 3: 0.00782580948, 4: 0.00468063774,
                     8: 0.00129145224, 16: 0.000340327756, 32: 8.74349605e-5}),
    "arc": (*ARC, {1: 0.0786675484, 2: 0.0178906940, 3: 0.00771405858, 4: 0.00427498991,
                   8: 0.00104547912, 16: 0.000258549975}),
    "log": (*LOG, {2: 0.00442562749, 4: 0.00110925452, 16: 6.93842476e-5}),
}  # fmt: skip

MIXED_L2 = {
    "sine": (*SINE, {2: 0.930941051, 3: 0.182000260, 4: 0.143394014, 5: 0.071902245,
                     6: 0.058319805, 8: 0.032003860}),
    "cube": (*CUBE, {2: 0.1752549164, 3: 0.0423667368, 4: 0.0334442172, 5: 0.0174847244,
                     6: 0.0142279931, 8: 0.0079546399}),
    "runge": (*RUNGE, {2: 0.192901230, 3: 0.148085733, 4: 0.031892437, 5: 0.024997388,
                       6: 0.015603818, 8: 0.010390585}),
}  # fmt: skip

JUMPS_L2 = {
    "sine": (*SINE, {2: 0.771436040, 3: 0.182000260, 4: 0.143394014, 6: 0.058319805,
                     8: 0.032003860, 16: 0.00793732}),
    "cube": (*CUBE, {2: 0.1603567451, 3: 0.0423667368, 4: 0.0334442172, 8: 0.0079546399}),
    "runge": (*RUNGE, {3: 0.107496397}),
}  # fmt: skip

KNOTS_L2 = {
    "exp": (*EXP, {2: [0.549601], 3: [0.379499, 0.708941], 4: [0.289895, 0.549653, 0.784950]}),
    "sqrt": (*SQRT, {2: [0.25], 3: [0.104248690, 0.416994762],
                     4: [0.0547600, 0.2190401, 0.5252825]}),
    "arc": (*ARC, {2: [0.900142], 3: [0.662390, 1.136466], 4: [0.535113, 0.912308, 1.248914]}),
    "log": (*LOG, {2: [1.431359]}),
}  # fmt: skip


def each(table):
    """(name, function, domain, segments, value) of every entry."""
    return [
        (name, function, domain, segments, value)
        for name, (function, domain, values) in table.items()
        for segments, value in values.items()
    ]
