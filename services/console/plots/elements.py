"""The elements of plots: SVG and the table below it. Every text is escaped."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

WIDTH = 640
CHARACTER = 7.4
"""The width of a character of a label, estimated."""

GAP = 6
"""The least distance between two labels."""

FIGURE = Markup(
    '<figure class="plot">{}<details id="table-{}"><summary>As a table</summary>'
    '<div class="scroll" tabindex="0" role="group" aria-label="{}">'
    "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div></details></figure>"
)
CAPTIONED = Markup('<figure class="plot"><figcaption>{}</figcaption>{}</figure>')
SVG = Markup(
    '<svg class="plot" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img" aria-label="{2}">{3}</svg>'
)
HEAD = Markup('<th scope="col">{}</th>')
ROW = Markup("<tr>{}</tr>")
CELL = Markup("<td>{}</td>")
TEXT = Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>')
RULER = Markup('<line class="axis" x1="{}" y1="{}" x2="{}" y2="{}"/>')
KEY = Markup('<rect class="series-{}" x="{}" y="{}" width="10" height="10"/>')
BAR = Markup(
    '<rect class="series-{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>'
)
LINE = Markup('<polyline class="series-{}" points="{}"/>')
POINT = Markup('<circle class="series-{}" cx="{}" cy="{}" r="2"><title>{}</title></circle>')
BACKGROUND = Markup('<rect class="closed" x="{}" y="{}" width="{}" height="{}"/>')
SPAN = Markup('<rect class="span {}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>')
MARK = Markup('<line class="mark {}" x1="{}" y1="{}" x2="{}" y2="{}"/>')


def svg(title: str, height: int, shapes: Sequence[Markup]) -> Markup:
    """The shapes as one picture."""
    return SVG.format(WIDTH, height, title, Markup().join(shapes))


def captioned(caption: str, picture: Markup) -> Markup:
    """The picture with a line above it, for pages that have its table beside it."""
    return CAPTIONED.format(caption, picture)


def with_table(
    title: str, picture: Markup, head: Sequence[str], rows: Sequence[Sequence[str]]
) -> Markup:
    """The picture, and below it the same as a table that can be opened."""
    body = (ROW.format(Markup().join(map(CELL.format, row))) for row in rows)
    cells = Markup().join(map(HEAD.format, head))
    return FIGURE.format(picture, name_of(title), title, cells, Markup().join(body))


def name_of(title: str) -> str:
    """The title as an id, by which the script keeps an open table open."""
    return "-".join("".join(it if it.isalnum() else " " for it in title.lower()).split())


def shortened(text: str, limit: int) -> str:
    """The text, or its beginning with an ellipsis where it has more characters than that."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"


def px(number: float) -> str:
    """A length of the picture, to a tenth."""
    return f"{number:.1f}".removesuffix(".0")
