"""A picture for Chromium's fake camera: a QR code as one frame of uncompressed YUV4MPEG2.

Chromium opens the file anew whenever a page opens the camera, so one path serves a whole journey.
"""

from __future__ import annotations

from pathlib import Path

import segno

WIDTH, HEIGHT = 1280, 720
PAPER, INK, GREY = 235, 16, 128


class Camera:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.point_at("nothing yet")

    def point_at(self, text: str) -> None:
        """Hold a QR code of `text` before the lens."""
        rows = [bytes(row) for row in segno.make(text, error="m", micro=False).matrix_iter(border=4)]
        scale = HEIGHT // len(rows)
        left, top = (WIDTH - scale * len(rows)) // 2, (HEIGHT - scale * len(rows)) // 2
        blank = bytes([PAPER]) * WIDTH
        lines = [blank] * top
        for row in rows:
            code = b"".join(bytes([INK if dark else PAPER]) * scale for dark in row)
            line = bytes([PAPER]) * left + code
            lines += [line + bytes([PAPER]) * (WIDTH - len(line))] * scale
        lines += [blank] * (HEIGHT - len(lines))
        chroma = bytes([GREY]) * (WIDTH * HEIGHT // 2)
        head = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode()
        self.path.write_bytes(head + b"FRAME\n" + b"".join(lines) + chroma)
