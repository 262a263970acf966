"""The sentences that a network may read: all of a vocabulary, the same ones for every picture.

A description is a quadruple (where, what, how, how many), given as whole numbers in five slots,
since what has changed has a "from" and a "to". A bank holds a vector of unit length for every
sentence of every description of the vocabulary. It is made from the vocabulary alone: no picture's
own sentence, which comes from its labels, is read when the network answers.

`SlotBank` learns its vectors: the sum of one vector for each slot. `TextBank` takes those of any
sentence encoder that its user has, and keeps them fixed behind a learned projection.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from neurons.backbones.change_detection.contrast import unit
from neurons.layer import Dense
from neurons.options import require
from neurons.quadratic import conventional

SLOTS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"where": (0,), "what": (1, 2), "how": (3,), "how many": (4,)}
)
"""Columns of the codes that each part of the quadruple takes."""

UNKNOWN = -1
Encode = Callable[[list[str]], ArrayLike]


class Constant(nnx.Variable[Any]):
    """An array that belongs to a module and is not trained."""


@runtime_checkable
class Bank(Protocol):
    """What a network reads from: vectors of unit length, `width` numbers each."""

    width: int

    def __call__(self) -> Float[Array, "descriptions templates width"]:
        """Every sentence's vector."""
        ...


class Vocabulary:
    """Numbers for descriptions: rows of a bank.

    Args:
        codes: `(descriptions, 5)` slots of every description: where, from, to, how, how many.
        without: parts of the quadruple to leave out ("where", "what", "how", "how many");
            descriptions that differ in nothing else then have the number of the first of them.

    Attributes:
        codes: `(descriptions, 5)` int64, as given but for what is left out, which is 0.
        sizes: how many numbers each slot can take, left out or not.
        kept: columns of the slots that are left.

    Raises:
        ValueError: for no description, codes of another form or below 0, an unknown part, or
            nothing left.
        TypeError: for codes that are no whole numbers.

    Example:
        >>> known = Vocabulary([[0, 1, 2, 0, 0], [1, 1, 2, 0, 0]], without=["where"])
        >>> known.number([[7, 1, 2, 0, 0], [7, 2, 2, 0, 0]]).tolist()
        [0, -1]
    """

    def __init__(self, codes: ArrayLike, without: Collection[str] = ()) -> None:
        unknown = [part for part in without if part not in SLOTS]
        if unknown:
            raise ValueError(f"parts are {', '.join(SLOTS)}; got {', '.join(map(str, unknown))}")
        left = [columns for part, columns in SLOTS.items() if part not in without]
        if not left:
            raise ValueError("a description of nothing: every part is left out")
        given = _codes(codes)
        if given.ndim != 2 or not len(given) or given.min() < 0:
            raise ValueError(f"needs rows of codes from 0, at least one, got shape {given.shape}")
        self.kept = tuple(column for columns in left for column in columns)
        self.sizes = tuple((given.max(axis=0) + 1).tolist())
        self.codes = self._bare(given)
        rows = enumerate(self.codes.tolist())
        self._numbers = {tuple(row): number for number, row in reversed(list(rows))}

    def __len__(self) -> int:
        return len(self.codes)

    def number(self, codes: ArrayLike) -> NDArray[np.int32]:
        """The number of each description, -1 for one that is not in the vocabulary.

        Args:
            codes: `(*batch, 5)`.

        Returns:
            `(*batch,)` numbers of rows of `codes`.
        """
        bare = self._bare(_codes(codes))
        rows = bare.reshape(-1, bare.shape[-1]).tolist()
        found = [self._numbers.get(tuple(row), UNKNOWN) for row in rows]
        return np.array(found, np.int32).reshape(bare.shape[:-1])

    def _bare(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Codes with 0 in the slots that are left out."""
        bare = np.zeros_like(codes)
        bare[..., list(self.kept)] = codes[..., list(self.kept)]
        return bare


class SlotBank(nnx.Module):
    """Sentences as sums of learned vectors: `t = (e_where + e_from + e_to + e_how + e_many) / |.|`.

    Args:
        vocabulary: the descriptions, or their codes. What it leaves out has no part in the sum.
        width: of the vectors.
        rngs: stream `params`.

    Raises:
        ValueError: for a width below 1, or as :class:`Vocabulary`.

    Example:
        >>> bank = SlotBank([[0, 1, 2, 0, 0], [1, 1, 2, 0, 0]], 8, rngs=nnx.Rngs(0))
        >>> bank().shape
        (2, 1, 8)
    """

    def __init__(self, vocabulary: Vocabulary | ArrayLike, width: int, *, rngs: nnx.Rngs) -> None:
        require("width", width)
        self.width, known = width, _vocabulary(vocabulary)
        self.rows = Constant(jnp.asarray(slot_rows(known)))
        self.table = nnx.Param(jax.random.normal(rngs.params(), (sum(known.sizes), width)))

    def __call__(self) -> Float[Array, "descriptions 1 width"]:
        """Every description's vector, of unit length."""
        table = self.table[...]
        # A product with zeros and ones: on a CPU the gradient of a look-up is far slower.
        chosen = jax.nn.one_hot(self.rows[...], len(table), dtype=table.dtype).sum(axis=1)
        return unit(chosen @ table)[:, None]


def slot_rows(known: Vocabulary) -> NDArray[np.int32]:
    """Where each slot of every description has its vector, -1 for what is left out.

    One table serves all slots, each slot's rows behind those of the slot before.
    """
    starts, kept = np.cumsum((0, *known.sizes[:-1])), list(known.kept)
    rows = np.full(known.codes.shape, UNKNOWN, np.int32)
    rows[:, kept] = known.codes[:, kept] + starts[kept]
    return rows


class TextBank(nnx.Module):
    """Sentences as a user's encoder sees them, fixed, behind a learned projection.

    Args:
        vocabulary: the descriptions, or their codes.
        sentences: of every description, in the vocabulary's order, as many templates for each.
        encode: from a list of sentences to an array `(sentences, d)`; any function of the user's,
            called once with every distinct sentence. See :class:`Cached`.
        width: of the vectors behind the projection.
        rngs: stream `params`.

    Raises:
        ValueError: for a number of sentences that does not fit, or an encoder that answers with
            another number of rows or with values that are not finite.
    """

    def __init__(
        self,
        vocabulary: Vocabulary | ArrayLike,
        sentences: Sequence[Sequence[str]],
        encode: Encode,
        width: int,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        require("width", width)
        self.width, known = width, _vocabulary(vocabulary)
        templates = {len(one) for one in sentences}
        if len(sentences) != len(known) or len(templates) != 1 or 0 in templates:
            raise ValueError(
                f"{len(known)} descriptions need as many lists of sentences, all of one "
                f"length, got {len(sentences)} of lengths {sorted(templates)}"
            )
        flat = [sentence for one in sentences for sentence in one]
        found = Cached(encode)(flat).reshape(len(sentences), templates.pop(), -1)
        self.vectors = Constant(unit(jnp.asarray(found)))
        self.project = Dense(conventional, found.shape[-1], width, bias=False, rngs=rngs)

    def __call__(self) -> Float[Array, "descriptions templates width"]:
        """Every sentence's vector, of unit length."""
        return unit(self.project(self.vectors[...]))


class Cached:
    """A sentence encoder that is asked about no sentence twice.

    Args:
        encode: from a list of sentences to an array `(sentences, d)`.

    Example:
        >>> lengths = Cached(lambda sentences: [[float(len(s))] for s in sentences])
        >>> lengths(["a", "bb", "a"]).tolist()
        [[1.0], [2.0], [1.0]]
    """

    def __init__(self, encode: Encode) -> None:
        self.encode = encode
        self._known: dict[str, NDArray[np.float32]] = {}

    def __call__(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Vectors `(sentences, d)`, float32.

        Raises:
            ValueError: for no sentence, or an encoder that answers with another number of rows,
                axes or length than before, or with values that are not finite.
        """
        if not sentences:
            raise ValueError("no sentence to encode")
        new = [s for s in dict.fromkeys(sentences) if s not in self._known]
        if new:
            self._known |= dict(zip(new, self._answers(new), strict=True))
        return np.stack([self._known[sentence] for sentence in sentences])

    def _answers(self, new: list[str]) -> NDArray[np.float32]:
        found = np.asarray(self.encode(new), np.float32)
        if found.ndim != 2 or len(found) != len(new):
            raise ValueError(f"{len(new)} sentences, but vectors of shape {found.shape}")
        if not np.isfinite(found).all():
            raise ValueError("the encoder's vectors are not all finite")
        known = next(iter(self._known.values()), found[0])
        if known.shape != found[0].shape:
            raise ValueError(f"vectors of length {found.shape[1]} after some of {len(known)}")
        return found


def _vocabulary(given: Vocabulary | ArrayLike) -> Vocabulary:
    return given if isinstance(given, Vocabulary) else Vocabulary(given)


def _codes(given: ArrayLike) -> NDArray[np.int64]:
    found, slots = np.asarray(given), sum(map(len, SLOTS.values()))
    if found.size and not np.issubdtype(found.dtype, np.integer):
        raise TypeError(f"codes are whole numbers, got {found.dtype}")
    if found.ndim < 1 or found.shape[-1] != slots:
        raise ValueError(f"codes have {slots} slots, got shape {found.shape}")
    return found.astype(np.int64)
