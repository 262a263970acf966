"""DINOv3 of transformers with perturbed weights, written to disk; imported with torch."""

import numpy as np
import torch
from transformers import DINOv3ViTConfig, DINOv3ViTModel

KINDS = {
    "plain": {},
    "gated": {"use_gated_mlp": True, "hidden_act": "silu"},
    "gated, no biases of queries and values": {
        "use_gated_mlp": True,
        "hidden_act": "silu",
        "query_bias": False,
        "value_bias": False,
    },
}


def model(folder, seed=0, **options):
    """A small network whose every parameter is at random, in evaluation mode, and its file."""
    torch.manual_seed(seed)
    config = DINOv3ViTConfig(
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_register_tokens=4,
        **options,
    )
    net = DINOv3ViTModel(config).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    net.save_pretrained(folder)
    return net


def sized(width, layers, heads, hidden):
    """A network of a published size, at random, for timings."""
    config = DINOv3ViTConfig(
        hidden_size=width,
        intermediate_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_register_tokens=4,
    )
    return DINOv3ViTModel(config).eval()


def images(batch, height, width, seed=0):
    """The same images for both."""
    x = np.random.default_rng(seed).normal(size=(batch, height, width, 3)).astype(np.float32)
    return x, torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, 1)))
