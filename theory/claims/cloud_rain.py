"""Claims of "Cloud-RAIN: Point Cloud Analysis with Reflectional Invariance" (arXiv 2305.07814).

The paper's tables were not at hand; statements are checked on drawn shapes, on ModelNet10's chairs
and monitors, and on MNIST's digits as points of the plane. The released code holds no principal
axes and full quadratic neurons: the construct that the theorem needs, power-only neurons in
principal axes, is our reading, and both are checked.
"""

from collections.abc import Callable, Mapping
from functools import partial

from neurons.data import simulated
from theory.claims import cloud_rain_accuracy as accuracy
from theory.claims import cloud_rain_hands as hands
from theory.claims import cloud_rain_invariance as gaps
from theory.claims.claim import Claim, Finding, Lab, no_data

PAPER = "Y. Cui et al., Cloud-RAIN, arXiv 2305.07814"
READING = "our reading of its construct: power-only neurons on coordinates in principal axes"
CODE = "released code, commit 9627333"
UNREAD = "No number at hand: the paper's tables were not readable to us."
NETS = (
    "PointNets of widths 16, 32, 64 with a hidden layer of 32 on 72 points, Adam, 2,000 steps "
    "times the budget's effort; the paper trains PointNet, DGCNN and PointNet++ of full width on "
    "ModelNet40, ShapeNetPart, S3DIS and ScanNet."
)
DRAWN = f"{NETS} Sixteen drawn shapes, left and right of a pair one class."
SETS = {
    "drawn shapes": ("", None, partial(simulated, "pointclouds")),
    "ModelNet10's chairs and monitors": (
        "_modelnet10", "modelnet10", partial(simulated, "modelnet10"),
    ),
    "MNIST's digits as points": (
        "_mnist_points", "mnist_points", partial(simulated, "mnist_points"),
    ),
}  # fmt: skip


def _drawn(
    name: str,
    statement: str,
    source: str,
    experiment: Callable[[Lab], Finding],
    faults: Mapping[str, Mapping[str, str]],
) -> Claim:
    """A claim checked on drawn shapes."""
    return Claim(
        "cloud_rain", name, statement, source, UNREAD, DRAWN, experiment,
        SETS["drawn shapes"][2], None, faults[name],
    )  # fmt: skip


def _on_every_set(
    name: str, statement: str, source: str, experiment: Callable[[Lab], Finding]
) -> tuple[Claim, ...]:
    """The claim on drawn shapes, on ModelNet10 and on MNIST."""
    return tuple(
        Claim(
            "cloud_rain", f"{name}{suffix}", f"{statement}, on {words}", source, UNREAD,
            f"{NETS} Clouds stand upright; test mirrors are oblique, one for every cloud.",
            experiment, simulate, data, accuracy.FAULTS[name],
        )
        for words, (suffix, data, simulate) in SETS.items()
    )  # fmt: skip


