"""Bars as SVG: no script, no inline style (the CSP forbids both), colours by class so that dark mode follows.

Widths are per cents of the page's and heights are pixels, so that text keeps its size on a phone. What the bars say
stands in the title and description, and in a table beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

ROW, BAR = 44, 14


@dataclass(frozen=True, slots=True)
class Bar:
    """One line. parts: (class, share of the largest line, 0 to 1), drawn one after the other."""

    label: str
    text: str
    parts: tuple[tuple[str, float], ...]


def bars(name: str, title: str, description: str, lines: Sequence[Bar]) -> Markup:
    """The chart. name: unique on its page."""
    body = Markup("").join(_line(n, line) for n, line in enumerate(lines))
    return Markup(
        '<svg class="chart" width="100%" height="{height}" role="img" aria-labelledby="{name}-t {name}-d">'
        '<title id="{name}-t">{title}</title><desc id="{name}-d">{description}</desc>{body}</svg>'
    ).format(height=max(1, len(lines)) * ROW, name=name, title=title, description=description, body=body)


def _line(n: int, line: Bar) -> Markup:
    top, start = n * ROW, 0.0
    text = Markup(
        '<text x="0" y="{y}">{label}</text><text class="axis" x="100%" y="{y}" text-anchor="end">{text}</text>'
    )
    drawn = [text.format(y=top + 14, label=line.label, text=line.text)]
    drawn.append(Markup('<rect class="rail" x="0" y="{y}" width="100%" height="{h}"/>').format(y=top + 20, h=BAR))
    for css, share in line.parts:
        width = max(0.0, min(1.0 - start, share))
        if width > 0:
            rect = Markup('<rect class="{css}" x="{x:.2f}%" y="{y}" width="{w:.2f}%" height="{h}"/>')
            drawn.append(rect.format(css=css, x=start * 100, y=top + 20, w=max(width * 100, 0.4), h=BAR))
        start += width
    return Markup("").join(drawn)
