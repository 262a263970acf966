"""What changed between two pictures of a place: losses and metrics."""

from neurons.backbones.change_detection.losses import dice_loss as dice_loss
from neurons.backbones.change_detection.losses import focal_loss as focal_loss
from neurons.backbones.change_detection.losses import lovasz_softmax as lovasz_softmax
from neurons.backbones.change_detection.metrics import Tally as Tally
from neurons.backbones.change_detection.metrics import only_changed as only_changed