CLAIMS = (
    _drawn(
        "invariance",
        "Power-only neurons in principal axes leave no logit changed by more than 1e-4 under axis "
        "mirrors, oblique mirrors and improper rotations",
        f"{PAPER}, theorem, in {READING}",
        gaps.invariance,
        gaps.FAULTS,
    ),
    _drawn(
        "edges_invariance",
        "The same holds for a power-only DGCNN in principal axes: no logit changes by more than "
        "1e-4",
        f"{PAPER}, theorem, in {READING}",
        gaps.edges_invariance,
        gaps.FAULTS,
    ),
    _drawn(
        "edges_mostly_invariant",
        "In float32, fewer than one cloud in a hundred sees a logit of a power-only DGCNN in "
        "principal axes change by more than 1e-4",
        "Ours (what is left of the theorem where neighbours are chosen)",
        gaps.edges_mostly_invariant,
        gaps.FAULTS,
    ),
    _drawn(
        "quadratic_in_axes",
        "A full quadratic neuron in principal axes is not invariant: mirrors change logits by more "
        "than 0.1",
        f"Ours, on {PAPER}: its code has the full quadratic form",
        gaps.quadratic_in_axes,
        gaps.FAULTS,
    ),
    _drawn(
        "released_network",
        "The released network, full quadratic and without principal axes, is not invariant: "
        "mirrors change logits by more than 0.1",
        f"Ours, on {PAPER}, {CODE}",
        gaps.released_network,
        gaps.FAULTS,
    ),
    *(
        Claim(
            "cloud_rain",
            name,
            statement,
            f"{PAPER}, {CODE}, option --permute",
            "The code negates channels 1 and 2.",
            "A determinant, computed.",
            experiment,
            no_data,
            None,
            gaps.FAULTS[name],
        )
        for name, statement, experiment in (
            (
                "released_test_as_stated",
                "The released code's test of reflections reflects: its matrix has determinant -1",
                gaps.released_test_as_stated,
            ),
            (
                "released_test",
                "The released code's test of reflections is a rotation: its matrix has "
                "determinant 1",
                gaps.released_test,
            ),
        )
    ),
    _drawn(
        "degenerate_axes",
        "Where variances are equal principal axes are arbitrary: turning the corners of a regular "
        "body changes logits by more than 0.1",
        "Ours (a limit of the theorem, which needs distinct eigenvalues)",
        gaps.degenerate_axes,
        gaps.FAULTS,
    ),
    _drawn(
        "degenerate",
        "With axes built from points where variances are equal, turning the corners of a regular "
        "body changes no logit by more than 1e-4",
        "Ours (what the library does under a relative gap of 0.001)",
        gaps.degenerate,
        gaps.FAULTS,
    ),
    _drawn(
        "jumps",
        "Where the relative gap of a cloud is the limit of 0.001, the fallback jumps: moving "
        "the cloud changes logits by more than 0.1",
        "Ours (no continuous canonical form exists: N. Dym et al., arXiv 2402.16077)",
        gaps.jumps,
        gaps.FAULTS,
    ),
    _drawn(
        "precision",
        "A covariance in float64 at least halves the error of canonical coordinates at a relative "
        "eigen-gap of 0.001",
        "Ours (a failure mode that the library handles)",
        gaps.precision,
        gaps.FAULTS,
    ),
    *_on_every_set(
        "drop_of_invariant",
        "No label of Cloud-RAIN's network changes in a mirror",
        f"{PAPER}, theorem, in {READING}",
        accuracy.drop_of_invariant,
    ),
    *_on_every_set(
        "drop_of_baseline",
        "A plain PointNet loses more than a point of accuracy in mirrors",
        f"{PAPER}, abstract",
        accuracy.drop_of_baseline,
    ),
    *_on_every_set(
        "beats_augmentation",
        "In mirrors Cloud-RAIN's network is more accurate than a PointNet of equally many "
        "parameters trained with augmentation",
        f"{PAPER}, abstract (superior to data augmentation), in {READING}",
        accuracy.beats_augmentation,
    ),
    *_on_every_set(
        "frames_beat_augmentation",
        "In mirrors a PointNet averaged over frames is more accurate than one trained with "
        "augmentation",
        "Ours, after O. Puny et al., Frame Averaging, arXiv 2110.03336",
        accuracy.frames_beat_augmentation,
    ),
    *_on_every_set(
        "cost",
        "Without mirrors Cloud-RAIN's network is at most a point less accurate than a plain "
        "PointNet of equally many parameters",
        f"Ours (the price of what {PAPER} builds in)",
        accuracy.cost,
    ),
    Claim(
        "cloud_rain",
        "signs_unseen",
        "A power-only PointNet in principal axes cannot tell a skewed cloud from one with the same "
        "absolute coordinates: 50 % accuracy",
        "Ours (a limit of the construct); the label is invariant under mirrors",
        "No number.",
        f"{NETS} Pairs of drawn clouds, both turned by O(3).",
        hands.signs_unseen,
        no_data,
        None,
        hands.FAULTS["signs_unseen"],
    ),
    Claim(
        "cloud_rain",
        "signs_seen",
        "Frame averaging and SignNet, as invariant, both reach more than 95 % on the same clouds",
        "Ours, after O. Puny et al., arXiv 2110.03336, and D. Lim et al., SignNet, "
        "arXiv 2202.13013",
        "No number.",
        f"{NETS} Pairs of drawn clouds, both turned by O(3).",
        hands.signs_seen,
        no_data,
        None,
        hands.FAULTS["signs_seen"],
    ),
    Claim(
        "cloud_rain",
        "edges_see_signs",
        "A power-only DGCNN, whose edges hold squared differences, reaches more than 95 % on the "
        "same clouds",
        "Ours (squares of edges know relative signs)",
        "No number.",
        "A DGCNN of widths 8, 16 with 6 neighbours.",
        hands.edges_see_signs,
        no_data,
        None,
        hands.FAULTS["edges_see_signs"],
    ),
    Claim(
        "cloud_rain",
        "hands_lost",
        "Invariance under O(3) destroys chirality: on clouds and their mirror images left and "
        "right are told at most as well as by chance",
        "Ours (what the theorem costs)",
        "No number.",
        f"{NETS} Helices, propellers and chains of blocks of either hand, turned at random.",
        hands.hands_lost,
        hands.simulated_hands,
        None,
        hands.FAULTS["hands_lost"],
    ),
    Claim(
        "cloud_rain",
        "hands_kept",
        "Averages over the frames of SO(3) alone keep chirality: more than 75 % on the same clouds",
        "Ours, after O. Puny et al., Frame Averaging, arXiv 2110.03336",
        "No number.",
        f"{NETS} Helices, propellers and chains of blocks of either hand, turned at random.",
        hands.hands_kept,
        hands.simulated_hands,
        None,
        hands.FAULTS["hands_kept"],
    ),
    _drawn(
        "by_gap",
        "Cloud-RAIN's network is more accurate on clouds of large relative eigen-gap than on those "
        "of small",
        "Ours (axes of small gap are moved by the sampling of points)",
        accuracy.by_gap,
        accuracy.FAULTS,
    ),
    *_on_every_set(
        "rare_gaps",
        "Fewer than one cloud in a hundred has a relative eigen-gap under 0.001",
        "Ours (how often the fallback is needed)",
        accuracy.rare_gaps,
    ),
    _drawn(
        "damaged",
        "Outliers, which move principal axes, cost Cloud-RAIN's network more accuracy than a plain "
        "PointNet",
        "Ours (Davis and Kahan's theorem)",
        accuracy.damaged,
        accuracy.FAULTS,
    ),
)
