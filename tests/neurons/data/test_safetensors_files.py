"""Safetensors files: what is written comes back, and whatever is damaged is named."""

import json

import numpy as np
import pytest

from neurons.data import DataError
from neurons.data.safetensors_files import read_safetensors


def written(path, arrays, *, header=None):
    """A file by the format's own words: length, header, bytes."""
    entries, place, parts = {"__metadata__": {"format": "np"}}, 0, []
    for name, (kind, values) in arrays.items():
        raw = values.tobytes()
        offsets = [place, place + len(raw)]
        entries[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": offsets}
        place += len(raw)
        parts.append(raw)
    text = json.dumps(entries if header is None else header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(parts))
    return path


ARRAYS = {
    "one": ("F32", np.arange(6, dtype=np.float32).reshape(2, 3) / 7),
    "flag": ("BOOL", np.array([True, False, True])),
    "after an odd place": ("F64", np.array([np.pi, -1e300])),
    "whole": ("I64", np.array([[-5]], np.int64)),
    "none": ("F16", np.zeros((0, 4), np.float16)),
    "number": ("F32", np.array(2.5, np.float32)),
}


def test_what_is_written_comes_back(tmp_path):
    found = read_safetensors(written(tmp_path / "a.safetensors", ARRAYS))
    assert list(found) == list(ARRAYS)
    for name, (_, values) in ARRAYS.items():
        assert found[name].dtype == values.dtype
        np.testing.assert_array_equal(found[name], values)
        assert not found[name].flags.writeable


def test_bfloat16_becomes_float32_exactly(tmp_path):
    values = np.array([1.0, -2.5, 3.0e38, 1e-40, np.inf], np.float32)
    upper = (values.view(np.uint32) >> 16).astype(np.uint16)
    found = read_safetensors(written(tmp_path / "b.safetensors", {"x": ("BF16", upper)}))["x"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found.view(np.uint32), upper.astype(np.uint32) << 16)


def test_a_folder_holds_one_file_or_several(tmp_path):
    names = list(ARRAYS)
    for place, part in enumerate((names[:2], names[2:])):
        written(tmp_path / f"part{place}.safetensors", {name: ARRAYS[name] for name in part})
    index = {name: f"part{int(name not in names[:2])}.safetensors" for name in names}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    assert set(read_safetensors(tmp_path)) == set(names)
    written(tmp_path / "model.safetensors", {"one": ARRAYS["one"]})
    assert list(read_safetensors(tmp_path)) == ["one"]


def entry(**changed):
    return {"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changed}}


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (entry(dtype="F8_E4M3"), "type F8_E4M3"),
        (entry(shape=[3]), "bytes 0 to 8 of 8"),
        (entry(data_offsets=[4, 12]), "bytes 4 to 12 of 8"),
        (entry(data_offsets=[8, 0]), "bytes 8 to 0"),
        (entry(shape=[-2]), "shape"),
        ({"x": {"dtype": "F32"}}, "KeyError"),
        ([1, 2], "Error"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, header, found):
    path = written(tmp_path / "bad.safetensors", {"x": ("F32", np.ones(2, "f4"))}, header=header)
    with pytest.raises(DataError, match=found) as raised:
        read_safetensors(path)
    assert "bad.safetensors" in str(raised.value)


def test_truncated_foreign_and_missing_files_are_named(tmp_path):
    whole = written(tmp_path / "a.safetensors", ARRAYS).read_bytes()
    cut = tmp_path / "cut.safetensors"
    for length in (0, 5, 8, 40, len(whole) - 1):
        cut.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"cut\.safetensors"):
            read_safetensors(cut)
    cut.write_bytes(b"\xff" * 100)
    with pytest.raises(DataError, match="a header of"):
        read_safetensors(cut)
    with pytest.raises(DataError, match=r"model\.safetensors"):
        read_safetensors(tmp_path)
    for text in ("{", "[]", '{"weight_map": {"x": "../away.safetensors"}}'):
        (tmp_path / "model.safetensors.index.json").write_text(text)
        with pytest.raises(DataError, match=r"index\.json"):
            read_safetensors(tmp_path)
