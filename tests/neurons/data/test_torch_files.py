"""Files of torch.save are read without torch, and nothing in them is run."""

import io
import zipfile

import numpy as np
import pytest
import torch_writer as writer
from torch_writer import Call, Name, Part, legacy, numbers, pickled, tensor, zipped

from neurons.data import DataError, pretrained, read_torch
from neurons.data.pickle_reader import PickleError, read_pickle

SIX = Part("FloatStorage", "0", 6)
TYPES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
    "ComplexFloatStorage": "c8",
    "ComplexDoubleStorage": "c16",
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.pth"


def write(path, value, *, old=False):
    """A file whose storage 0 holds the numbers 0 to 5."""
    content = numbers(6).tobytes()
    return legacy(path, value, {"0": (6, content)}) if old else zipped(path, value, {"0": content})


both = pytest.mark.parametrize("old", [False, True], ids=["zip", "legacy"])


@both
def test_shapes_strides_and_offsets_are_torchs(path, old):
    views = {
        "plain": tensor(SIX, (2, 3), (3, 1)),
        "transposed": tensor(SIX, (3, 2), (1, 3)),
        "part": tensor(SIX, (2,), (2,), offset=1),
        "scalar": tensor(SIX, (), (), offset=4),
        "empty": tensor(SIX, (0, 3), (3, 1)),
        "expanded": tensor(SIX, (4, 2), (0, 1)),
        "parameter": Call(
            Name("torch._utils", "_rebuild_parameter"), tensor(SIX, (1,), (1,)), True
        ),
    }
    found = read_torch(write(path, views, old=old))
    x = numbers(6)
    expected = {
        "plain": x.reshape(2, 3),
        "transposed": x.reshape(2, 3).T,
        "part": x[[1, 3]],
        "scalar": x[4],
        "empty": np.zeros((0, 3), np.float32),
        "expanded": np.broadcast_to(x[:2], (4, 2)),
        "parameter": x[:1],
    }
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    with pytest.raises(ValueError, match="read-only"):
        found["expanded"][0, 0] = 1


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("order", ["little", "big"])
def test_every_type_is_read_from_either_end(path, kind, order):
    x = numbers(3, TYPES[kind])
    content = x.astype(x.dtype.newbyteorder("<" if order == "little" else ">")).tobytes()
    value = {"x": tensor(Part(kind, "0", 3), (3,), (1,))}
    for made in (
        zipped(path, value, {"0": content}, order=order.encode()),
        legacy(path, value, {"0": (3, content)}, little=order == "little"),
    ):
        found = read_torch(made)["x"]
        assert found.dtype == x.dtype
        np.testing.assert_array_equal(found, x)


def test_bfloat16_becomes_float32_exactly(path):
    x = np.array([1.0, -2.5, 3.140625, np.inf, np.nan, 1e-40], np.float32)
    upper = (x.view(np.uint32) >> 16).astype("<u2")
    value = {"x": tensor(Part("BFloat16Storage", "0", 6), (6,), (1,))}
    found = read_torch(zipped(path, value, {"0": upper.tobytes()}))["x"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found.view(np.uint32), upper.astype(np.uint32) << 16)
    np.testing.assert_array_equal(found[:5], x[:5])


def test_names_are_joined_and_other_values_left_out(path):
    value = {"epoch": 3, "note": "text", "state": {"fc": {"bias": tensor(SIX, (2,), (1,))}}, 7: []}
    assert list(read_torch(write(path, value))) == ["state.fc.bias"]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_later_protocols_of_pickle_are_read(path, protocol):
    value = {"a": 2**80, "b": (1.5, None, True, [1, 2], ()), "x": {"long": 70_000}}
    value |= {"c": b"bytes"} if protocol > 2 else {}
    assert read_pickle(io.BytesIO(pickled(value, protocol=protocol)), {}) == value
    made = zipped(path, {"x": tensor(SIX, (2,), (1,))}, {"0": bytes(24)}, protocol=protocol)
    np.testing.assert_array_equal(read_torch(made)["x"], np.zeros(2))


@both
@pytest.mark.parametrize(
    "called", [("os", "system"), ("builtins", "eval"), ("torchvision.models.resnet", "ResNet")]
)
def test_other_classes_are_refused_by_name(path, called, old):
    evil = Call(Name(*called), "touch never")
    with pytest.raises(DataError, match=rf"class or function {called[0]}.{called[1]}.*state_dict"):
        read_torch(write(path, {"x": evil}, old=old))


def test_nothing_is_called_but_what_makes_tensors(path):
    allowed = Name("collections", "OrderedDict")
    for wrong in (
        Call(allowed, [("a", 1)], 3),
        Call(Name("torch", "FloatStorage"), 10**12),
        Call(Name("torch._utils", "_rebuild_tensor_v2"), "storage", 0, (1,), (1,)),
    ):
        with pytest.raises(DataError):
            read_torch(write(path, {"x": wrong}))


@pytest.mark.parametrize(
    ("size", "stride", "offset"),
    [
        ((2, 3), (3, 1), 1),
        ((7,), (1,), 0),
        ((2,), (6,), 0),
        ((2,), (-1,), 5),
        ((-1,), (1,), 0),
        ((2,), (1,), -1),
        ((2, 2), (1,), 0),
        ((1.0,), (1,), 0),
        ((2**62, 2**62), (0, 0), 0),
    ],
)
@both
def test_tensors_that_reach_outside_their_numbers_are_refused(path, size, stride, offset, old):
    with pytest.raises(DataError):
        read_torch(write(path, {"x": tensor(SIX, size, stride, offset)}, old=old))


