"""Let another engine do the searching: PySR, or what is there instead.

Other engines look for one function of one variable, the curve that our search reads off the data,
whatever the number of inputs. They come with `pip install "neuron-companion[pysr]"` and
`"neuron-companion[operon]"`; PySR also needs Julia, which it downloads.
"""

import numpy as np

import neurons as nr
from neurons.search import Operon, Pysr


def main(steps: int = 40) -> tuple[str, float]:
    """Search with the first engine that is there, for so many steps; return it and R^2."""
    random = np.random.default_rng(0)
    x = random.uniform(-2, 2, (1000, 20))
    y = (x * np.cos(1.5 * x)).sum(axis=1) + random.normal(0, 0.1, 1000)
    space = nr.Space(powers=(1, 2, 3), functions=("sin", "cos"))
    engines = {
        "pysr": Pysr(iterations=steps),
        "operon": Operon(population=500, generations=steps),
        "auto": "auto",  # our own, which needs no other package
    }
    for name, engine in engines.items():
        try:
            found = nr.search(x, y, space, engine=engine, key=0)
        except nr.BackendUnavailable as missing:
            print(missing)
            continue
        print(f"{name} took {found.seconds:.1f} s, {found.status}\n{found}\nbest: {found.best}")
        return name, found.best.r2
    raise RuntimeError("not reached: our own engine is always there")


if __name__ == "__main__":
    main()
