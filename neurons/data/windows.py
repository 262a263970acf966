"""From long records to noisy windows with labels, and the splits of the bearing papers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from neurons.data.bearings import Recording, Records

LOUDEST = 300.0  # dB; beyond it 10^(SNR/10) leaves the range of float64
Validation = Literal["leak_free", "leaky"]


class Split(NamedTuple):
    """Windows with labels: `x` float32 `(windows, length, 1)` in g, `y` int32 `(windows,)`."""

    x: NDArray[np.float32]
    y: NDArray[np.int32]


class Splits(NamedTuple):
    """The three splits of one protocol; windows lie class after class, in label order."""

    train: Split
    valid: Split
    test: Split


@dataclass(frozen=True)
class Protocol:
    """How windows are taken from records; the defaults are the QCNN paper's.

    Args:
        snr_db: Signal-to-noise ratio of the noise added, in dB; None or infinity adds none.
        train_windows: Windows a class for training and validation together; 2/3 train.
        test_windows: Windows a class for the test.
        window: Samples a window.
        stride: Samples from one window of a burst to the next.
        standardise: Bring every window to mean 0 and variance 1. The paper does not, and since
            the noise follows each record's power, a window's level alone then tells the class:
            on CWRU at 0 hp and -6 dB the nearest mean level finds 95 % of the test windows.
        validation: `"leaky"` takes validation windows at random from those of the training
            part, so they share samples with training windows, as in the paper; `"leak_free"`
            takes them from the last third of the training part, which training never sees.

    Raises:
        ValueError: A number or a name is out of range.
    """

    snr_db: float | None = -6.0
    train_windows: int = 750
    test_windows: int = 250
    window: int = 2048
    stride: int = 28
    validation: Validation = "leak_free"
    standardise: bool = False

    def __post_init__(self) -> None:
        check_snr(self.snr_db)
        _at_least("train_windows", self.train_windows, 3)
        for name in ("test_windows", "window", "stride"):
            _at_least(name, getattr(self, name), 1)
        if self.validation not in get_args(Validation):
            allowed = ", ".join(get_args(Validation))
            raise ValueError(f"validation is {self.validation!r}; allowed: {allowed}")


def time_split(
    signal: NDArray[np.float64], fractions: Sequence[float]
) -> tuple[NDArray[np.float64], ...]:
    """Cut a signal `(samples,)` in time into consecutive parts, views of it.

    Args:
        signal: The signal.
        fractions: Share of each part; above 0, their sum is 1.

    Raises:
        ValueError: The fractions are no such shares, or a part would be empty.
    """
    shares = np.asarray(fractions, dtype=float)
    if shares.ndim != 1 or not np.all(shares > 0) or not math.isclose(shares.sum(), 1):
        raise ValueError(f"fractions are {fractions!r}; allowed: above 0, with the sum 1")
    cuts = np.rint(np.cumsum(shares)[:-1] * len(signal)).astype(int)
    parts = tuple(np.split(signal, cuts))
    if not all(part.size for part in parts):
        raise ValueError(f"{len(signal)} samples are too few for the fractions {fractions!r}")
    return parts


def check_snr(snr_db: float | None) -> float:
    """Return a signal-to-noise ratio in dB, infinity for None.

    Raises:
        ValueError: It is no number, NaN, or beyond -300 to 300 dB and not infinity.
    """
    if snr_db is None:
        return math.inf
    number = isinstance(snr_db, Real) and not isinstance(snr_db, bool)
    if not number or not (abs(snr_db) <= LOUDEST or snr_db == math.inf):
        raise ValueError(
            f"snr_db is {snr_db!r}; "
            f"allowed: a number from {-LOUDEST:g} to {LOUDEST:g} dB, or None or inf for no noise"
        )
    return float(snr_db)


def add_noise(
    signal: NDArray[np.float64], snr_db: float | None, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Add white Gaussian noise of power `mean(signal^2) / 10^(snr_db / 10)`.

    Args:
        signal: Shape `(samples,)`, in any unit.
        snr_db: Signal-to-noise ratio in dB; None or infinity adds nothing.
        rng: Source of the noise.

    Returns:
        The noisy signal, shape `(samples,)`, same unit.

    Raises:
        ValueError: The ratio is not allowed, or the signal has no power to set noise against.
    """
    snr = check_snr(snr_db)
    if snr == math.inf:
        return signal.copy()
    power = float(np.mean(np.square(signal))) if signal.size else 0.0
    if power == 0:
        raise ValueError(f"signal of power 0 at snr_db {snr:g}; allowed: a signal that is not 0")
    scale = math.sqrt(power) * 10 ** (-snr / 20)
    return signal + scale * rng.standard_normal(signal.shape)


