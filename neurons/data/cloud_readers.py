"""Point clouds from public sets: ModelNet10's chairs and monitors, and MNIST's pixels."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurons.data.images import images
from neurons.data.pointclouds import PointClouds, unit_ball
from neurons.data.registry import DataError, entries, find

FILE = "modelnet10_chair_monitor_vox32_packbits.npz"
FURNITURE = ("chair", "monitor")
SIDE = 32  # voxels
TEST = 5  # every fifth cloud: the file is not split
MODELNET10 = "ModelNet10, chairs and monitors, points on voxels of 1/32 (Z. Wu et al. 2015)"
MNIST = "MNIST, subset, points in inked pixels (Y. LeCun, C. Cortes, C. Burges)"

Floats = NDArray[np.float64]


def modelnet10(
    folder: str | Path | None = None, *, points: int = 128, seed: int = 0
) -> PointClouds:
    """ModelNet10's 889 chairs and 465 monitors as points on the surfaces of their voxels.

    The set has the training objects of two classes only; every fifth is taken for testing. The
    meshes were voxelised by others, to a grid of 32: details below 1/32 of the grid are lost. The
    file has no public address of its own: put it into a data folder by hand.

    Args:
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.
        points: Points of a cloud.
        seed: Seed of the sampling.

    Raises:
        ValueError: For fewer than one point.
        DataError: The file is missing, damaged, or holds something else.

    References:
        Z. Wu et al., 3D ShapeNets: a deep representation for volumetric shapes, CVPR 2015.
    """
    path = find(next(entry for entry in entries("modelnet10") if entry.file == FILE), folder)
    return read_voxels(path, points=points, seed=seed)


def read_voxels(path: str | Path, *, points: int = 128, seed: int = 0) -> PointClouds:
    """Read the packed voxels of chairs and monitors, whatever the file's bytes.

    Raises:
        ValueError: For fewer than one point.
        DataError: It is another file: file, expected and found are named.
    """
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as stored:
            packed = [stored[name] for name in FURNITURE]
        voxels = [np.unpackbits(rows, axis=1).reshape(-1, *(SIDE,) * 3) for rows in packed]
    # A damaged archive ends in almost any exception of zipfile's, zlib's or NumPy's.
    except Exception as error:
        expected = f"an .npz file with packed {SIDE}^3 voxels of {' and '.join(FURNITURE)}"
        found = f"{type(error).__name__}: {error}"
        raise DataError(path, expected, found, "put the file there again") from error
    random = np.random.default_rng(seed)
    grids = [grid for kind in voxels for grid in kind]
    x = np.stack([voxel_surface(grid, points, random) for grid in grids])
    y = np.repeat(np.arange(len(voxels)), [len(kind) for kind in voxels])
    return _split("modelnet10", x, y, FURNITURE, MODELNET10)


def voxel_surface(voxels: NDArray[np.generic], points: int, random: np.random.Generator) -> Floats:
    """Points spread uniformly over the faces between filled and empty voxels.

    Args:
        voxels: `(width, depth, height)`, filled where true; outside the grid all is empty.
        points: How many, at least 1.
        random: Generator.

    Returns:
        `(points, 3)` in units of a voxel's side; voxel `(i, j, k)` fills `[i, i + 1] x ...`.

    Raises:
        ValueError: For no points, a grid that is not three-dimensional, or without a filled voxel.

    Example:
        >>> found = voxel_surface(np.ones((1, 1, 1)), 5, np.random.default_rng(0))
        >>> found.shape, bool((np.abs(found - 0.5).max(axis=1) == 0.5).all())
        ((5, 3), True)
    """
    filled = np.asarray(voxels).astype(bool)
    if points < 1 or filled.ndim != 3 or not filled.any():
        counts = f"{int(filled.sum())} filled voxels of {filled.shape}"
        raise ValueError(f"needs a point and a filled voxel of a 3-d grid, got {points}, {counts}")
    padded = np.pad(filled, 1).astype(np.int8)
    corners, axes = [], []
    for axis in range(3):
        # A face lies wherever one step along the axis leads in or out.
        step = np.argwhere(np.diff(padded, axis=axis))
        corners.append(step - 1 + (np.arange(3) == axis))
        axes.append(np.full(len(step), axis))
    chosen = random.integers(sum(map(len, axes)), size=points)
    place = random.random((points, 3))
    place[np.arange(points), np.concatenate(axes)[chosen]] = 0
    return np.asarray(np.concatenate(corners)[chosen] + place)


def mnist_points(
    folder: str | Path | None = None, *, points: int = 64, seed: int = 0
) -> PointClouds:
    """Digits as points in the plane, 4,000 + 1,000 of MNIST.

    A point falls into a pixel with probability proportional to its ink, uniformly inside it. The
    first axis points right, the second up.

    Args:
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.
        points: Points of a digit.
        seed: Seed of the sampling.

    Raises:
        ValueError: For fewer than one point.
        DataError: The file is missing, damaged, or holds something else.

    References:
        Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document
        recognition, Proc. IEEE 86 (1998).
    """
    found = images(folder, subset="mnist")
    random = np.random.default_rng(seed)
    x_train, x_test = (
        unit_ball(np.stack([ink_points(image[..., 0], points, random) for image in part]))
        for part in (found.x_train, found.x_test)
    )
    return PointClouds(
        "mnist_points", x_train.astype(np.float32), found.y_train, x_test.astype(np.float32),
        found.y_test, found.classes, MNIST, simulated=False,
    )  # fmt: skip


def ink_points(image: NDArray[np.floating], points: int, random: np.random.Generator) -> Floats:
    """Points in the plane, as dense as an image is dark with ink.

    Args:
        image: `(height, width)` ink of every pixel, at least 0.
        points: How many, at least 1.
        random: Generator.

    Returns:
        `(points, 2)` in units of a pixel, right and up from the image's lower left corner.

    Raises:
        ValueError: For no points, or an image without ink.
    """
    ink = np.cumsum(np.asarray(image, np.float64).ravel())
    if points < 1 or not np.isfinite(ink[-1]) or ink[-1] <= 0:
        raise ValueError(f"needs a point and some ink, got {points} points and {ink[-1]} of ink")
    pixel = np.searchsorted(ink, random.random(points) * ink[-1], side="right")
    row, column = np.divmod(pixel, image.shape[1])
    right, down = random.random((2, points))
    return np.stack([column + right, image.shape[0] - row - down], axis=1)


def _split(
    name: str, x: Floats, y: NDArray[np.int64], classes: tuple[str, ...], source: str
) -> PointClouds:
    test = np.arange(len(y)) % TEST == 0
    x = unit_ball(x).astype(np.float32)
    return PointClouds(name, x[~test], y[~test], x[test], y[test], classes, source, simulated=False)
