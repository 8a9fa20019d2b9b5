"""The app's icons, drawn here so that no picture lies in git: a bridge between two desks. Standard library only."""

from __future__ import annotations

import struct
import zlib
from functools import cache
from typing import Final

Colour = tuple[int, int, int, int]
BLUE: Final[Colour] = (31, 115, 183, 255)
WHITE: Final[Colour] = (255, 255, 255, 255)
CLEAR: Final[Colour] = (0, 0, 0, 0)
# In the navigation bar: the same bridge in one shape. It names no colour, so that it takes the bar's.
NAV_BAR: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="8 15 84 84">'
    '<path d="M12 40h76v8h-76z M18 48h9v26h-9z M73 48h9v26h-9z M27.5 74a22.5 22.5 0 0 1 45 0h-7a15.5 15.5 0 0 0-31 0z"/>'
    "</svg>\n"
)
SIZES: Final = {"logo.png": (320, False), "logo-small.png": (128, True)}  # edge in pixels, corners transparent


def png(width: int, height: int, rows: list[bytes]) -> bytes:
    """A PNG of 8-bit RGBA rows."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@cache  # each pixel is reckoned
def icon(edge: int, *, rounded: bool) -> bytes:
    """The sign on a square, or on one with rounded corners."""
    rows = []
    for y in range(edge):
        row = b"".join(bytes(_pixel((x + 0.5) / edge, (y + 0.5) / edge, rounded)) for x in range(edge))
        rows.append(row)
    return png(edge, edge, rows)


def _pixel(x: float, y: float, rounded: bool) -> Colour:
    """x, y: 0 to 1. A deck, two piers, and the arch between them."""
    if rounded and _outside(x, y, 0.18):
        return CLEAR
    deck = 0.40 <= y <= 0.48 and 0.12 <= x <= 0.88
    pier = 0.48 <= y <= 0.74 and (0.18 <= x <= 0.27 or 0.73 <= x <= 0.82)
    away = ((x - 0.5) ** 2 + (y - 0.74) ** 2) ** 0.5
    arch = 0.48 <= y <= 0.74 and 0.155 <= away <= 0.225
    return WHITE if deck or pier or arch else BLUE


def _outside(x: float, y: float, radius: float) -> bool:
    dx, dy = max(radius - x, x - (1 - radius), 0), max(radius - y, y - (1 - radius), 0)
    return dx * dx + dy * dy > radius * radius
