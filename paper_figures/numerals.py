"""Numbers as a reader wants them: decimals that the interval justifies, true minus signs."""

import math

Interval = tuple[float, float]


def number(value: float, decimals: int | None = None) -> str:
    """A number with a fixed count of decimals, by default four significant digits.

    Example:
        >>> number(0.98765), number(float("inf")), number(1234567.0)
        ('0.9877', '∞', '1.235e6')
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "\N{MINUS SIGN}∞"
    size = abs(value)
    if size and not 1e-4 <= size < 1e6 and decimals is None:
        digits, _, power = f"{value:.3e}".partition("e")
        text = f"{digits.rstrip('0').rstrip('.')}e{int(power)}"
    elif decimals is None:
        text = f"{value:.0f}" if size >= 1e4 else f"{value:.4g}"
    else:
        text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "\N{MINUS SIGN}")


def printed(value: float | None) -> str:
    """A paper's number as printed; a dash where it gives none."""
    return "–" if value is None else f"{value:.10g}".replace("-", "\N{MINUS SIGN}")


def measured(value: float, interval: Interval | None) -> tuple[str, str]:
    """A value and its interval, with two to three significant digits of its width.

    Example:
        >>> measured(1.23456, (1.0321, 1.4412))
        ('1.235', '[1.032, 1.441]')
    """
    if interval is None:
        return number(value), ""
    low, high = interval
    decimals = _decimals(high - low)
    return number(value, decimals), f"[{number(low, decimals)}, {number(high, decimals)}]"


def _decimals(width: float) -> int | None:
    if not math.isfinite(width) or width <= 0:
        return None
    # Two digits of the width, three where it begins with 1 to 4 and two would be coarse.
    wanted = 1 - math.floor(math.log10(width / 5))
    return max(wanted, 0) if wanted <= 6 else None


def duration(seconds: float) -> str:
    """Seconds as hours, minutes and seconds.

    Example:
        >>> duration(0.34), duration(75.2), duration(7322.0)
        ('0.3 s', '1 min 15 s', '2 h 2 min')
    """
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
