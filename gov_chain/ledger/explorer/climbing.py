"""How a record's hash leads to the signed root, step by step, and where a drawing of it puts each box.

Pure: RFC 9162 §2.1.3.2 retold for people. A step joins what was reached so far with one hash of the proof, which stands
for all the entries on its side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gov_chain.ledger.core import tree


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the tree: its hash, and the entries `first` … `last` it stands for."""

    hash: bytes
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Step:
    """One level up: `own` and `sibling`, in their order, make `parent`."""

    own: Node
    sibling: Node
    parent: Node

    @property
    def sibling_first(self) -> bool:
        return self.sibling.first < self.own.first


def climb(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes]) -> list[Step]:
    """The steps from the leaf's hash to the root; empty if the log has one entry."""
    spans = _siblings(index, size)
    own = Node(leaf, index, index)
    steps = []
    for (first, last), sibling_hash in zip(spans, proof, strict=True):
        sibling = Node(sibling_hash, first, last)
        left, right = (sibling, own) if first < own.first else (own, sibling)
        parent = Node(tree.node_hash(left.hash, right.hash), left.first, right.last)
        steps.append(Step(own, sibling, parent))
        own = parent
    return steps


def _siblings(index: int, size: int) -> list[tuple[int, int]]:
    """First and last entry of each subtree beside the way up, from the leaf on."""
    spans = []
    start, end = 0, size
    while end - start > 1:
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        if index < middle:
            spans.append((middle, end - 1))
            end = middle
        else:
            spans.append((start, middle - 1))
            start = middle
    return spans[::-1]


WIDTH = 336
BOX, HEIGHT, ROW = 152, 46, 82
MARGIN = 8
LEFT, RIGHT = 8, WIDTH - 8 - BOX


@dataclass(frozen=True, slots=True)
class Box:
    role: str
    """leaf, own, sibling or root."""
    node: Node
    x: int
    y: int

    @property
    def middle(self) -> int:
        return self.x + BOX // 2

    @property
    def first_line(self) -> int:
        return self.y + 19

    @property
    def second_line(self) -> int:
        return self.y + 36


@dataclass(frozen=True, slots=True)
class Line:
    x1: int
    y1: int
    x2: int
    y2: int


@dataclass(frozen=True, slots=True)
class Drawing:
    width: int
    height: int
    box: tuple[int, int]
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def draw(leaf: bytes, *, index: int, steps: Sequence[Step]) -> Drawing:
    """The root on top, the record at the bottom, each level a row."""
    centre = (WIDTH - BOX) // 2
    boxes = []
    lines = []
    top = Box("root", steps[-1].parent if steps else Node(leaf, index, index), centre, MARGIN)
    boxes.append(top)
    for depth, step in enumerate(reversed(steps), 1):
        y = MARGIN + depth * ROW
        own_x, sibling_x = (RIGHT, LEFT) if step.sibling_first else (LEFT, RIGHT)
        own = Box("leaf" if depth == len(steps) else "own", step.own, own_x, y)
        sibling = Box("sibling", step.sibling, sibling_x, y)
        boxes += [own, sibling]
        lines += [Line(top.middle, top.y + HEIGHT, each.middle, each.y) for each in (own, sibling)]
        top = own
    return Drawing(WIDTH, 2 * MARGIN + len(steps) * ROW + HEIGHT, (BOX, HEIGHT), tuple(boxes), tuple(lines))