def windows(
    signal: NDArray[np.float64], length: int, starts: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Windows `(n, length)` of a signal `(samples,)` that begin at `starts` `(n,)`.

    Raises:
        ValueError: A window is longer than the signal or reaches beyond it.
    """
    _at_least("length", length, 1)
    last = len(signal) - length
    begin = np.asarray(starts)
    if last < 0 or (begin.size and not (begin.min() >= 0 and begin.max() <= last)):
        raise ValueError(
            f"windows of {length} samples from {len(signal)}, starts {begin}; "
            f"allowed: length up to {len(signal)}, starts from 0 to {last}"
        )
    return sliding_window_view(signal, length)[begin]


def random_windows(
    signal: NDArray[np.float64],
    count: int,
    *,
    rng: np.random.Generator,
    length: int = 2048,
    stride: int = 28,
    burst: int | None = None,
) -> NDArray[np.float64]:
    """Windows in bursts from random starts, as the QCNN paper takes them.

    A start is uniform in `[0, samples - 2 length)`; `burst` windows follow it, `stride` apart.

    Args:
        signal: Shape `(samples,)`.
        count: Number of windows; the last burst is cut short.
        rng: Source of the starts.
        length: Samples a window.
        stride: Samples from one window to the next in a burst.
        burst: Windows a burst; by default `length // stride`, the paper's 73.

    Returns:
        Shape `(count, length)`.

    Raises:
        ValueError: The signal has no more than two windows' samples, or a burst spans more.
    """
    for name, value in {"count": count, "length": length, "stride": stride}.items():
        _at_least(name, value, 1)
    run = max(1, length // stride) if burst is None else _at_least("burst", burst, 1)
    if (run - 1) * stride > length:
        raise ValueError(f"burst is {run}; allowed: up to {length // stride + 1} at this stride")
    if len(signal) <= 2 * length:
        raise ValueError(
            f"window of {length} samples, signal of {len(signal)}; "
            f"allowed: a window below half the signal, {len(signal) / 2:g} samples"
        )
    first = rng.integers(0, len(signal) - 2 * length, size=-(-count // run))
    starts = (first[:, None] + stride * np.arange(run)).ravel()[:count]  # (bursts, run) -> (count,)
    return windows(signal, length, starts)


def split(records: Records, protocol: Protocol, seed: int) -> Splits:
    """Noisy windows of all records for training, validation and test.

    Each record is cut in time, first 2/3 for training, last 1/3 for the test; noise is added
    to each part; then windows are drawn. The test windows depend on the seed, the records, the
    noise and the window, not on how training data is taken.

    Args:
        records: The records; a class's label is its place.
        protocol: Noise, counts, window and kind of validation.
        seed: Not negative; equal seeds give equal splits.

    Raises:
        ValueError: A window is too long for a record's part; record, window and length are
            named.

    References:
        J.-X. Liao et al., "Attention-embedded quadratic network (Qttention) for effective and
        interpretable bearing fault diagnosis", arXiv 2206.00390, section IV.
    """
    streams = np.random.default_rng(seed).spawn(len(records.recordings))
    parts = [
        _parts(recording, protocol, stream)
        for recording, stream in zip(records.recordings, streams, strict=True)
    ]
    return Splits(*(_labelled(windows) for windows in zip(*parts, strict=True)))


def _parts(
    recording: Recording, protocol: Protocol, stream: np.random.Generator
) -> tuple[NDArray[np.float64], ...]:
    draw_train, draw_test = stream.spawn(2)
    train, test = time_split(recording.signal, (2 / 3, 1 / 3))
    train = add_noise(train, protocol.snr_db, draw_train)
    test = add_noise(test, protocol.snr_db, draw_test)
    take = _leaky if protocol.validation == "leaky" else _leak_free
    try:
        chosen = _random(test, protocol.test_windows, protocol, draw_test)
        return (*take(train, protocol, draw_train), chosen)
    except ValueError as error:
        raise ValueError(f"record {recording.name!r}: {error}") from error


def _leaky(
    part: NDArray[np.float64], protocol: Protocol, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    every = rng.permutation(_random(part, protocol.train_windows, protocol, rng))
    return every[: _training(protocol)], every[_training(protocol) :]


def _leak_free(
    part: NDArray[np.float64], protocol: Protocol, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    early, late = time_split(part, (2 / 3, 1 / 3))
    count = _training(protocol)
    return (
        _random(early, count, protocol, rng),
        _random(late, protocol.train_windows - count, protocol, rng),
    )


def _training(protocol: Protocol) -> int:
    return 2 * protocol.train_windows // 3


def _random(
    part: NDArray[np.float64], count: int, protocol: Protocol, rng: np.random.Generator
) -> NDArray[np.float64]:
    size = {"length": protocol.window, "stride": protocol.stride}
    chosen = random_windows(part, count, rng=rng, **size)
    return _standardised(chosen) if protocol.standardise else chosen


def _standardised(x: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = x.std(axis=1, keepdims=True)
    if not spread.all():
        raise ValueError("a window of equal samples; allowed with standardise: none")
    return (x - x.mean(axis=1, keepdims=True)) / spread


def _labelled(classes: Sequence[NDArray[np.float64]]) -> Split:
    x = np.concatenate(classes, dtype=np.float32, casting="same_kind")[..., None]  # (n, length, 1)
    counts = [len(windows) for windows in classes]
    return Split(x, np.repeat(np.arange(len(classes), dtype=np.int32), counts))


def _at_least(name: str, value: int, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} is {value!r}; allowed: an integer from {least}")
    return value
