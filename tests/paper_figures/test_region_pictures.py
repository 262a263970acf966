import numpy as np
import pytest

from paper_figures import region_pictures as drawing
from paper_figures.style import Picture, figure, png
from theory.regions import from_layers, regions

BOX = [[-2.0, 2.0], [-2.0, 2.0]]


@pytest.fixture
def net():
    rng = np.random.default_rng(0)
    sizes = [(2, 8), (8, 8), (8, 3)]
    return from_layers(
        [rng.normal(size=size) for size in sizes], [rng.normal(size=n) for _, n in sizes]
    )


def colour_at(fig, axes, x, y):
    """What the figure shows at a point of the axes."""
    fig.canvas.draw()
    column, row = axes.transData.transform((x, y))
    image = np.asarray(fig.canvas.buffer_rgba())
    return image[image.shape[0] - 1 - int(row), int(column), :3] / 255


def test_a_map_shows_the_labels_colours(net):
    fig, ((axes,),) = figure(3.1, 3.1)
    found = regions(net, BOX)
    edges = drawing.region_map(axes, found)
    assert len(axes.collections) == 3
    assert len(axes.collections[2].get_segments()) == len(edges)
    assert axes.get_xlim() == (-2, 2)
    assert png(Picture(fig, ""))


def test_colours_follow_labels_and_not_regions():
    line = from_layers([[[1.0, -1.0], [0.0, 0.0]]], [[0.0, 0.0]])  # one region, two labels
    fig, ((axes,),) = figure(3.1, 3.1)
    drawing.fill_labels(axes, regions(line, BOX), ["#ff0000", "#0000ff"])
    right, left = colour_at(fig, axes, 1.0, 0.5), colour_at(fig, axes, -1.0, 0.5)
    assert right[0] > right[2]
    assert left[2] > left[0]


def test_values_fill_regions_around_zero(net):
    _, ((axes,),) = figure(3.1, 3.1)
    found = regions(net, BOX)
    filled = drawing.fill_values(axes, found, found.weights[:, 0, 0], "RdBu", symmetric=True)
    assert len(filled.get_paths()) == len(found)
    low, high = filled.get_clim()
    assert low == -high


def test_only_polygons_are_drawn(net):
    _, ((axes,),) = figure(3.1, 3.1)
    with pytest.raises(ValueError, match="two inputs in a box"):
        drawing.fill_labels(axes, regions(net))
    line = from_layers([[[1.0]]], [[0.0]])
    with pytest.raises(ValueError, match="two inputs in a box"):
        drawing.region_map(axes, regions(line, [[-1, 1]]))
