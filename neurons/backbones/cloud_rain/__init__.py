"""Networks on clouds of points that reflections and rotations leave alone, and what they need."""

from neurons.backbones.cloud_rain.blocks import without_shifts as without_shifts
from neurons.backbones.cloud_rain.dgcnn import DGCNN as DGCNN
from neurons.backbones.cloud_rain.dgcnn import EdgeConv as EdgeConv
from neurons.backbones.cloud_rain.edges import EdgeDense as EdgeDense
from neurons.backbones.cloud_rain.edges import JointDense as JointDense
from neurons.backbones.cloud_rain.frames import Canonical as Canonical
from neurons.backbones.cloud_rain.frames import canonical as canonical
from neurons.backbones.cloud_rain.frames import frames as frames
from neurons.backbones.cloud_rain.frames import point_frame as point_frame
from neurons.backbones.cloud_rain.frames import trusted as trusted
from neurons.backbones.cloud_rain.geometry import farthest_points as farthest_points
from neurons.backbones.cloud_rain.geometry import gather as gather
from neurons.backbones.cloud_rain.geometry import knn as knn
from neurons.backbones.cloud_rain.invariant import Invariant as Invariant
from neurons.backbones.cloud_rain.invariant import SignFeatures as SignFeatures
from neurons.backbones.cloud_rain.parts import DGCNNParts as DGCNNParts
from neurons.backbones.cloud_rain.parts import PartFeatures as PartFeatures
from neurons.backbones.cloud_rain.parts import PointNetParts as PointNetParts
from neurons.backbones.cloud_rain.pointnet import PointNet as PointNet
from neurons.backbones.cloud_rain.pointnet import orthogonality_penalty as orthogonality_penalty
from neurons.backbones.cloud_rain.pointnet2 import MULTI_SCALE as MULTI_SCALE
from neurons.backbones.cloud_rain.pointnet2 import SINGLE_SCALE as SINGLE_SCALE
from neurons.backbones.cloud_rain.pointnet2 import Level as Level
from neurons.backbones.cloud_rain.pointnet2 import PointNet2 as PointNet2
from neurons.backbones.cloud_rain.pointnet2 import Scale as Scale
from neurons.backbones.cloud_rain.pointnet2 import SetAbstraction as SetAbstraction
