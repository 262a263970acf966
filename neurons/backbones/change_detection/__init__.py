"""What changed between two pictures of a place: networks, losses and metrics."""

from neurons.backbones.change_detection.contrast import contrast as contrast
from neurons.backbones.change_detection.contrast import region_means as region_means
from neurons.backbones.change_detection.losses import dice_loss as dice_loss
from neurons.backbones.change_detection.losses import focal_loss as focal_loss
from neurons.backbones.change_detection.losses import lovasz_softmax as lovasz_softmax
from neurons.backbones.change_detection.maps import ChangeLogits as ChangeLogits
from neurons.backbones.change_detection.maps import change_evidence as change_evidence
from neurons.backbones.change_detection.maps import change_loss as change_loss
from neurons.backbones.change_detection.metrics import Tally as Tally
from neurons.backbones.change_detection.metrics import only_changed as only_changed
from neurons.backbones.change_detection.s2m import S2M as S2M
from neurons.backbones.change_detection.s2m import alignment_loss as alignment_loss
from neurons.backbones.change_detection.s2m import reading as reading
from neurons.backbones.change_detection.sentence_bank import SlotBank as SlotBank
from neurons.backbones.change_detection.sentence_bank import TextBank as TextBank
from neurons.backbones.change_detection.sentence_bank import Vocabulary as Vocabulary
from neurons.backbones.change_detection.tri_path import TriPath as TriPath
