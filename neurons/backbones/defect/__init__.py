"""Classifiers and segmentation networks for images of surfaces, cut into stages."""

from neurons.backbones.defect.encoder_unet import EncoderUNet as EncoderUNet
from neurons.backbones.defect.mobilenet import mobilenet_v2 as mobilenet_v2
from neurons.backbones.defect.multi_task import MultiTask as MultiTask
from neurons.backbones.defect.multi_task import MultiTaskNet as MultiTaskNet
from neurons.backbones.defect.preprocessing import preprocess as preprocess
from neurons.backbones.defect.resnet import resnet18 as resnet18
from neurons.backbones.defect.resnet import resnet34 as resnet34
from neurons.backbones.defect.staged import StagedNet as StagedNet
from neurons.backbones.defect.torch_names import load as load
from neurons.backbones.defect.torch_names import to_torch as to_torch
from neurons.backbones.defect.vgg import vgg16 as vgg16
