#!/usr/bin/env python3
"""Draws the curves of `million --json FILE` as SVG charts.

usage: chart.py FILE FOLDER    writes memory.svg, delivery.svg and joining.svg there
"""

import json
import math
import pathlib
import sys
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 170, 46, 50
# Okabe and Ito's palette, which most of the colour-blind can tell apart.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"]

CHARTS = {
    "memory": ("Memory of a session, its share of the rooms included", "bytes (PSS)",
               lambda p: p["pss_bytes"]),
    "delivery": ("A delivery, without the kernel", "ns", lambda p: p["delivery_ns"]),
    "joining": ("Joining a room, and leaving it (dashed): the mean of both", "ns",
                lambda p: p["join_ns"]["mean"], lambda p: p["leave_ns"]["mean"]),
}


def nice_ceiling(value):
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    scale = 10 ** math.floor(math.log10(value))
    return next(step * scale for step in (1, 2, 2.5, 5, 10) if step * scale >= value)


def short(value):
    if value >= 1_000_000:
        return f"{value / 1_000_000:g} M"
    return f"{value / 1000:g} k" if value >= 10_000 else f"{value:g}"


class Chart:
    def __init__(self, title, unit, sizes, top):
        self.sizes = sizes
        self.top = nice_ceiling(top)
        self.out = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            f'<text x="{LEFT}" y="24" font-size="15" fill="#222">{escape(title)}</text>',
            f'<text x="{LEFT - 8}" y="{TOP - 6}" text-anchor="end" fill="#555">{escape(unit)}</text>',
        ]
        for i in range(6):
            value = self.top * i / 5
            y = self.y(value)
            self.out.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
            self.text(LEFT - 8, y + 4, short(value), "end")
        for size in sizes:
            self.text(self.x(size), HEIGHT - BOTTOM + 18, short(size), "middle")
        self.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "sessions", "middle")

    def x(self, size):
        low, high = math.log(self.sizes[0]), math.log(self.sizes[-1])
        part = (math.log(size) - low) / (high - low) if high > low else 0.5
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        return HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM)

    def text(self, x, y, words, anchor, colour="#555"):
        self.out.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">'
                        f"{escape(words)}</text>")

    def line(self, points, colour, dashed):
        path = "L".join(f"{self.x(size):.1f} {self.y(value):.1f}" for size, value in points)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.out.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        if not dashed:
            for size, value in points:
                self.out.append(f'<circle cx="{self.x(size):.1f}" cy="{self.y(value):.1f}" r="3" '
                                f'fill="{colour}"/>')

    def legend(self, row, words, colour):
        x, y = WIDTH - RIGHT + 16, TOP + 10 + 20 * row
        self.out.append(f'<path d="M{x} {y}h18" stroke="{colour}" stroke-width="3"/>')
        self.text(x + 24, y + 4, words, "start", "#222")

    def svg(self):
        return "\n".join([*self.out, "</svg>", ""])


def draw(curves, title, unit, *values):
    sizes = sorted({p["sessions"] for curve in curves for p in curve["points"]})
    top = max(value(p) for curve in curves for p in curve["points"] for value in values)
    chart = Chart(title, unit, sizes, top)
    for row, (curve, colour) in enumerate(zip(curves, COLOURS)):
        for i, value in enumerate(values):
            chart.line([(p["sessions"], value(p)) for p in curve["points"]], colour, i > 0)
        chart.legend(row, "rooms of " + curve["rooms_of"], colour)
    return chart.svg()


def main():
    curves = json.loads(pathlib.Path(sys.argv[1]).read_text())["curves"]
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, (title, unit, *values) in CHARTS.items():
        (folder / f"{name}.svg").write_text(draw(curves, title, unit, *values))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()
