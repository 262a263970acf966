"""Sentences about changes from fixed templates, and what they say.

Every sentence holds all four slots, so that each can be read back by itself.
"""

import re
from collections.abc import Sequence
from typing import Literal

from neurons.data.scenes import BUCKETS, Quadruple

Count = Literal["number", "words"]

NOTHING = "nothing changed"
CELL_NAMES = (
    "top left", "top", "top right", "left", "centre", "right", "bottom left", "bottom",
    "bottom right", "whole picture",
)  # fmt: skip
WORDS = ("one", "a few", "several", "many")
TEMPLATES = (
    "{count} of {after}, {how}, formerly {before}, in the {where}",
    "in the {where}: {before}, now {after} ({how}), {count}",
    "change from {before}, to {after}, {how}, {count}, in the {where}",
)
_NAME, _PHRASE = r"[\w-]+(?: [\w-]+)*", r"[\w -]+"


def sentences(
    quadruple: Quadruple | None, *, count: Count = "number", templates: Sequence[str] = TEMPLATES
) -> tuple[str, ...]:
    """What is said of a region, once for each template.

    Args:
        quadruple: What to say; None for "nothing changed".
        count: "number" writes how many there are as a number, "words" as one of "one", "a few"
            (2 to 4), "several" (5 to 9) and "many".
        templates: With the fields count, before, after, how and where.

    >>> sentences(Quadruple(4, ("tree", "building"), "built", 3))[0]
    '3 regions of building, built, formerly tree, in the centre'
    """
    if quadruple is None:
        return (NOTHING,)
    number = str(quadruple.how_many) if count == "number" else WORDS[quadruple.bucket]
    before, after = quadruple.what
    fields = {
        "count": f"{number} region{'s' if quadruple.how_many > 1 else ''}",
        "before": before,
        "after": after,
        "how": quadruple.how,
        "where": CELL_NAMES[quadruple.where],
    }
    return tuple(template.format(**fields) for template in templates)


def parse(sentence: str, *, templates: Sequence[str] = TEMPLATES) -> Quadruple | None:
    """What a sentence of :func:`sentences` says; of words for a number, the least they stand for.

    Returns:
        The quadruple; None for "nothing changed".

    Raises:
        ValueError: No template gives such a sentence.
    """
    if sentence == NOTHING:
        return None
    for template in templates:
        found = _pattern(template).fullmatch(sentence)
        if found and found["where"] in CELL_NAMES and (number := _number(found["count"])):
            what = found["before"], found["after"]
            return Quadruple(CELL_NAMES.index(found["where"]), what, found["how"], number)
    raise ValueError(f"{sentence!r} fits none of the templates {list(templates)}")


def _pattern(template: str) -> re.Pattern[str]:
    parts = {name: f"(?P<{name}>{_NAME})" for name in ("before", "after", "how", "where")}
    escaped = re.split(r"(\{\w+\})", template)
    given = {"{count}": rf"(?P<count>{_PHRASE}) regions?"} | {
        f"{{{name}}}": part for name, part in parts.items()
    }
    return re.compile("".join(given.get(piece, re.escape(piece)) for piece in escaped))


def _number(text: str) -> int:
    """0 if it is none."""
    if text in WORDS:
        return BUCKETS[WORDS.index(text)]
    return int(text) if text.isdecimal() else 0
