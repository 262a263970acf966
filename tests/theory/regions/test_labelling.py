import numpy as np
import pytest

from theory.regions import from_layers, label_cells, labels, regions


@pytest.mark.parametrize("outputs", [1, 2, 5])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_every_cell_has_the_networks_label_inside(d, outputs, random_net):
    net = random_net((d, 8, 8, outputs))
    found = regions(net, [[-2, 2]] * d)
    cells = label_cells(found)
    assert (labels(net, cells.shapes.centres) == cells.labels).all()
    assert (found.locate(cells.shapes.centres) == cells.regions).all()
    assert cells.volumes.sum() == pytest.approx(4**d)
    assert len(cells) > len(found)


def test_volumes_of_labels_are_those_of_random_points(random_net):
    net = random_net((2, 16, 16, 3))
    cells = label_cells(regions(net, [[-2, 2]] * 2))
    seen = np.bincount(labels(net, np.random.default_rng(0).uniform(-2, 2, (100_000, 2))))
    shares = np.bincount(cells.labels, cells.volumes, minlength=3) / 16
    np.testing.assert_allclose(seen / seen.sum(), shares, atol=0.01)


def test_of_equal_scores_the_first_class_wins():
    net = from_layers([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 0.0]]], [np.zeros(2)] * 2)
    cells = label_cells(regions(net, [[-1, 1], [-1, 1]]))
    assert (labels(net, cells.shapes.centres) == cells.labels).all()
    assert np.bincount(cells.labels, cells.volumes).tolist() == [2.0, 2.0]


def test_wrong_labels_are_noticed(random_net):
    net = random_net((2, 8, 8, 3))
    cells = label_cells(regions(net, [[-2, 2]] * 2))
    assert (labels(net, cells.shapes.centres) != np.roll(cells.labels, 1)).any()


def test_cells_on_all_of_space_have_no_volume(random_net):
    cells = label_cells(regions(random_net((2, 4, 2))))
    assert len(cells) > 0
