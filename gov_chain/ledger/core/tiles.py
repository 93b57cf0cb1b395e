"""The tree cut into tiles (c2sp.org/tlog-tiles): tile (L, N) holds nodes (8·L, 256·N … 256·N + 255).

A tile keeps only every eighth level; the levels between are folded when asked for. Tiles only grow, so a
longer tile serves every earlier size, and a perfect subtree once there never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from gov_chain.core import hot
from gov_chain.ledger.core import tree
from gov_chain.ledger.core.errors import LedgerError

WIDTH = 256
HEIGHT = 8
FULL = WIDTH * 32
ReadTile = Callable[[int, int], bytes]


def nodes(read: ReadTile, *, cached: int = 1 << 16) -> tree.Node:
    """Any node of the tree from its tiles; `read(L, N)` returns what there is of a tile, concatenated hashes.

    The returned function raises `LedgerError("ledger-damaged")` for a node the tiles do not hold.
    """

    @lru_cache(maxsize=cached)
    def node(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, HEIGHT)
        first = index << height
        offset = (first % WIDTH) * 32
        end = offset + (32 << height)
        tile = read(tile_level, first // WIDTH)
        if len(tile) < end:
            raise LedgerError("ledger-damaged", log=f"tile {tile_level}/{first // WIDTH} is short")
        whole: list[bytes] = []
        hot.grow(whole, 0, [tile[at : at + 32] for at in range(offset, end, 32)])
        return whole[0]

    return node


def place(index: int) -> str:
    """A tile's index as tlog-tiles spells it: groups of three digits, all but the last marked with an x."""
    groups = f"{index:03d}"
    groups = groups.zfill(-(-len(groups) // 3) * 3)
    *leading, last = (groups[at : at + 3] for at in range(0, len(groups), 3))
    return "".join(f"x{group}/" for group in leading) + last


class Edge:
    """The tree's right edge while it grows: its perfect subtrees, and the last tile of each level."""

    def __init__(self, size: int, read: ReadTile) -> None:
        self.size = size
        self.peaks = tree.peaks(size, nodes(read, cached=0))
        self._tiles: list[tuple[int, bytes]] = []
        """Of each level, the index of the last tile and what there is of it."""
        self._finished: list[tuple[int, int, bytes]] = []
        level, width = 0, size
        while width:
            index, partial = divmod(width, WIDTH)
            self._tiles.append((index, read(level, index)[: partial * 32] if partial else b""))
            level, width = level + 1, index

    @property
    def root(self) -> bytes:
        return tree.fold(self.peaks)

    def copy(self) -> Edge:
        """One that grows by itself, and tells of what changes from here on."""
        twin = Edge.__new__(Edge)
        twin.size = self.size
        twin.peaks = self.peaks.copy()
        twin._tiles = self._tiles.copy()
        twin._finished = []
        return twin

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add leaf hashes. About one interior hash a leaf."""
        rows: list[list[bytes]] = [list(leaves)]
        for level, node in hot.grow(self.peaks, self.size, leaves):
            while len(rows) <= level // HEIGHT:
                rows.append([])
            rows[level // HEIGHT].append(node)
        self.size += len(leaves)
        for level, row in enumerate(rows):
            self._put(level, b"".join(row))

    def _put(self, level: int, row: bytes) -> None:
        if level == len(self._tiles):
            self._tiles.append((0, b""))
        index, before = self._tiles[level]
        row = before + row
        while len(row) >= FULL:
            self._finished.append((level, index, row[:FULL]))
            index, row = index + 1, row[FULL:]
        self._tiles[level] = index, row

    def changed(self) -> list[tuple[int, int, bytes]]:
        """(level, index, hashes) of tiles finished since this edge was made, and of every level's last one."""
        last = [(level, index, tile) for level, (index, tile) in enumerate(self._tiles) if tile]
        return self._finished + last
