"""Metrics of explanations: one value per image, NaN where undefined.

Where masks are known: segmentations from maps (`thresholds`), rankings (`ranking`), the place of
the relevance (`localisation`), the shape of what is marked (`shapes`). Of the map alone: how
concentrated it is (`complexity`). With the network, as a function from inputs to scores or from
inputs to maps: whether the map is faithful (`faithfulness`, `road`, `axioms`,
`coherence`), whether it is robust
(`robustness`), whether it depends on the parameters (`randomisation`) and on the class
(`discrimination`).
"""

from neurons.explain.metrics.axioms import completeness as completeness
from neurons.explain.metrics.axioms import infidelity as infidelity
from neurons.explain.metrics.coherence import adcc as adcc
from neurons.explain.metrics.coherence import arcc as arcc
from neurons.explain.metrics.coherence import coherency as coherency
from neurons.explain.metrics.complexity import complexity as complexity
from neurons.explain.metrics.complexity import effective_complexity as effective_complexity
from neurons.explain.metrics.complexity import histogram_entropy as histogram_entropy
from neurons.explain.metrics.complexity import l1_complexity as l1_complexity
from neurons.explain.metrics.complexity import sparseness as sparseness
from neurons.explain.metrics.discrimination import Discrimination as Discrimination
from neurons.explain.metrics.discrimination import class_discrimination as class_discrimination
from neurons.explain.metrics.discrimination import random_logit as random_logit
from neurons.explain.metrics.faithfulness import Curve as Curve
from neurons.explain.metrics.faithfulness import average_drop as average_drop
from neurons.explain.metrics.faithfulness import deletion as deletion
from neurons.explain.metrics.faithfulness import increase_in_confidence as increase_in_confidence
from neurons.explain.metrics.faithfulness import insertion as insertion
from neurons.explain.metrics.faithfulness import replacement_curve as replacement_curve
from neurons.explain.metrics.layers import layer_names as layer_names
from neurons.explain.metrics.layers import layers_by_use as layers_by_use
from neurons.explain.metrics.localisation import pointing_game as pointing_game
from neurons.explain.metrics.localisation import relevance_mass as relevance_mass
from neurons.explain.metrics.localisation import relevance_rank as relevance_rank
from neurons.explain.metrics.localisation import top_k_intersection as top_k_intersection
from neurons.explain.metrics.randomisation import Randomisation as Randomisation
from neurons.explain.metrics.randomisation import efficient_randomisation as efficient_randomisation
from neurons.explain.metrics.randomisation import parameter_randomisation as parameter_randomisation
from neurons.explain.metrics.ranking import auc as auc
from neurons.explain.metrics.ranking import aupro as aupro
from neurons.explain.metrics.ranking import pixel_ap as pixel_ap
from neurons.explain.metrics.road import Road as Road
from neurons.explain.metrics.road import impute as impute
from neurons.explain.metrics.road import road as road
from neurons.explain.metrics.robustness import Sensitivity as Sensitivity
from neurons.explain.metrics.robustness import avg_sensitivity as avg_sensitivity
from neurons.explain.metrics.robustness import local_lipschitz as local_lipschitz
from neurons.explain.metrics.robustness import max_sensitivity as max_sensitivity
from neurons.explain.metrics.robustness import sensitivity as sensitivity
from neurons.explain.metrics.shapes import boundary as boundary
from neurons.explain.metrics.shapes import boundary_f as boundary_f
from neurons.explain.metrics.shapes import components as components
from neurons.explain.metrics.shapes import components_per_region as components_per_region
from neurons.explain.metrics.shapes import euler as euler
from neurons.explain.metrics.shapes import holes as holes
from neurons.explain.metrics.shapes import regions as regions
from neurons.explain.metrics.similarity import pearson as pearson
from neurons.explain.metrics.similarity import spearman as spearman
from neurons.explain.metrics.thresholds import GRID as GRID
from neurons.explain.metrics.thresholds import Confusion as Confusion
from neurons.explain.metrics.thresholds import best_threshold as best_threshold
from neurons.explain.metrics.thresholds import confusion as confusion
from neurons.explain.metrics.thresholds import f1 as f1
from neurons.explain.metrics.thresholds import iou as iou
from neurons.explain.metrics.thresholds import miou as miou
from neurons.explain.metrics.thresholds import precision as precision
from neurons.explain.metrics.thresholds import recall as recall
from neurons.explain.metrics.thresholds import score as score
