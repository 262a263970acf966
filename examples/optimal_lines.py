"""Eight straight lines for a curve: the certified optimum, and a lattice neuron trained to find it.

Approximates exp on [0, 1] and a sine's period by eight lines, with a proof of how good they are;
then trains lattices on samples, plainly and with the improvements, and prints how far from the
optimum they end. About ten seconds on two cores.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

import neurons as nr
import theory as th
from neurons.lattice import IMPROVED, PLAIN, fit_lattice_seeds

CURVES = {"exp": (np.exp, (0.0, 1.0)), "sin": (np.sin, (0.0, 2 * np.pi))}
SEGMENTS, SEEDS = 8, 5


def main(steps: int = 2000) -> dict[str, float]:
    """Train for `steps` steps plainly, a tenth with the improvements; return the latter's errors.

    Errors are those of the worst seed, in units of the certified optimum's.
    """
    worst = {}
    for name, (curve, domain) in CURVES.items():
        best = th.approximate(curve, domain, SEGMENTS)
        print(
            f"{name}: error {best.error:.6g}, no eight lines do better than {best.lower_bound:.6g}"
        )
        exact = nr.Lattice.from_pieces(*best.pieces)  # the optimum as a neuron, ready to use
        middle = jnp.full((1, 1), sum(domain) / 2)
        print(f"  at the middle: {float(exact(middle)[0, 0]):.4f}, curve {curve(middle)[0, 0]:.4f}")
        x = np.linspace(*domain, 2001)
        for way, recipe in (
            ("plain", replace(PLAIN, steps=steps)),
            ("improved", replace(IMPROVED, steps=max(1, steps // 10))),
        ):
            keys = jax.random.split(jax.random.key(0), SEEDS)
            fits = fit_lattice_seeds(x, curve(x), SEGMENTS, keys=keys, recipe=recipe)
            size = np.sqrt(domain[1] - domain[0])  # from root mean square to L2
            errors = [size * fit.error / best.error for fit in fits]
            print(f"  {way:9}", " ".join(f"{error:8.4f}" for error in errors))
            worst[name] = max(errors)
    return worst


if __name__ == "__main__":
    main()
