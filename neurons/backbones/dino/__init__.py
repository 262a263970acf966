"""DINOv3: vision transformers, their published weights, and ways to train little of them."""

from neurons.backbones.dino.adapters import Frozen as Frozen
from neurons.backbones.dino.adapters import freeze as freeze
from neurons.backbones.dino.adapters import low_rank_adapters as low_rank_adapters
from neurons.backbones.dino.preprocessing import SATELLITE as SATELLITE
from neurons.backbones.dino.preprocessing import WEB as WEB
from neurons.backbones.dino.preprocessing import preprocess as preprocess
from neurons.backbones.dino.rotary import rotary_table as rotary_table
from neurons.backbones.dino.variants import VARIANTS as VARIANTS
from neurons.backbones.dino.variants import Shape as Shape
from neurons.backbones.dino.vit import Encoded as Encoded
from neurons.backbones.dino.vit import VisionTransformer as VisionTransformer
from neurons.backbones.dino.weights import dinov3 as dinov3
from neurons.backbones.dino.weights import load as load
from neurons.backbones.dino.weights import shape_of as shape_of
