"""Files as torch.save writes them, made without torch: any pickle, any storage, any damage."""

import io
import pickle
import zipfile
from typing import ClassVar, NamedTuple

import numpy as np


class Name(NamedTuple):
    """A class or function that need not exist."""

    module: str
    name: str

    def __call__(self):
        """Callable, so that the pickler lets it be called."""


class Call:
    """A call that the pickle asks for."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


class Part(NamedTuple):
    """A storage: its class, its key, and how many numbers the pickle says it has."""

    kind: str
    key: str
    numel: int


class _Pickler(pickle._Pickler):
    def persistent_id(self, value):
        if not isinstance(value, Part):
            return None
        return "storage", Name("torch", value.kind), value.key, "cpu", value.numel, *self.more

    def save_name(self, value):
        self.write(b"c%s\n%s\n" % (value.module.encode(), value.name.encode()))

    dispatch: ClassVar = {**pickle._Pickler.dispatch, Name: save_name}


def pickled(value, *, more=(), protocol=2):
    stream = io.BytesIO()
    pickler = _Pickler(stream, protocol)
    pickler.more = more
    pickler.dump(value)
    return stream.getvalue()


def tensor(part, size, stride, offset=0):
    hooks = Call(Name("collections", "OrderedDict"))
    rebuild = Name("torch._utils", "_rebuild_tensor_v2")
    return Call(rebuild, part, offset, size, stride, False, hooks)


def zipped(path, value, parts, *, compression=zipfile.ZIP_STORED, order=b"little", protocol=2):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled(value, protocol=protocol))
        archive.writestr("archive/byteorder", order)
        archive.writestr("archive/version", b"3\n")
        for key, content in parts.items():
            archive.writestr(f"archive/data/{key}", content)
    return path


def legacy(path, value, parts, *, numels=None, little=True):
    head = [0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": little}]
    stream = b"".join(map(pickled, head)) + pickled(value, more=(None,)) + pickled(list(parts))
    for key, (numel, content) in parts.items():
        count = (numels or {}).get(key, numel)
        stream += count.to_bytes(8, "little" if little else "big") + content
    path.write_bytes(stream)
    return path


def numbers(count, dtype=np.float32):
    return np.arange(count).astype(dtype)
