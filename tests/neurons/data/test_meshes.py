"""Meshes: every malformed file is named, both formats agree, and sampling is uniform by area."""

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from neurons.data import registry
from neurons.data.meshes import Mesh, read_mesh, sample_surface
from neurons.data.registry import DataError

CORNERS = np.array([[0, 0, 0], [2, 0, 0], [2, 1, 0], [0, 1, 0], [0, 0, 3]], float)
POLYGONS = [[0, 1, 2, 3], [0, 1, 4]]  # a rectangle of area 2, a triangle of area 3
TRIANGLES = [[0, 1, 2], [0, 2, 3], [0, 1, 4]]
BODY = "\n".join(
    [" ".join(map(str, corner)) for corner in CORNERS]
    + [" ".join(map(str, [len(face), *face])) for face in POLYGONS]
)


def off(text):
    return text.encode()


def ply(kind, content=None):
    order = {"ascii": None, "binary_little_endian": "<", "binary_big_endian": ">"}[kind]
    header = (
        f"ply\nformat {kind} 1.0\ncomment made by hand\nelement vertex 5\nproperty float x\n"
        "property float y\nproperty float z\nproperty uchar red\nelement face 2\n"
        "property list uchar int vertex_indices\nelement edge 1\nproperty int a\nend_header\n"
    )
    if content is None and order is None:
        rows = [[*corner, 255] for corner in CORNERS]
        rows += [[len(face), *face] for face in POLYGONS] + [[7]]
        content = "\n".join(" ".join(map(str, row)) for row in rows).encode()
    elif content is None:
        content = b"".join(struct.pack(order + "fffB", *corner, 255) for corner in CORNERS)
        for face in POLYGONS:
            content += struct.pack(f"{order}B{len(face)}i", len(face), *face)
        content += struct.pack(order + "i", 7)
    return header.encode() + content


GOOD = {
    "plain": off(f"OFF\n5 2 0\n{BODY}\n"),
    "counts on the first line": off(f"OFF5 2 0\n{BODY}"),
    "counts after a space": off(f"OFF 5 2 0\n{BODY}"),
    "no edges": off(f"OFF\n5 2\n{BODY}"),
    "comments": off(f"# made by hand\nOFF # the word\n\n5 2 0 # counts\n\n{BODY}\n\n# end\n"),
    "windows": off(f"OFF\r\n5 2 0\r\n{BODY}\r\n".replace("\n", "\r\n")),
    "colours": off(f"OFF\n5 2 0\n{BODY} 0.5 0.5 0.5"),
    "gzip": gzip.compress(off(f"OFF5 2 0\n{BODY}")),
    "ascii": ply("ascii"),
    "little": ply("binary_little_endian"),
    "big": ply("binary_big_endian"),
    "ply gzip": gzip.compress(ply("binary_big_endian")),
}


@pytest.mark.parametrize("name", GOOD)
def test_every_spelling_gives_the_same_mesh(tmp_path, name):
    (tmp_path / "mesh").write_bytes(GOOD[name])
    mesh = read_mesh(tmp_path / "mesh")
    np.testing.assert_array_equal(mesh.vertices, CORNERS)
    np.testing.assert_array_equal(mesh.faces, TRIANGLES)
    np.testing.assert_allclose(mesh.areas, [1, 1, 3])


