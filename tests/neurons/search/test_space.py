import pickle

import jax.numpy as jnp
import pytest

from neurons.search import Space
from neurons.search.skeletons import basic, rich, simple
from neurons.task_based import Operator

SINE_OF_SINE = ("x", 1.0, "*", "sin", 1.0, "*", "sin")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"powers": (0, 1)}, "powers are whole numbers"),
        ({"functions": ("sine",)}, "unknown function 'sine'"),
        ({"terms": 0}, "at least 1"),
        ({"max_complexity": 0}, "at least 1"),
        ({"powers": (), "functions": ()}, "needs powers or functions"),
        ({"nested": {"sin": {"sine": 0}}}, "unknown operator 'sine'"),
        ({"constraints": {"sine": 3}}, "unknown operator 'sine'"),
        ({"complexity": {"sine": 3}}, "unknown operator 'sine'"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Space(**options)


def test_custom_operators_take_one_argument():
    with pytest.raises(ValueError, match="take one argument"):
        Space(operators=(Operator("hypot", 2, jnp.hypot),))


def test_nested_constraints_count_inside_only():
    space = Space(nested={"sin": {"sin": 0, "exp": 1}})
    assert not space.allows(SINE_OF_SINE)
    assert space.allows(("x", "exp", "sin"))
    assert not space.allows(("x", "exp", "exp", "sin"))
    assert space.allows(("x", "sin", "x", "sin", "*"))


def test_constraints_bound_the_argument():
    space = Space(constraints={"exp": 3})
    assert space.allows(("x", 1.0, "*", "exp"))
    assert not space.allows(("x", 2, "**", 1.0, "*", "exp"))
    quotients = Space(constraints={"/": 3})
    assert quotients.allows((1, "x", 1.0, "+", "/"))
    assert not quotients.allows((1, "x", 2, "**", 1.0, "+", "/"))


def test_all_that_is_proposed_is_allowed():
    space = Space(
        functions=("sin", "exp"),
        nested={"sin": {"sin": 0}},
        constraints={"exp": 5},
        products=False,
        max_complexity=14,
    )
    proposed = [*basic(space), *simple(space), *rich(space)]
    assert len(proposed) > 10
    for skeleton in proposed:
        assert space.allows(skeleton.term)
        assert space.size(skeleton.term) + 4 <= 14
        assert len(skeleton.roles) == sum(isinstance(token, float) for token in skeleton.term)
    assert not any(skeleton.term.count("sin") > 1 for skeleton in proposed)


def test_complexities_count():
    space = Space(complexity={"sin": 5, "constant": 2})
    assert space.size(("x", 2.5, "*", "sin")) == 1 + 2 + 1 + 5


def test_spaces_travel():
    space = Space(functions=("sin",))
    assert space.allows(("x", "sin"))
    assert pickle.loads(pickle.dumps(space)) == space
