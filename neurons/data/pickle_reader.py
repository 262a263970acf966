"""The data in a pickle, without unpickling it: no class is looked up, no function is called.

Python's own unpickler runs what the file tells it to. Here a small machine follows the opcodes
and builds nothing but dictionaries, lists, tuples, strings, numbers and the tensors that a caller
knows how to make; a name of a class or function stays a name.
"""

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple


class Name(NamedTuple):
    """A class or function that a pickle refers to, and that is never imported."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class PickleError(ValueError):
    """A pickle that holds something else than data, or that is damaged."""


Makers = Mapping[Name, Callable[..., Any]]

_MARK = object()
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_NUMBERS = ("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "INT", "LONG", "FLOAT", "BINFLOAT")
_TEXTS = ("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE", "BINSTRING", "STRING")
_BYTES = ("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "SHORT_BINSTRING")
_LITERALS = frozenset((*_NUMBERS, *_TEXTS, *_BYTES))
_EMPTY: dict[str, Callable[[], Any]] = {
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_STORE = frozenset(("PUT", "BINPUT", "LONG_BINPUT"))
_RECALL = frozenset(("GET", "BINGET", "LONG_BINGET"))


def read_pickle(
    stream: IO[bytes], makers: Makers, persistent: Callable[[Any], Any] | None = None
) -> Any:
    """The object that a pickle describes, up to its STOP; the stream is left behind it.

    Args:
        stream: Where the pickle starts.
        makers: What to make of the functions that the pickle may call, by their names.
        persistent: What to make of the names of parts that lie outside the pickle.

    Raises:
        PickleError: It calls another function, which the message names, or is no pickle.
    """
    machine = _Machine(makers, persistent)
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            machine.step(opcode.name, argument)
        (found,) = machine.stack
    except PickleError:
        raise
    # A damaged pickle ends in almost any exception of pickletools' or of an empty stack.
    except Exception as error:
        raise PickleError(f"{type(error).__name__}: {error}") from error
    return found


@dataclass
class _Machine:
    makers: Makers
    persistent: Callable[[Any], Any] | None
    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def step(self, name: str, argument: Any) -> None:
        """One opcode."""
        if name in _LITERALS:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            self.stack.append(_EMPTY[name]())
        elif name in _STORE:
            self.memo[argument] = self.stack[-1]
        elif name in _RECALL:
            self.stack.append(self.memo[argument])
        elif name in _TUPLES:
            self.stack.append(tuple(self.take(_TUPLES[name])))
        elif (action := getattr(self, f"do_{name.lower()}", None)) is not None:
            action(argument)
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise PickleError(f"the opcode {name}")

    def take(self, count: int) -> list[Any]:
        """The last entries of the stack, removed."""
        if count > len(self.stack):
            raise PickleError("an empty stack")
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def since_mark(self) -> list[Any]:
        """What lies above the last mark; both are removed."""
        count = next(i for i, entry in enumerate(reversed(self.stack)) if entry is _MARK)
        found = self.take(count)
        self.stack.pop()
        return found

    def do_mark(self, _: Any) -> None:
        self.stack.append(_MARK)

    def do_memoize(self, _: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def do_pop(self, _: Any) -> None:
        self.stack.pop()

    def do_tuple(self, _: Any) -> None:
        self.stack.append(tuple(self.since_mark()))

    def do_setitem(self, _: Any) -> None:
        key, value = self.take(2)
        self.container(dict)[key] = value

    def do_setitems(self, _: Any) -> None:
        pairs = self.since_mark()
        self.container(dict).update(zip(pairs[::2], pairs[1::2], strict=True))

    def do_append(self, _: Any) -> None:
        (value,) = self.take(1)
        self.container(list).append(value)

    def do_appends(self, _: Any) -> None:
        values = self.since_mark()
        self.container(list).extend(values)

    def container(self, kind: type) -> Any:
        """The list or dictionary on top of the stack."""
        if type(self.stack[-1]) is not kind:
            raise PickleError(f"entries for {self.stack[-1]!r}, which is no {kind.__name__}")
        return self.stack[-1]

    def do_global(self, argument: str) -> None:
        module, name = argument.split(" ", 1)
        self.refer(Name(module, name))

    def do_stack_global(self, _: Any) -> None:
        self.refer(Name(*map(str, self.take(2))))

    def refer(self, name: Name) -> None:
        if name not in self.makers:
            raise PickleError(f"the class or function {name}")
        self.stack.append(name)

    def do_reduce(self, _: Any) -> None:
        function, arguments = self.take(2)
        if not isinstance(function, Name) or type(arguments) is not tuple:
            raise PickleError(f"a call of {function!r}")
        self.stack.append(self.makers[function](*arguments))

    def do_build(self, _: Any) -> None:
        """Attributes of a dictionary (torch's versions of modules) are of no use here."""
        self.take(1)
        self.container(dict)

    def do_binpersid(self, _: Any) -> None:
        (name,) = self.take(1)
        if self.persistent is None:
            raise PickleError("a part outside the pickle")
        self.stack.append(self.persistent(name))
