"""A bar chart as SVG: a bar for each figure of each server, the range of its rounds as a line."""

import math
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH = 760
NAME_WIDTH = 130
VALUE_WIDTH = 150
BAR, BAR_GAP, GROUP_GAP = 16, 3, 10
TOP, LEGEND = 52, 22
SERIES_MAX = 2

# Legible on white and on black; what follows the reader's theme is told by the media query.
STYLE = """
    text { font: 13px system-ui, sans-serif; fill: #24292f }
    .title { font-weight: 600; font-size: 15px }
    .note { fill: #57606a }
    .axis { stroke: #8c959f; stroke-width: 1 }
    .range { stroke: #24292f; stroke-width: 1.5 }
    .first { fill: #6e9bd8 } .second { fill: #b3c9e8 }
    .own.first { fill: #d9822b } .own.second { fill: #eec08f }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 } .note { fill: #9da7b3 } .range { stroke: #e6edf3 }
      .second { fill: #3f608f } .own.second { fill: #8f5a22 }
    }
"""


@dataclass(frozen=True)
class Bar:
    """One bar; without a spread its reason stands instead."""

    spread: object  # results.Spread or None
    reason: str = ""


@dataclass(frozen=True)
class Group:
    name: str
    bars: tuple
    own: bool = False  # ours, in a colour of its own


def number(value: float) -> str:
    """Three digits that count."""
    if value == 0:
        return "0"
    value = float(f"{value:.3g}") if abs(value) < 1000 else value
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{digits}f}"


def described(spread) -> str:
    """'3.83 (3.82 – 4.39)'; alone where there was one round."""
    if spread.rounds == 1:
        return number(spread.median)
    return f"{number(spread.median)} ({number(spread.low)} – {number(spread.high)})"


def _text(x, y, words, more="") -> str:
    return f'<text x="{x:g}" y="{y:g}"{more}>{escape(words)}</text>'


class _Canvas:
    def __init__(self, most):
        self.parts = []
        self.scale = (WIDTH - NAME_WIDTH - VALUE_WIDTH) / most if most > 0 else 0

    def x_of(self, value) -> float:
        return NAME_WIDTH + value * self.scale

    def bar(self, y, bar, style):
        middle = y + BAR - 4
        if bar.spread is None:
            note = bar.reason or "not measured"
            self.parts.append(_text(NAME_WIDTH + 4, middle, note, ' class="note"'))
            return
        width = max(self.x_of(bar.spread.median) - NAME_WIDTH, 1)
        self.parts.append(
            f'<rect class="{style}" x="{NAME_WIDTH}" y="{y}" width="{width:.1f}" height="{BAR}"/>'
        )
        end = NAME_WIDTH + width
        if bar.spread.rounds > 1:
            low, high = self.x_of(bar.spread.low), self.x_of(bar.spread.high)
            line = y + BAR / 2
            self.parts.append(
                f'<path class="range" fill="none" d="M{low:.1f} {line}H{high:.1f}'
                f'M{low:.1f} {line - 4}v8M{high:.1f} {line - 4}v8"/>'
            )
            end = max(end, high)
        self.parts.append(_text(round(end + 6, 1), middle, described(bar.spread)))


def svg(title: str, unit: str, series, groups) -> str:
    """The whole file. `series`: a name for each bar of a group, SERIES_MAX at most."""
    if not 1 <= len(series) <= SERIES_MAX:
        raise ValueError(f"1 to {SERIES_MAX} bars a server, not {len(series)}")
    spreads = [bar.spread for group in groups for bar in group.bars if bar.spread is not None]
    canvas = _Canvas(max((each.high for each in spreads), default=0))
    top = TOP + (LEGEND if len(series) > 1 else 0)
    y = top
    styles = ("first", "second")
    for group in groups:
        own = "own " if group.own else ""
        height = len(group.bars) * (BAR + BAR_GAP) - BAR_GAP
        name = _text(NAME_WIDTH - 8, y + height / 2 + 4, group.name, ' text-anchor="end"')
        canvas.parts.append(name)
        if all(bar.spread is None for bar in group.bars):
            canvas.bar(y + (height - BAR) / 2, group.bars[0], "")
        else:
            for i, bar in enumerate(group.bars):
                canvas.bar(y + i * (BAR + BAR_GAP), bar, own + styles[i])
        y += height + GROUP_GAP
    head = [_text(8, 20, title, ' class="title"'), _text(8, 40, unit, ' class="note"')]
    for i, name in enumerate(series if len(series) > 1 else ()):
        x = NAME_WIDTH + i * 160
        head.append(f'<rect class="{styles[i]}" x="{x}" y="{TOP}" width="12" height="12"/>')
        head.append(_text(x + 18, TOP + 11, name))
    axis = f'<path class="axis" d="M{NAME_WIDTH} {top - 4}V{y - GROUP_GAP + 4}"/>'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}"'
            f' viewBox="0 0 {WIDTH} {y}" role="img">',
            f"<title>{escape(title)}: {escape(unit)}</title>",
            f"<style>{STYLE}</style>",
            *head,
            *canvas.parts,
            axis,
            "</svg>\n",
        ]
    )
