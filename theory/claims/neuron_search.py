"""Claims on our own neuron search: what it recovers, and what its compressed data is worth.

There is no paper: the claims are ours, and each can be refuted like any other.
"""

from theory.claims import neuron_search_compression as compression
from theory.claims import neuron_search_experiments as run
from theory.claims.claim import Claim, no_data
from theory.claims.neuron_search_problems import public, unseen

OURS = "ours; design measured against arXiv 2405.02369's search"
NONE = "No number: that paper searches with genetic programming and prints no recoveries of these."
SAMPLES = "1,000 samples, inputs uniform on [-2, 2], the search's default settings."
FRESH = "Exact: relative error below 1e-6 on fresh data from a range 20 % wider."
STRUCTURE = (
    "Structure: with its inner constants refitted to the noise-free curve, the formula equals the "
    "true function to 1e-6, and it has no more terms and no more inner constants than that. The "
    "design's author knew the twelve functions."
)
POWERS = {"powers_only": run.FAULTS["powers_only"]}

CLAIMS = (
    Claim(
        "neuron_search",
        "exact_without_noise",
        "Without noise the search finds each of the twelve public functions exactly, with 5, 10 "
        "and 50 inputs",
        OURS,
        NONE,
        f"{SAMPLES} {FRESH} The design's author knew the twelve functions.",
        run.exact_without_noise,
        public,
        None,
        run.FAULTS,
    ),
    Claim(
        "neuron_search",
        "structure_at_1_percent_noise",
        "At 1 % noise the best formula has the true structure in at least 20 of 24 problems "
        "(twelve public functions, two data sets each)",
        OURS,
        NONE,
        f"{SAMPLES} 5 inputs. {STRUCTURE}",
        run.structure_under_little_noise,
        public,
        None,
        POWERS,
    ),
    Claim(
        "neuron_search",
        "structure_at_10_percent_noise_as_stated",
        "At 10 % noise the best formula has the true structure in at least 18 of 24 problems",
        OURS,
        NONE,
        f"{SAMPLES} 5 inputs. {STRUCTURE}",
        run.structure_under_much_noise,
        public,
        None,
        POWERS,
    ),
    Claim(
        "neuron_search",
        "fits_like_the_truth",
        "At 10 % noise no true structure is overlooked: in each of 24 problems the best formula "
        "has a BIC at most 2 above that of the true structure fitted to the same data, so that "
        "where another is chosen, the data chose it",
        OURS,
        NONE,
        f"{SAMPLES} 5 inputs. {STRUCTURE}",
        run.fits_like_the_truth,
        public,
        None,
        POWERS,
    ),
    Claim(
        "neuron_search",
        "unseen_functions",
        "Of 24 functions outside the design (compositions, shifts, products, two inner constants, "
        "rational, not smooth) at least two thirds are found exactly within 10 s each",
        OURS,
        NONE,
        f"{SAMPLES} 5 inputs. {FRESH} Seconds of processor time. The functions were written down "
        "before the search was first run on them, by someone who knew its language.",
        run.unseen_functions,
        unseen,
        None,
        run.FAULTS,
    ),
    Claim(
        "neuron_search",
        "compressed_loss_is_exact",
        "The compressed data gives the squared loss of any smooth function to 1e-9, whatever the "
        "numbers of samples and inputs",
        OURS,
        "No number.",
        "Random sums of a wave, an exponential and a bell; 40 to 20,000 samples, 1 to 100 inputs.",
        compression.loss_is_exact,
        no_data,
        None,
        {"few_moments": "16 moments are kept in place of 64"},
    ),
    Claim(
        "neuron_search",
        "shards_merge_exactly",
        "Triangles of parts of the data merge to the triangle of the whole, to 1e-12",
        OURS,
        "No number.",
        "5,000 samples of 10 inputs in eight parts of random size.",
        compression.merging_is_exact,
        no_data,
        None,
        {"lost_shard": "the first part is left out"},
    ),
    Claim(
        "neuron_search",
        "compression_is_linear",
        "Eight times the data costs at most nine times the compression",
        OURS,
        "No number.",
        "8,000 and 64,000 samples of 20 inputs: whole blocks of the compression. On the machine "
        "that checks.",
        compression.compression_is_linear,
        no_data,
        None,
        {"compress_twice": "the larger data is compressed twice"},
    ),
    Claim(
        "neuron_search",
        "band_covers",
        "The 95 % band of the deconvolved curve holds the true curve at 90 to 99 % of its points",
        OURS,
        "No number.",
        "Three of the public functions, 5 inputs, 1,000 samples, 10 % noise; the degree of the "
        "curve is chosen by BIC on the same data.",
        compression.band_covers,
        no_data,
        None,
        {"half_errors": "the standard errors are halved"},
    ),
    Claim(
        "neuron_search",
        "ceiling_tells_interactions",
        "Where products of inputs make half of the target's variance, the lack-of-fit test puts "
        "the ceiling of R^2 for any task-based neuron at 0.5 (to 0.05)",
        OURS,
        "No number.",
        "2,000 samples of 6 inputs, products of pairs of inputs, no noise.",
        compression.ceiling_tells_interactions,
        no_data,
        None,
        {"no_interactions": "the target has no products"},
    ),
    Claim(
        "neuron_search",
        "noise_is_known",
        "For an additive target the lack-of-fit test knows the noise to 10 % before any search",
        OURS,
        "No number.",
        "2,000 samples of 6 inputs, 10 % noise.",
        compression.noise_is_known,
        no_data,
        None,
        {"interactions": "half of the target's variance is products of inputs, without noise"},
    ),
    Claim(
        "neuron_search",
        "search_is_free_of_inputs",
        "After compression a search with 100 inputs takes at most 1.5 times as long as with 5",
        f"{OURS}; against tnlearn it is measured by `make peers`",
        "No number.",
        "5,000 samples without noise, searched from the triangle; on the machine that checks.",
        compression.search_is_free_of_inputs,
        no_data,
        None,
        {"raw_samples": "the time of sixty formulas on the samples themselves is added"},
    ),
)
