"""Building HTML from plain text, which is escaped unless it is markup already."""

from html import escape

_VOID = frozenset({"img", "meta"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *content: str, **attributes: str | None) -> Markup:
    """An element; content and attribute values are escaped, :class:`Markup` is kept.

    Args:
        name: of the element.
        *content: text or markup.
        **attributes: `class_` gives class, `data_label` gives data-label; `None` leaves it out.

    Example:
        >>> tag("td", "a < b", class_="num")
        '<td class="num">a &lt; b</td>'
    """
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{pairs}>")
    return Markup(f"<{name}{pairs}>{join(*content)}</{name}>")


def join(*content: str) -> Markup:
    """Text and markup, one after the other."""
    return Markup("".join(c if isinstance(c, Markup) else escape(c) for c in content))


def table(headings: list[str], rows: list[list[str]], classes: list[str], **row: str) -> Markup:
    """A table that can turn into cards on a narrow screen: each cell knows its heading.

    Args:
        headings: of the columns.
        rows: cells, text or whole `td` attributes as markup.
        classes: class of each column.
        **row: attributes of the table.
    """
    head = [tag("th", h, scope="col", class_=c) for h, c in zip(headings, classes, strict=True)]
    body = [tag("tr", *cells(headings, line, classes)) for line in rows]
    return tag("table", tag("thead", tag("tr", *head)), tag("tbody", *body), **row)


def cells(headings: list[str], line: list[str], classes: list[str]) -> list[Markup]:
    """The cells of one row, each labelled with its column's heading."""
    return [
        tag("td", value, class_=kind, data_label=heading)
        for heading, value, kind in zip(headings, line, classes, strict=True)
    ]
