"""From records of vibration to standardised pictures of frequency and time."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float

WINDOW, HOP = 256, 128  # samples


def log_spectrogram(
    signals: Float[Array, "*batch samples"],
    *,
    window: int = WINDOW,
    hop: int = HOP,
    size: tuple[int, int] | None = None,
) -> Float[Array, "*batch frequencies frames"]:
    """`log(1 + |STFT|)` with a Hann window and no padding, as a picture.

    `STFT[k, m] = sum_t w_t x_(m hop + t) exp(-2 pi i k t / window)`,
    `w_t = (1 - cos(2 pi t / window)) / 2`, for k = 0 ... window / 2: of 2560 samples 129
    frequencies and 19 frames.

    Args:
        signals: acceleration in g.
        window: samples of a frame, even.
        hop: samples from one frame to the next.
        size: frequencies and frames that the picture is resized to, linearly and, where it
            shrinks, averaging.

    Returns:
        The logarithm, of g: frequencies from 0 to half the sampling rate, frames in time.

    Raises:
        ValueError: for an odd window, a hop below 1, or fewer samples than a window.

    Example:
        >>> log_spectrogram(jnp.ones((3, 2, 2560))).shape
        (3, 2, 129, 19)
    """
    samples = signals.shape[-1]
    if window < 2 or window % 2 or hop < 1 or samples < window:
        raise ValueError(
            f"window is {window}, hop {hop} and {samples} samples are given; allowed: an even "
            "window of at most the samples, a hop from 1"
        )
    starts = np.arange(0, samples - window + 1, hop)
    taper = jnp.asarray((1 - np.cos(2 * np.pi * np.arange(window) / window)) / 2, signals.dtype)
    frames = jnp.stack([signals[..., at : at + window] for at in starts], axis=-2)
    frames = frames * taper.reshape((1,) * (frames.ndim - 1) + (window,))
    found = jnp.log1p(jnp.abs(jnp.fft.rfft(frames))).swapaxes(-1, -2)
    if size is None:
        return found
    return jax.image.resize(found, (*found.shape[:-2], *size), "linear")


def band_rows(
    band: tuple[float, float], rows: int, rate: float
) -> Bool[np.ndarray, " frequencies"]:
    """Which rows of a spectrogram lie in a band.

    Row r of n, resized or not, stands for `(r + 1/2) / n` of half the sampling rate.

    Args:
        band: lower and upper edge in Hz.
        rows: frequencies of the spectrogram.
        rate: samples per second, in Hz.

    Raises:
        ValueError: for a band that holds no row.

    Example:
        >>> band_rows((0.0, 3200.0), 8, 25_600.0).tolist()
        [True, True, False, False, False, False, False, False]
    """
    centres = (np.arange(rows) + 0.5) / rows * rate / 2
    found = (centres >= band[0]) & (centres < band[1])
    if not found.any():
        raise ValueError(f"the band {band} Hz holds none of {rows} rows up to {rate / 2} Hz")
    return found


class Standardiser(NamedTuple):
    """`(x - mean) / deviation`, with statistics of the training bearings alone.

    Attributes:
        mean: broadcasts to a record's array.
        deviation: likewise, above 0.
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def fit(cls, records: Float[np.ndarray, "records *axes channels"]) -> "Standardiser":
        """Mean and standard deviation of each frequency and channel, over records and frames.

        Args:
            records: of the training bearings: `(records, frequencies, frames, channels)`, or
                `(records, samples, channels)`, where each channel has one of each.

        Raises:
            ValueError: without records, or for another number of axes.
        """
        if records.ndim not in (3, 4) or len(records) == 0:
            raise ValueError(
                "expected records (n, frequencies, frames, channels) or (n, samples, channels), "
                f"got shape {records.shape}"
            )
        over = (0, records.ndim - 2)
        deviation = records.std(axis=over, keepdims=True)[0]
        # What never varies tells nothing: it becomes 0, not NaN.
        deviation = np.where(deviation > 0, deviation, 1).astype(records.dtype)
        return cls(records.mean(axis=over, keepdims=True)[0], deviation)

    def __call__(self, records: np.ndarray) -> np.ndarray:
        """The records, standardised."""
        return np.asarray((records - self.mean) / self.deviation)
