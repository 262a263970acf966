"""Arrays from files of `torch.save`, without torch and without running what they say.

Both formats are read: the zip archive of PyTorch 1.6 and later, and the older sequence of pickles
followed by raw numbers, in which torchvision's MobileNetV2 is still published. The pickles are
followed by :func:`neurons.data.pickle_reader.read_pickle`, which knows dictionaries, lists,
numbers and tensors; every other class is refused by its name.

References:
    PyTorch, `torch/serialization.py` (`_save`, `_legacy_save`) and `torch/_utils.py`
    (`_rebuild_tensor_v2`).
"""

import io
import math
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurons.data.pickle_reader import Makers, Name, PickleError, read_pickle
from neurons.data.registry import DataError, entries, find

LEGACY = 0x1950A86A20F9469CFC6C  # the first pickle of the older format
LEGACY_VERSION = 1001
BFLOAT16 = np.dtype("V2")  # NumPy has no such number: it is read as float32
TYPES: Mapping[str, np.dtype[Any]] = {
    "DoubleStorage": np.dtype("f8"),
    "FloatStorage": np.dtype("f4"),
    "HalfStorage": np.dtype("f2"),
    "BFloat16Storage": BFLOAT16,
    "LongStorage": np.dtype("i8"),
    "IntStorage": np.dtype("i4"),
    "ShortStorage": np.dtype("i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
    "ComplexDoubleStorage": np.dtype("c16"),
    "ComplexFloatStorage": np.dtype("c8"),
}
EXPECTED = "tensors of torch.save by their names"
WAY_OUT = "save `model.state_dict()` with torch.save"


class Storage(NamedTuple):
    """Where the numbers of tensors lie: which part of the file, their type, and how many."""

    key: str
    dtype: np.dtype[Any]
    numel: int


@dataclass(frozen=True, eq=False)
class Tensor:
    """A view of a storage that is still to be read."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def read_torch(path: str | Path) -> dict[str, NDArray[np.generic]]:
    """Arrays of a file that `torch.save(model.state_dict(), path)` wrote.

    A dictionary inside the dictionary gives names joined by dots, `"state_dict.fc.bias"`. What is
    no tensor (an epoch's number, a list) is left out.

    Args:
        path: The file.

    Returns:
        Name -> array, in the file's order and with torch's shapes. The arrays are read-only views
        of what was read, strided as they were saved. bfloat16 becomes float32, exactly; all other
        types stay what they are.

    Raises:
        DataError: The file cannot be read, is damaged, holds an object of another class than
            tensors and dictionaries (the message names it), or tensors that reach outside their
            numbers: file, expected and found are named.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            read = _from_zip if zipfile.is_zipfile(stream) else _from_legacy
            stream.seek(0)
            return dict(_arrays(*read(stream, path.stat().st_size)))
    except PickleError as error:
        raise DataError(path, EXPECTED, str(error), WAY_OUT) from error
    # A damaged archive ends in almost any exception of zipfile's, struct's or NumPy's.
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
        raise DataError(path, EXPECTED, found, "put the original file there") from error


def pretrained(
    name: str = "mobilenet_v2", folder: str | Path | None = None
) -> dict[str, NDArray[np.generic]]:
    """Published weights of the set "weights", checked against the manifest.

    Args:
        name: "mobilenet_v2": torchvision's, trained on ImageNet (`IMAGENET1K_V1`, BSD-3).
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.

    Returns:
        As :func:`read_torch`.

    Raises:
        ValueError: There are no weights of this name.
        DataError: The file is missing or damaged.
    """
    known = {entry.file.rsplit("-", 1)[0]: entry for entry in entries("weights")}
    if name not in known:
        raise ValueError(f"unknown weights {name!r}; allowed: {', '.join(known)}")
    return read_torch(find(known[name], folder))


Order = Literal["<", ">"]  # little or big end first
Read = Callable[[Storage], NDArray[np.generic]]


def _from_zip(stream: IO[bytes], size: int) -> tuple[Any, Read]:
    """The object, and a function that reads a storage, of PyTorch 1.6's format."""
    archive = zipfile.ZipFile(stream)
    members = {info.filename.partition("/")[2]: info for info in archive.infolist()}
    if any(info.compress_type != zipfile.ZIP_STORED for info in members.values()):
        raise PickleError("a compressed archive, which torch.save never writes")
    # What claims to hold more than the file has parts that lie on each other.
    claimed = [max(info.file_size, info.compress_size) for info in archive.infolist()]
    if sum(claimed) > size:
        raise PickleError("an archive that claims to be larger than its file")
    if "data.pkl" not in members:
        raise PickleError("a zip archive without data.pkl")
    big = "byteorder" in members and archive.read(members["byteorder"]) == b"big"
    order: Order = ">" if big else "<"
    parts: dict[str, bytes] = {
        name.removeprefix("data/"): archive.read(info)
        for name, info in members.items()
        if name.startswith("data/")
    }
    found = read_pickle(io.BytesIO(archive.read(members["data.pkl"])), MAKERS, _storage)
    return found, lambda storage: _numbers(storage, parts[storage.key], order)


def _from_legacy(stream: IO[bytes], size: int) -> tuple[Any, Read]:
    """The same of the older format: five pickles, then every storage behind its length."""
    if read_pickle(stream, {}) != LEGACY or read_pickle(stream, {}) != LEGACY_VERSION:
        raise PickleError("another file")
    order: Order = "<" if read_pickle(stream, {})["little_endian"] else ">"
    stored: dict[str, Storage] = {}

    def note(name: Any) -> Storage:
        storage = _storage(name)
        if stored.setdefault(storage.key, storage) != storage:
            raise PickleError(f"two descriptions of storage {storage.key}")
        return storage

    found = read_pickle(stream, MAKERS, note)
    parts = {}
    for key in read_pickle(stream, {}):
        numel = int.from_bytes(stream.read(8), "little" if order == "<" else "big")
        if numel != stored[key].numel:
            raise PickleError(f"{numel} numbers for {stored[key].numel} of storage {key}")
        # Never more than the file has, whatever the length says.
        parts[key] = stream.read(min(numel * stored[key].dtype.itemsize, size))
    return found, lambda storage: _numbers(storage, parts[storage.key], order)


def _storage(name: Any) -> Storage:
    """What a pickle says of a storage: ("storage", class, key, device, length, ...)."""
    kind, storage, key, _, numel, *view = name
    if kind != "storage" or storage.name not in TYPES or any(part is not None for part in view):
        raise PickleError(f"a part of the kind {name!r}")
    return Storage(str(key), TYPES[storage.name], int(numel))


def _numbers(storage: Storage, content: bytes, order: Order) -> NDArray[np.generic]:
    expected = storage.numel * storage.dtype.itemsize
    if storage.numel < 0 or len(content) != expected:
        raise PickleError(f"{len(content)} bytes for {expected} of storage {storage.key}")
    if storage.dtype == BFLOAT16:  # the upper half of a float32
        upper = np.frombuffer(content, f"{order}u2").astype(np.uint32)
        return (upper << 16).view(np.float32)
    dtype = storage.dtype.newbyteorder(order)
    return np.frombuffer(content, dtype).astype(storage.dtype, copy=False)


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Tensor:
    """What a pickle says of a tensor; gradients, hooks and names behind it are of no use here."""
    if not isinstance(storage, Storage) or len(size) != len(stride):
        raise PickleError(f"a tensor of {storage!r}, size {size!r}, stride {stride!r}")
    counts = (offset, *size, *stride)
    if any(type(count) is not int or count < 0 for count in counts):
        raise PickleError(f"a tensor of offset {offset!r}, size {size!r}, stride {stride!r}")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if math.prod(size) and last >= storage.numel:
        raise PickleError(f"a tensor that reaches number {last} of {storage.numel}")
    return Tensor(storage, offset, tuple(size), tuple(stride))


def _parameter(tensor: Any, *_: Any) -> Any:
    return tensor


def _ordered(pairs: Iterable[Any] = ()) -> dict[Any, Any]:
    return dict(pairs)


def _refuse_call(name: str, *_: Any) -> None:
    raise PickleError(f"a call of {name}")


MAKERS: Makers = {
    Name("collections", "OrderedDict"): _ordered,
    Name("torch._utils", "_rebuild_tensor"): _tensor,
    Name("torch._utils", "_rebuild_tensor_v2"): _tensor,
    Name("torch._utils", "_rebuild_parameter"): _parameter,
    **{Name("torch", name): partial(_refuse_call, name) for name in TYPES},
}


def _arrays(found: Any, read: Read) -> Iterator[tuple[str, NDArray[np.generic]]]:
    if type(found) is not dict:
        raise PickleError(f"a {type(found).__name__} instead of a dictionary")
    storages: dict[str, NDArray[np.generic]] = {}
    for name, tensor in _leaves(found, set()):
        key = tensor.storage.key
        if key not in storages:
            storages[key] = read(tensor.storage)
        yield name, _view(storages[key], tensor)


def _leaves(found: Mapping[Any, Any], seen: set[int]) -> Iterator[tuple[str, Tensor]]:
    if id(found) in seen:
        raise PickleError("one dictionary in two places")
    seen.add(id(found))
    for name, value in found.items():
        if isinstance(value, Tensor):
            yield str(name), value
        elif type(value) is dict:
            yield from ((f"{name}.{inner}", tensor) for inner, tensor in _leaves(value, seen))


def _view(numbers: NDArray[np.generic], tensor: Tensor) -> NDArray[np.generic]:
    strides = tuple(step * numbers.itemsize for step in tensor.stride)
    if not math.prod(tensor.size):
        return np.zeros(tensor.size, numbers.dtype)
    start = numbers[tensor.offset :]
    return np.lib.stride_tricks.as_strided(start, tensor.size, strides, writeable=False)
