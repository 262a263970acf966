"""What all tests share: checked annotations, strict promotion, and how hard hypothesis looks."""

import importlib.util
import os
import pkgutil

import hypothesis
import jax
import jaxtyping
import pytest

# Annotations are checked at run time, in every module that is imported after this line. The data
# readers are left out: they know no JAX, check their input themselves, and are tested for that.
ROOMS = importlib.util.find_spec("neurons").submodule_search_locations
HOOKED = [f"neurons.{m.name}" for m in pkgutil.iter_modules(ROOMS) if m.name != "data"]
jaxtyping.install_import_hook([*HOOKED, "theory"], "beartype.beartype")

# A silent promotion is a bug in our code: float64 constants, forgotten broadcasts.
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

# Values vary, shapes do not. The first example compiles: no deadline is fair to it.
hypothesis.settings.register_profile("dev", max_examples=20, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True)
hypothesis.settings.register_profile("nightly", max_examples=500, deadline=None)
hypothesis.settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
)


@pytest.fixture
def standard_promotion():
    """NumPy's promotion of dtypes, for code that runs through optax, which is not strict."""
    with jax.numpy_dtype_promotion("standard"):
        yield


@pytest.fixture
def unchecked():
    """What users get: annotations are no checks, so that our own errors come to light."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
