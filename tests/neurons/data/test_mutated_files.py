"""Readers of damaged files: an answer or a DataError, soon, and in little memory."""

import io
import json
import time
import tracemalloc

import matplotlib.image
import numpy as np
import pytest
import scipy.io
from torch_writer import Part, numbers, tensor, zipped

from neurons.data import DataError, read_mat, read_mesh, read_safetensors, read_torch
from neurons.data.archives import arrays
from neurons.data.phm2012_csv import read_record
from neurons.data.pictures import pixels

MUTANTS = 100
SECONDS, BYTES = 2.0, 2**26  # of one file; the largest original has some 100 kB


def mat():
    stream = io.BytesIO()
    wave = np.sin(np.arange(40_000.0))[:, None]
    scipy.io.savemat(stream, {"X097_DE_time": wave, "X097RPM": np.array([[1797.0]])})
    return stream.getvalue()


def packed_mat():
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"X": np.eye(9), "y": np.ones((9, 1))}, do_compression=True)
    return stream.getvalue()


def npz():
    stream = io.BytesIO()
    np.savez_compressed(stream, X=np.eye(9), y=np.arange(9))
    return stream.getvalue()


def safetensors():
    values = np.arange(6.0)
    header = {"a": {"dtype": "F64", "shape": [2, 3], "data_offsets": [0, values.nbytes]}}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + values.tobytes()


def png():
    stream = io.BytesIO()
    matplotlib.image.imsave(stream, np.random.default_rng(0).random((12, 16)), cmap="gray")
    return stream.getvalue()


def off():
    return b"OFF\n4 4 6\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 1 2\n3 0 1 3\n3 0 2 3\n3 1 2 3\n"


def ply():
    head = "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
    head += "property float z\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n"
    return head.encode() + b"0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n"


def binary_ply():
    head = "ply\nformat binary_little_endian 1.0\nelement vertex 3\nproperty float x\n"
    head += "property float y\nproperty float z\nelement face 1\n"
    head += "property list uchar int vertex_indices\nend_header\n"
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "<f4").tobytes()
    return head.encode() + corners + b"\x03" + np.arange(3, dtype="<i4").tobytes()


def record():
    line = "9,39,39,1.9691e+05,0.552,-0.146"
    return "\n".join([line] * 2560).encode()


def torch_zip(path):
    content = numbers(6).tobytes()
    zipped(path, {"weight": tensor(Part("FloatStorage", "0", 6), (2, 3), (3, 1))}, {"0": content})
    return path.read_bytes()


READERS = {
    "fault.mat": (mat, read_mat),
    "table.mat": (packed_mat, lambda path: arrays(path, ["X", "y"])),
    "table.npz": (npz, lambda path: arrays(path, ["X", "y"])),
    "weights.safetensors": (safetensors, read_safetensors),
    "tile.png": (png, pixels),
    "chair.off": (off, read_mesh),
    "chair.ply": (ply, read_mesh),
    "chair_binary.ply": (binary_ply, read_mesh),
    "acc_00001.csv": (record, read_record),
    "weights.pth": (None, read_torch),
}


def mutants(original, random):
    """Bytes changed, cut out, doubled, the end missing, a number made huge."""
    for turn in range(MUTANTS):
        content = bytearray(original)
        place = int(random.integers(len(content)))
        length = int(random.integers(1, 9))
        kind = turn % 5
        if kind == 0:
            for at in random.integers(len(content), size=length):
                content[at] = random.integers(256)
        elif kind == 1:
            del content[place : place + length]
        elif kind == 2:
            content[place:place] = content[place : place + 64]
        elif kind == 3:
            del content[place:]
        else:
            content[place : place + 4] = b"\xff\xff\xff\x7f" if turn % 2 else b"9999"
        yield bytes(content)


def outcome(read, path):
    """Whether the file was read; anything but a DataError is for the test to see."""
    try:
        found = read(path)
    except DataError as problem:
        return path.name not in str(problem)  # a file that is not named would count as read
    for values in found.values() if isinstance(found, dict) else ():
        np.asarray(values).sum()
    return True


@pytest.mark.parametrize("name", READERS)
def test_damage_is_named_or_harmless(name, tmp_path):
    write, read = READERS[name]
    path = tmp_path / name
    original = write() if write else torch_zip(path)
    path.write_bytes(original)
    assert outcome(read, path)
    refused = 0
    random = np.random.default_rng(len(name))
    for content in mutants(original, random):
        path.write_bytes(content)
        tracemalloc.start()
        start = time.process_time()
        refused += not outcome(read, path)
        spent, (_, peak) = time.process_time() - start, tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert spent < SECONDS
        assert peak < BYTES
    assert refused >= MUTANTS // 5  # at least those whose end is missing
