"""`import neurons` stays light: scikit-learn and sympy wait until they are asked for."""

import subprocess
import sys

import pytest

import neurons as nr

LATE = """
import sys, neurons as nr
assert not {"sklearn", "sympy", "pysr", "pyoperon"} & set(sys.modules)
assert nr.NeuronSearch().terms == 4 and "sklearn" in sys.modules
"""


def test_estimators_are_loaded_when_asked_for():
    subprocess.run([sys.executable, "-W", "ignore", "-c", LATE], check=True)


def test_unknown_names_are_still_unknown():
    with pytest.raises(AttributeError, match="no attribute 'NeuronSeacrh'"):
        _ = nr.NeuronSeacrh