BAD = {
    b"": "expected the word OFF first, found 'nothing'",
    b"NOFF\n1 1 0": "expected the word OFF first, found 'NOFF'",
    b"OFF": "expected numbers of vertices and faces, found ''",
    b"OFF\n5 2 0": "expected 5 vertices and 2 faces, found 0 lines",
    b"OFFfive 2 0": "expected numbers of vertices and faces, found 'five 2 0'",
    b"OFF -5 2 0": "expected numbers of vertices and faces, found -5 and 2",
    off(f"OFF\n6 2 0\n{BODY}"): "expected 6 vertices and 2 faces, found 7 lines",
    off(f"OFF\n5 1 0\n{BODY}"): "expected 5 vertices and 1 faces, found 7 lines",
    off(f"OFF\n4 3 0\n{BODY}"): "expected a face of whole numbers, found '0.0 0.0 3.0'",
    off(f"OFF\n5 2 0\n{BODY[:-2]}"): "expected a face of 3 corners, found '3 0 1'",
    off(f"OFF\n5 2 0\n{BODY[:-1]}9"): r"expected corners in \[0, 5\), found 0 to 9",
    off(f"OFF\n5 2 0\n{BODY[:-1]}-4"): r"expected corners in \[0, 5\), found -4 to 3",
    off(f"OFF\n5 2 0\nx{BODY[1:]}"): "expected coordinates, found could not convert",
    off(f"OFF\n5 2 0\nnan{BODY[3:]}"): "expected finite coordinates, found vertex 0 has others",
    off(f"OFF\n5 2 0\n{BODY[8:]}"): "expected three coordinates, found '0.0'",
    b"\x1f\x8b\x08broken": "expected a readable file",
    GOOD["gzip"][:-20]: "expected a readable file",
    b"ply\nformat ascii 1.0": "expected a header that ends with end_header, found none",
    b"ply\nelement vertex 0\nend_header\n": "expected a format among ascii",
    b"ply\nformat ascii 1.0\nproperty int x\nend_header\n": "line of a PLY header",
    b"ply\nformat ascii 1.0\nelement vertex 0\nproperty x\nend_header\n": "property of known type",
    b"ply\nformat ascii 1.0\nend_header\n": "expected elements vertex and face, found none",
    ply("ascii")[:-4]: "expected 2 rows of face",
    ply("ascii") + b"\n8": "expected nothing after the last element, found 1 lines",
    ply("ascii", b"0 0 zero 0"): "expected 5 rows of vertex, found '0 0 zero 0'",
    ply("binary_little_endian")[:-1]: "expected 1 rows of edge, found a file that ends before",
    ply("binary_big_endian")[:-9]: "expected 2 rows of face, found a file that ends before",
    ply("binary_big_endian", b"\0" * 7): "expected 5 rows of vertex, found a file that ends",
    ply("binary_little_endian") + b"\0": "expected nothing after the last element, found 1 bytes",
    ply("ascii").replace(b"float z", b"float w"): "expected vertex with z, found x, y, w, red",
    ply("ascii").replace(b"vertex_ind", b"strip"): "expected face with vertex_indices or",
}


@pytest.mark.parametrize(("content", "message"), BAD.items(), ids=range(len(BAD)))
def test_malformed_files_are_named_with_expected_and_found(tmp_path, content, message):
    (tmp_path / "bad.off").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_mesh(tmp_path / "bad.off")
    assert caught.value.file == str(tmp_path / "bad.off")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nothing\.off: expected a readable file"):
        read_mesh(tmp_path / "nothing.off")


def test_faces_without_area_are_left_out(tmp_path):
    (tmp_path / "m.off").write_text("OFF\n3 3 0\n0 0 0\n1 0 0\n0 1 0\n1 0\n2 0 1\n3 0 1 2")
    assert read_mesh(tmp_path / "m.off").faces.tolist() == [[0, 1, 2]]


def test_samples_fall_by_area_and_uniformly():
    mesh = Mesh(CORNERS, np.array(TRIANGLES))
    points = sample_surface(mesh, 20_000, seed=3)
    flat = points[:, 2] == 0
    # Area 2 of 5 lies in the rectangle; within it both coordinates are uniform.
    assert stats.binomtest(int(flat.sum()), len(points), 2 / 5).pvalue > 1e-3
    for axis, length in ((0, 2), (1, 1)):
        assert stats.kstest(points[flat, axis] / length, "uniform").pvalue > 1e-3
    # In the triangle the share of height h has the density of its width, 1 - h / 3.
    assert stats.kstest(points[~flat, 2] / 3, stats.beta(1, 2).cdf).pvalue > 1e-3
    np.testing.assert_array_equal(points, sample_surface(mesh, 20_000, seed=3))
    assert (points != sample_surface(mesh, 20_000, seed=4)).any()


def test_a_wrong_weight_would_be_seen():
    """Planted fault: triangles drawn equally often, whatever their area."""
    faces = np.random.default_rng(0).integers(3, size=20_000)
    assert stats.binomtest(int((faces < 2).sum()), len(faces), 2 / 5).pvalue < 1e-9


def test_what_cannot_be_sampled_is_refused():
    line = Mesh(np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]]), np.array([[0, 1, 2]]))
    for mesh in (line, Mesh(CORNERS, np.zeros((0, 3), int))):
        with pytest.raises(ValueError, match="no area to sample"):
            sample_surface(mesh, 1)
    with pytest.raises(ValueError, match="points is 0"):
        sample_surface(Mesh(CORNERS, np.array(TRIANGLES)), 0)
    with pytest.raises(ValueError, match="three columns"):
        Mesh(CORNERS[:, :2], np.array(TRIANGLES))


def test_real_meshes_are_read():
    folder = os.environ.get("NEURONS_DATA")
    if not folder or not registry.available("modelnet10", folder):
        pytest.skip("real data: set NEURONS_DATA to a folder that holds modelnet10/")
    mesh = read_mesh(Path(folder) / "modelnet10/off/bathtub_0002.off.gz")  # "OFF700 664 0"
    assert mesh.vertices.shape == (700, 3)
    assert mesh.areas.sum() == pytest.approx(17020.35, abs=0.01)
