"""The study behind the claims on the reliability guide: scores of every picture called normal.

Protocol, for every seed and each of the three sets of `inspection_study`:

1. What the plain classifier calls normal, among the pictures for choosing and those for testing, is
   scored by every variant of the guide and by every baseline.
2. The guide's defaults are recorded in `neurons.explain.reliability.Guide` and were not tuned:
   Grad-CAM of both classes, EigenCAM, pixels above half of the maximum, the difference of overlaps.
   XGrad-CAM would be Grad-CAM: behind a mean over space and a linear layer the two are equal.
   Variants change one option; the enhancement A1 moves grey levels by a quarter to 8 of 255. "The
   enhanced guide" takes the radius that ranks the validation pictures best, "the chosen guide" the
   variant that does, enhanced or not.
3. A limit is the quantile of a score over the true negatives for choosing; that of plain and of
   enhanced scores is found alike. Test pictures are judged once.

The enhancements A2 and A3 take ten gradients an image: they are tried on a few test pictures of
each seed, missed and not, beside the others, at the same radius.

Scores are kept by name: "diff", "spec1", "spec0"; "diff, layer_cam" and other variants; the same
with " + A1 4" for the enhancement by 4/255; :data:`GUIDE` and :data:`CHOSEN` for what was chosen;
the baselines under their own names.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

from neurons.backbones.defect import StagedNet, preprocess
from neurons.explain import trust_baselines as doubts
from neurons.explain.adversarial import Box, fgsm
from neurons.explain.reliability import Guide, enhanced, look, slope
from neurons.explain.reliability_scores import Score, Top, doubt
from neurons.explain.splitting import Split, as_pytree, split
from neurons.explain.trust_curves import auroc
from theory.claims import inspection_study as study
from theory.claims.claim import Lab
from theory.claims.inspection_study import SETS as SETS
from theory.claims.inspection_study_networks import Set
from theory.claims.side_by_side import Pieces, by_seed

SIDE = 32  # of the maps that are compared, pixels
LEVELS: tuple[float | int, ...] = (0.25, 0.5, 1, 2, 4, 8)  # of 255: radius of the enhancement
MEMBERS = 3  # of the ensemble, the judged network among them
CHUNK = 32
DIGITS = 6
GUIDE, CHOSEN = "guide, A1", "guide, chosen"
NO_MAP = "margin, A1"
_guide = partial(Guide, size=SIDE)
GUIDES: Mapping[str, Guide] = {
    "": _guide(),
    "layer_cam": _guide(specific="layer_cam"),
    "mean": _guide(agnostic="mean"),
    "sum": _guide(agnostic="sum"),
    "otsu": _guide(threshold="otsu"),
    "top fifth": _guide(threshold=Top(0.2)),
}
THRESHOLDS = ("", "otsu", "top fifth")


class Scored(NamedTuple):
    """Pictures that a network calls normal.

    Args:
        missed: `(pictures,)` whether there is a defect.
        scores: by name `(pictures,)`, larger is more doubtful.
        rows: `(pictures,)` their numbers in the part.
    """

    missed: np.ndarray
    scores: Mapping[str, np.ndarray]
    rows: np.ndarray


class Outcome(NamedTuple):
    """What one seed's network gives on one set.

    Args:
        validation: pictures for choosing.
        test: pictures for judging.
        tried: the test pictures that A2 and A3 were tried on.
        chosen: names of the scores that are best on the validation pictures: "guide" of all,
            "radius" of the default guide with A1, "enhanced" of A1 with any threshold.
        empty: share of empty maps among test pictures: of normal, of defect, of no class, each for
            true negatives and for missed defects; NaN where there are none.
        defects: defective test pictures.
    """

    validation: Scored
    test: Scored
    tried: Scored
    chosen: Mapping[str, str]
    empty: Mapping[str, list[float]]
    defects: int


class Camera(nnx.Module):
    """A network that takes pictures as they are: grey levels from 0 to 1, `(batch, h, w, 1)`."""

    def __init__(self, net: StagedNet) -> None:
        self.net = net

    def features(self, x: Array) -> Array:
        """Activations of the last stage."""
        return self.net.features(preprocess(x))

    def head(self, features: Array) -> Array:
        """Logits."""
        return self.net.head(features)


def outcome(lab: Lab, which: Set, seed: int) -> Outcome:
    """All scores of one seed and set, recalled or computed."""
    name = f"{lab.data.name}, reliability, {which}, {seed}"
    stored = lab.recall(name, partial(_outcome, lab, which, seed))
    chosen = stored["chosen"]
    validation, test, tried = (
        _read(stored[key], chosen) for key in ("validation", "test", "tried")
    )
    return Outcome(validation, test, tried, chosen, stored["empty"], stored["defects"])


def pieces(lab: Lab) -> Pieces:
    """The outcomes of each set and seed, which need no others, as functions that keep them."""
    return by_seed(lab, outcome, SETS)


def _read(stored: Mapping[str, Any], chosen: Mapping[str, str]) -> Scored:
    scores = {name: np.array(values, float) for name, values in stored["scores"].items()}
    radius = chosen["radius"]
    aliases = {GUIDE: radius, CHOSEN: chosen["guide"], NO_MAP: radius.replace("diff", "margin")}
    scores |= {alias: scores[name] for alias, name in aliases.items() if name in scores}
    return Scored(np.array(stored["missed"], bool), scores, np.array(stored["rows"], int))


def _outcome(lab: Lab, which: Set, seed: int) -> dict[str, Any]:
    """Scores of both parts as JSON types; the test pictures are asked for last, and once."""
    fold = study.fold(lab, which, seed)
    held_out = fold.allowed(fold.validation)
    judged = _Judged(lab, which, seed, fold.train, held_out)
    validation = judged(held_out)
    missed = np.array(validation["missed"], bool)

    def area(name: str, rows: np.ndarray) -> float:
        return float(np.nan_to_num(auroc(np.array(validation["scores"][name]), missed), nan=0.5))

    chosen = {
        "radius": fold.choose("radius", [named(level=level) for level in LEVELS], area),
        "guide": fold.choose("guide", PLAIN + ENHANCED, area),
        "enhanced": fold.choose("threshold and radius", TUNED, area),
    }
    return {
        "validation": validation,
        "chosen": chosen,
        "defects": int(judged.known.labels[fold.test].sum()),
        **fold.judge(partial(judged.test, chosen["radius"])),
    }


def named(variant: str = "", level: float | int = 0) -> str:
    """The name of a difference of overlaps: a variant of the guide, and the radius of A1."""
    return f"diff{', ' if variant else ''}{variant}" + (f" + A1 {level}" if level else "")


SPECIFIC: tuple[Score, ...] = ("spec1", "spec0")
PLAIN = (*(named(variant) for variant in GUIDES), *SPECIFIC)
ENHANCED = tuple(f"{name} + A1 {level}" for level in LEVELS for name in PLAIN)
TUNED = tuple(named(variant, level) for level in LEVELS for variant in THRESHOLDS)


class _Judged:
    """One seed's network and all that scores its answers."""

    def __init__(
        self, lab: Lab, which: Set, seed: int, train: np.ndarray, held_out: np.ndarray
    ) -> None:
        self.known, self.key = study.part(lab, which), study.key(lab, seed)
        self.net = study.baseline(lab, which, seed)
        self.others = [_member(lab, which, seed, number) for number in range(1, MEMBERS)]
        self.halves = Split(*map(as_pytree, split(Camera(study.whole(lab, which, self.net)))))
        # What the distances of features are measured to.
        self.taught = _features(self.net, self.known.entered[0, train]), self.known.labels[train]
        answers = study.networks.outputs(self.net, self.known.entered[0, held_out])
        self.temperature = doubts.fitted_temperature(answers, self.known.labels[held_out])

    def __call__(self, rows: np.ndarray) -> dict[str, Any]:
        return self._scored(rows)[0]

    def test(self, radius: str, rows: np.ndarray) -> dict[str, Any]:
        """The same, with the few pictures that A2 and A3 are tried on, and the empty maps."""
        test, empty = self._scored(rows)
        truth = np.array(test["missed"], bool)
        shares = {
            name: [_share(empty[part, place]) for place in range(3)]
            for name, part in (("missed", truth), ("normal", ~truth))
        }
        places = [np.flatnonzero(part)[: CHUNK // 2] for part in (truth, ~truth)]
        tried = self._tried(radius, test, np.concatenate(places))
        return {"test": test, "tried": tried, "empty": shares}

    def _scored(self, rows: np.ndarray) -> tuple[dict[str, Any], np.ndarray]:
        answers = study.networks.outputs(self.net, self.known.entered[0, rows])
        called = study.margin(answers) <= 0
        rows = rows[called]
        entered = self.known.entered[0, rows]
        maps, empty = self._over_chunks(_chunk_scores, rows)
        scores = {name: score(answers[called]) for name, score in doubts.OF_LOGITS.items()}
        scores["temperature"] = doubts.confidence(answers[called], self.temperature)
        scores["scaled energy"] = doubts.energy(answers[called], self.temperature)
        scores |= _of_features(self.taught, _features(self.net, entered))
        scores |= _of_members(self.key, (self.net, *self.others), entered)
        return _kept(self.known.labels[rows] == 1, scores | maps, rows), empty

    def _tried(self, radius: str, test: Mapping[str, Any], places: np.ndarray) -> dict[str, Any]:
        rows, missed = (np.array(test[name])[places] for name in ("rows", "missed"))
        slow = partial(_slow_scores, level=float(radius.rsplit(" ", 1)[1]))
        found = self._over_chunks(slow, rows.astype(int))
        known = {name: np.array(test["scores"][name])[places] for name in ("diff", radius)}
        return _kept(missed.astype(bool), known | found, rows)

    def _over_chunks(self, scores: Callable[[Split, Array], Any], rows: np.ndarray) -> Any:
        images = self.known.images[rows][..., None]
        parts = [scores(self.halves, jnp.asarray(chunk)) for chunk in _chunks(images)]
        return jax.tree.map(lambda *leaves: np.concatenate(leaves)[: len(rows)], *parts)


def _kept(missed: np.ndarray, scores: Mapping[str, Any], rows: np.ndarray) -> dict[str, Any]:
    kept = {name: _rounded(values) for name, values in scores.items()}
    return {"missed": missed.tolist(), "scores": kept, "rows": rows.tolist()}


def _features(net: StagedNet, entered: np.ndarray) -> np.ndarray:
    found = [np.asarray(doubts.penultimate(net, jnp.asarray(c))) for c in _chunks(entered)]
    return np.concatenate(found)[: len(entered)]


def _of_features(taught: tuple[np.ndarray, np.ndarray], found: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "Mahalanobis": doubts.Mahalanobis.fit(*taught)(found),
        "trust score": doubts.trust_score(*taught, found),
    }


def _of_members(
    key: Array, nets: tuple[StagedNet, ...], entered: np.ndarray
) -> dict[str, np.ndarray]:
    """Disagreement among networks, and among passes of the first with silent channels."""
    passes = [doubts.mc_dropout(nets[0], jnp.asarray(chunk), key) for chunk in _chunks(entered)]
    dropped = np.concatenate([np.asarray(p) for p in passes], axis=1)[:, : len(entered)]
    answers = [study.networks.outputs(net, entered) for net in nets]
    members = 1 / (1 + np.exp(-np.stack([study.margin(answer) for answer in answers])))
    return {"MC dropout": doubts.disagreement(dropped), "ensemble": doubts.disagreement(members)}


def _member(lab: Lab, which: Set, seed: int, number: int) -> StagedNet:
    """Another network that learned what the judged one did, from another start."""

    def make() -> Any:
        start = study.build(lab, which, 1000 * number + seed)
        return study.train(lab, which, seed, net=start)

    return study.recalled(lab, f"plain, member {number}", which, seed, make)


def _chunk_scores(halves: Split, x: Array) -> tuple[dict[str, Array], Array]:
    """Scores of all guides, plain and after A1, and which maps of the first are empty."""
    scores, _, empty = _scores(halves, x)
    scores, slopes = dict(scores), slope(halves, x, GUIDES[""])
    for level in LEVELS:
        moved = fgsm(lambda _: slopes, x, Box(level / 255))  # one gradient for all radii
        found, margin, _ = _scores(halves, moved)
        scores |= {f"{name} + A1 {level}": values for name, values in found.items()}
        scores[f"margin + A1 {level}"] = margin
    return scores, empty


def _slow_scores(halves: Split, x: Array, *, level: float) -> dict[str, Array]:
    """Scores of the default guide after A2 and A3."""
    box = Box(level / 255)
    slow = {"A2": _guide(enhance="pgd", box=box), "A3": _guide(enhance="soft_iou", box=box)}
    return {
        f"diff + {name}": _scores(halves, enhanced(halves, x, guide))[0]["diff"]
        for name, guide in slow.items()
    }


@jax.jit
def _scores(halves: Split, x: Array) -> tuple[dict[str, Array], Array, Array]:
    """Scores by name, margins and empty maps of the default guide; one program for all guides."""
    views = {variant: look(halves, x, guide) for variant, guide in GUIDES.items()}
    found = {
        named(variant): doubt(view.overlap_normal, view.overlap_defect)
        for variant, view in views.items()
    }
    first = views[""]
    for score in SPECIFIC:
        found[score] = doubt(first.overlap_normal, first.overlap_defect, score)
    return found, first.margin, first.empty


def _chunks(rows: np.ndarray) -> list[np.ndarray]:
    """Rows in chunks of one shape, the last one filled up with zeros."""
    missing = -len(rows) % CHUNK if len(rows) else CHUNK
    padded = np.concatenate([rows, np.zeros((missing, *rows.shape[1:]), rows.dtype)])
    return np.split(padded, len(padded) // CHUNK)


def _share(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in np.asarray(values, np.float64)]
