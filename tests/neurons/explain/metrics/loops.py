"""Metrics of one image as loops over pixels, straight from their definitions."""

import itertools
import math

import numpy as np


def counts(one, mask, threshold):
    """Hits, false alarms, misses, rejections."""
    found = [0, 0, 0, 0]
    for value, true in zip(one.ravel(), mask.ravel(), strict=True):
        marked = value >= threshold
        found[0 if marked and true else 1 if marked else 2 if true else 3] += 1
    return found


def average_precision(one, mask):
    area, before = 0.0, 0.0
    for threshold in sorted(set(one.ravel().tolist()), reverse=True):
        hits, alarms, misses, _ = counts(one, mask, threshold)
        recall = hits / (hits + misses)
        area += (recall - before) * hits / (hits + alarms)
        before = recall
    return area


def auc(one, mask):
    """All pairs of a pixel inside and one outside."""
    inside, outside = one[mask], one[~mask]
    wins = [float(a > b) + 0.5 * float(a == b) for a in inside for b in outside]
    return sum(wins) / len(wins)


def flood(mask, corners):
    """Regions as lists of places, by flooding from every pixel."""
    free, found = set(zip(*np.nonzero(mask), strict=True)), []
    steps = [
        step
        for step in itertools.product((-1, 0, 1), repeat=mask.ndim)
        if any(step) and (corners or sum(map(abs, step)) == 1)
    ]
    while free:
        edge = [free.pop()]
        region = []
        while edge:
            place = edge.pop()
            region.append(place)
            for step in steps:
                beside = tuple(p + s for p, s in zip(place, step, strict=True))
                if beside in free:
                    free.remove(beside)
                    edge.append(beside)
        found.append(region)
    return found


def aupro(one, mask, limit):
    """The curve's points in order of falling thresholds, then trapezoids up to the limit."""
    regions = [[one[place] for place in region] for region in flood(mask, corners=True)]
    outside = one[~mask]
    curve = [(0.0, 0.0)]
    for threshold in sorted(set(one.ravel().tolist()), reverse=True):
        rate = float(np.mean(outside >= threshold))
        curve.append((rate, float(np.mean([np.mean(np.array(r) >= threshold) for r in regions]))))
    area = 0.0
    for (x0, y0), (x1, y1) in itertools.pairwise(curve):
        if x0 >= limit or x1 == x0:
            continue
        end = min(x1, limit)
        height = y0 + (y1 - y0) * (end - x0) / (x1 - x0)
        area += (end - x0) * (y0 + height) / 2
    return area / limit


def holes(mask):
    """Flooded background regions that stay away from the border."""
    height, width = mask.shape
    inner = [
        all(0 < row < height - 1 and 0 < column < width - 1 for row, column in region)
        for region in flood(~mask, corners=False)
    ]
    return sum(inner)


def boundary(mask):
    """Places with a neighbour over an edge that lies in the image and outside the shape."""
    found = []
    for place in zip(*np.nonzero(mask), strict=True):
        for axis, step in itertools.product(range(mask.ndim), (-1, 1)):
            beside = list(place)
            beside[axis] += step
            if 0 <= beside[axis] < mask.shape[axis] and not mask[tuple(beside)]:
                found.append(place)
                break
    return found


def boundary_f(one, mask, threshold, tolerance):
    ours, true = boundary(one >= threshold), boundary(mask)
    if not true:
        return math.nan

    def near(these, those):
        return [any(math.dist(a, b) <= tolerance for b in those) for a in these]

    precision = np.mean(near(ours, true)) if ours else 0.0
    recall = np.mean(near(true, ours))
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def share_of_top(one, mask, count):
    """Mean over all orders of tied pixels, by counting."""
    values, true = one.ravel(), mask.ravel()
    order = sorted(values.tolist(), reverse=True)
    cut = order[count - 1]
    above = [t for v, t in zip(values, true, strict=True) if v > cut]
    level = [t for v, t in zip(values, true, strict=True) if v == cut]
    return (sum(above) + (count - len(above)) * sum(level) / len(level)) / count


def gini(one):
    """Mean absolute difference over twice the mean."""
    values = np.abs(one).ravel().tolist()
    apart = sum(abs(a - b) for a in values for b in values)
    return apart / (2 * len(values) * sum(values))


def entropy(one):
    values = np.abs(one).ravel().tolist()
    shares = [v / sum(values) for v in values]
    return -sum(s * math.log(s) for s in shares if s > 0)