def test_storages_of_another_size_are_refused(path):
    value = {"x": tensor(SIX, (2,), (1,))}
    for content in (b"", bytes(23), bytes(25)):
        with pytest.raises(DataError, match=f"{len(content)} bytes for 24 of storage 0"):
            read_torch(zipped(path, value, {"0": content}))
    with pytest.raises(DataError, match="7 numbers for 6"):
        read_torch(legacy(path, value, {"0": (6, bytes(24))}, numels={"0": 7}))
    huge = {"x": tensor(Part("FloatStorage", "0", 2**60), (2,), (1,))}
    with pytest.raises(DataError, match="24 bytes for"):
        read_torch(legacy(path, huge, {"0": (2**60, bytes(24))}))
    with pytest.raises(DataError, match="KeyError: '0'"):
        read_torch(zipped(path, value, {"1": bytes(24)}))
    unknown = {"x": tensor(Part("QInt8Storage", "0", 24), (2,), (1,))}
    with pytest.raises(DataError, match="QInt8Storage"):
        read_torch(zipped(path, unknown, {"0": bytes(24)}))


def test_archives_that_unfold_are_refused(path):
    value = {"x": tensor(SIX, (2,), (1,))}
    with pytest.raises(DataError, match="compressed archive"):
        read_torch(zipped(path, value, {"0": bytes(24)}, compression=zipfile.ZIP_DEFLATED))


def test_parts_that_lie_on_each_other_are_refused(path):
    zipped(path, {"x": tensor(SIX, (2,), (1,))}, {"0": bytes(5000)})
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        start = archive.start_dir
    end = content.rindex(b"PK\x05\x06")
    entries = content[start:end] * 2  # every part twice in the directory
    closing = bytearray(content[end:])
    closing[8:12] = (8).to_bytes(2, "little") * 2
    closing[12:16] = len(entries).to_bytes(4, "little")
    path.write_bytes(content[:start] + entries + closing)
    with pytest.raises(DataError, match=r"larger than its file|overlap"):
        read_torch(path)


@both
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused(path, share, old):
    content = write(path, {"x": tensor(SIX, (6,), (1,))}, old=old).read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError):
        read_torch(path)


@pytest.mark.parametrize("old", [False, True], ids=["zip", "legacy"])
def test_any_changed_byte_gives_arrays_or_a_clear_error(path, old):
    value = {"x": tensor(SIX, (2, 3), (3, 1)), "y": tensor(SIX, (2,), (1,), 3)}
    content = write(path, value, old=old).read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for place in rng.integers(0, len(content), 150):
        changed = bytearray(content)
        changed[place] ^= 1 << rng.integers(8)
        path.write_bytes(changed)
        try:
            assert all(isinstance(array, np.ndarray) for array in read_torch(path).values())
        except DataError:
            refused += 1
    assert refused > 20


def test_other_files_are_refused(path, tmp_path):
    path.write_bytes(b"a page that says 404, and goes on and on\n" * 20)
    with pytest.raises(DataError):
        read_torch(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme", "no weights")
    with pytest.raises(DataError, match=r"without data.pkl"):
        read_torch(path)
    with pytest.raises(DataError, match="No such file"):
        read_torch(tmp_path / "none.pth")


@both
def test_what_is_no_dictionary_of_tensors_is_refused(path, old):
    with pytest.raises(DataError, match="a Tensor instead of a dictionary"):
        read_torch(write(path, tensor(SIX, (2,), (1,)), old=old))
    shared = {"y": tensor(SIX, (2,), (1,))}
    shared["self"] = shared
    with pytest.raises(DataError, match="one dictionary in two places"):
        read_torch(write(path, shared, old=old))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b".",
        b"N",
        b"NN.",
        b"0.",
        b"e.",
        b"}K\x01s.",
        b"h\x05.",
        b"]K\x01K\x02s.",
        b"(i__builtin__\nexit\n.",
        b"\x82\x01.",
        b"Ncopy\n.",
        b"K\x01Q.",
        b"NNb.",
    ],
)
def test_damaged_pickles_are_refused(content):
    with pytest.raises(PickleError):
        read_pickle(io.BytesIO(content), {})


def test_published_weights_are_found(folder_with):
    found = pretrained("mobilenet_v2", folder_with("weights"))
    assert len(found) == 314
    assert found["classifier.1.weight"].shape == (1000, 1280)
    assert all(np.isfinite(array).all() for array in found.values())


def test_unknown_weights_are_refused():
    with pytest.raises(ValueError, match="unknown weights 'vgg'; allowed: mobilenet_v2"):
        pretrained("vgg")


@pytest.mark.peers
def test_the_writer_writes_what_torch_writes(path):
    torch = pytest.importorskip("torch", reason="needs torch")
    made = writer.zipped(path, {"x": tensor(SIX, (3, 2), (1, 3))}, {"0": numbers(6).tobytes()})
    found = torch.load(made, weights_only=True)["x"]
    np.testing.assert_array_equal(found.numpy(), numbers(6).reshape(2, 3).T)
