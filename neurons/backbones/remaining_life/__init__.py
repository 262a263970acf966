"""Remaining life of bearings from records of their vibration."""

from neurons.backbones.remaining_life.baselines import Constant as Constant
from neurons.backbones.remaining_life.baselines import LinearRMS as LinearRMS
from neurons.backbones.remaining_life.baselines import MeanLife as MeanLife
from neurons.backbones.remaining_life.multi_scale import MultiScaleCNN as MultiScaleCNN
from neurons.backbones.remaining_life.sal_cnn import SALCNN as SALCNN
from neurons.backbones.remaining_life.sal_cnn import stretches as stretches
from neurons.backbones.remaining_life.spectrograms import Standardiser as Standardiser
from neurons.backbones.remaining_life.spectrograms import band_rows as band_rows
from neurons.backbones.remaining_life.spectrograms import log_spectrogram as log_spectrogram
