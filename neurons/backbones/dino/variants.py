"""Sizes of the published DINOv3 networks, and of any other network of their form."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Shape:
    """What decides the parameters of a vision transformer of DINOv3's form.

    Args:
        width: channels of a token, D.
        layers: transformer blocks.
        heads: of the attention; `width / heads` must be a multiple of 4, for two coordinates with
            a sine and a cosine each.
        hidden: channels inside a block's feed-forward network.
        gated: whether that network is `down(silu(gate(x)) * up(x))`; else `down(gelu(up(x)))`.
        bias: whether queries and values have a bias; keys never have one.
        registers: tokens beside the class token that stand for no patch.
        patch: side of a patch in pixels.
        base: of the rotary frequencies.

    Raises:
        ValueError: for a size below 1, or heads that do not divide the width as said.

    Example:
        >>> VARIANTS["vits16"].width // VARIANTS["vits16"].heads
        64
    """

    width: int
    layers: int
    heads: int
    hidden: int
    gated: bool = False
    bias: bool = True
    registers: int = 4
    patch: int = 16
    base: float = 100.0

    def __post_init__(self) -> None:
        sizes = (self.width, self.layers, self.heads, self.hidden, self.patch)
        if min(sizes) < 1 or self.registers < 0 or not self.base > 1:
            raise ValueError(f"sizes of at least 1 and a base above 1 are needed, got {self}")
        if self.width % (4 * self.heads):
            raise ValueError(
                f"width {self.width} must be a multiple of 4 x heads = {4 * self.heads}: "
                "two coordinates, a sine and a cosine each"
            )

    @property
    def prefix(self) -> int:
        """Tokens before the patches: the class token and the registers."""
        return 1 + self.registers


VARIANTS: Mapping[str, Shape] = MappingProxyType(
    {
        "vits16": Shape(384, 12, 6, 1536),
        "vits16plus": Shape(384, 12, 6, 1536, gated=True),
        "vitb16": Shape(768, 12, 12, 3072),
        "vitl16": Shape(1024, 24, 16, 4096),
        "vitl16plus": Shape(1024, 24, 16, 4096, gated=True),
        "vith16plus": Shape(1280, 32, 20, 5120, gated=True),
        "vit7b16": Shape(4096, 40, 32, 8192, gated=True, bias=False),
    }
)
"""The published networks by name; web and satellite weights of one name share their shape."""
