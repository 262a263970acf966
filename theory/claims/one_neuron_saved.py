"""Claims of "One Neuron Saved Is One Neuron Earned" (arXiv 2303.06316), with controls by size.

Every comparison is made at equal neurons and at equal parameters. Most need no data; "cwru" are
bearing records, "magnetic_tile" defects with masks, "images" small pictures.
"""

from neurons.data import simulated_cwru, simulated_shapes, simulated_tiles
from theory.claims import one_neuron_images as images
from theory.claims import one_neuron_tasks as tasks
from theory.claims import one_neuron_theory as rates
from theory.claims.claim import Claim, no_data

PAPER = "F.-L. Fan et al., One Neuron Saved Is One Neuron Earned, arXiv 2303.06316"
RELINEAR = "F.-L. Fan et al., arXiv 2110.06081 (ReLinear), abstract and code"
UNREAD = "No number at hand: the paper's tables were not readable to us."
SMALL = (
    "One hidden layer, Adam, standardised inputs; learning rate (conventional) or scale of the "
    "quadratic part (quadratic) chosen from three on held-out examples; fresh test examples. The "
    "paper's code makes its optimizer anew for every batch and feeds a softmax to the loss."
)
RESIDUAL = (
    "The paper's architecture with first-stage width 4 in place of 16, images of 16 x 16 in place "
    "of 32, batches of 32 in place of 128 at a quarter of its rate, 120 epochs in place of 200, no "
    "augmentation."
)
FIRST_STEPS = (
    "First-stage width 4, images of 8 x 8, batches of 16 at the paper's rate of 0.1, a start "
    "uniform in place of normal; a run of the first steps diverges if its loss is not finite or "
    "exceeds ten times that of guessing. ReLinear's scale is 0.001."
)


CLAIMS = (
    Claim(
        "one_neuron_saved",
        "spheres",
        "On concentric spheres in 2, 10 and 50 dimensions a quadratic network needs fewer "
        "parameters for 99 % accuracy",
        f"{PAPER}, synthetic experiments (code)",
        UNREAD,
        f"{SMALL} 1,600 training points.",
        tasks.spheres,
        no_data,
        None,
        tasks.FAULTS["spheres"],
    ),
    Claim(
        "one_neuron_saved",
        "targets",
        "At equal parameters a quadratic network errs less on a product, a squared radius and a "
        "curved kink",
        f"{PAPER}, abstract (nonlinear interactions cost less); the targets are ours",
        UNREAD,
        f"{SMALL} Ten dimensions, 1,600 training points.",
        tasks.targets,
        no_data,
        None,
        tasks.FAULTS["targets"],
    ),
    Claim(
        "one_neuron_saved",
        "task_dependent",
        "On clusters drawn as make_classification does, a quadratic network has no advantage at "
        "equal parameters (at most two points)",
        f"{PAPER}, abstract (the gain depends on the task); the task is in its code",
        UNREAD,
        f"{SMALL} Ten classes, 50 informative features, 4,000 training points.",
        tasks.task_dependent,
        no_data,
        None,
        tasks.FAULTS["task_dependent"],
    ),
    Claim(
        "one_neuron_saved",
        "dimension_free_rate",
        "n random conventional neurons approximate |x| with error n^(-1/2), with a constant that "
        "does not grow with the dimension",
        f"{PAPER}, abstract (dimension-free error in a Barron-type space); exact rate ours",
        "No number; a rate of 1/2.",
        "Monte-Carlo networks, no training; prediction in closed form.",
        rates.monte_carlo_slope,
        no_data,
        None,
        rates.FAULTS["monte_carlo_slope"],
    ),
    Claim(
        "one_neuron_saved",
        "norm_growth",
        "Conventional neurons for 1 % error on |x|^2 grow with the dimension; one quadratic neuron "
        "is exact",
        f"{PAPER}, abstract (the conventional error depends on the dimension); the case is ours",
        "No number.",
        "x ~ N(0, I), mean removed; directions chosen best possible, in closed form.",
        rates.norm_growth,
        no_data,
        None,
        rates.FAULTS["norm_growth"],
    ),
    Claim(
        "one_neuron_saved",
        "curved_kink",
        "A kink along a circle is exact with one quadratic neuron and costs conventional ones many",
        f"{PAPER}, abstract; W. E, S. Wojtowytsch 2020: such kinks are in no Barron space",
        "No number.",
        "Orthogonal greedy choice from a fixed dictionary of ridges, no training.",
        rates.curved_kink,
        no_data,
        None,
        rates.FAULTS["curved_kink"],
    ),
    Claim(
        "one_neuron_saved",
        "slim_qcnn",
        "On CWRU 0 hp at -6 dB a slim QCNN of 16,262 parameters is at least as good as WDCNN with "
        "66,790",
        f"{PAPER}, bearing-fault experiment (code)",
        UNREAD,
        "Settings from six-point grids for either network; effort and windows as the budget says.",
        tasks.slim_qcnn,
        simulated_cwru,
        "cwru",
        tasks.FAULTS["slim_qcnn"],
    ),
    Claim(
        "one_neuron_saved",
        "segmentation",
        "QUNet with a fifth of UNet's parameters segments at least as well",
        f"{PAPER}, segmentation of cars and cells",
        f"QUNet 5.78 M parameters against UNet 31.04 M. {UNREAD}",
        "Surface defects in place of cars and cells, averaged to 32 x 32 pixels; both networks at "
        "a quarter of the paper's widths; Adam with cosine annealing, rate and scale chosen from "
        "three points for either; Dice pooled over all test pixels.",
        images.segmentation,
        simulated_tiles,
        "magnetic_tile",
        images.FAULTS["segmentation"],
    ),
    Claim(
        "one_neuron_saved",
        "small_images",
        "At equal depth QResNet-20 classifies small images at least as well as ResNet-20",
        f"{RELINEAR}; QResNet is one of the networks of {PAPER}",
        UNREAD,
        RESIDUAL,
        images.small_images,
        simulated_shapes,
        "images",
        images.FAULTS["small_images"],
    ),
    Claim(
        "one_neuron_saved",
        "scale_sweep",
        "The best learning-rate scale of QResNet's quadratic part lies above 0 and is at least as "
        "good as 0",
        f"{RELINEAR}, figure 2",
        "A curve that rises from the conventional network's error rate; no number at hand.",
        RESIDUAL,
        images.scale_sweep,
        simulated_shapes,
        "images",
        images.FAULTS["scale_sweep"],
    ),
    Claim(
        "one_neuron_saved",
        "relinear_converges",
        "Under batch normalisation, as in the paper, QResNets of depth 20 and 56 diverge more "
        "often from a common start than from ReLinear's",
        RELINEAR,
        "Stated for the training of quadratic networks; no number at hand.",
        FIRST_STEPS,
        images.relinear_converges,
        simulated_shapes,
        "images",
        images.FAULTS["relinear_converges"],
    ),
    Claim(
        "one_neuron_saved",
        "relinear_converges_without_norm",
        "Without batch normalisation QResNets of depth 20 and 56 diverge more often from a common "
        "start than from ReLinear's",
        f"{RELINEAR}; without normalisation: ours",
        "Stated for the training of quadratic networks; no number at hand.",
        FIRST_STEPS,
        images.relinear_converges_without_norm,
        simulated_shapes,
        "images",
        images.FAULTS["relinear_converges_without_norm"],
    ),
)
