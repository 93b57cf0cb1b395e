import pytest

from gov_chain.ledger.core import tiles, tree
from gov_chain.ledger.core.errors import LedgerError


class Shelf:
    """Tiles in memory."""

    def __init__(self) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}

    def keep(self, edge: tiles.Edge) -> None:
        self.tiles.update({(level, index): hashes for level, index, hashes in edge.changed()})

    def read(self, level: int, index: int) -> bytes:
        return self.tiles[level, index]


def leaves(start: int, end: int) -> list[bytes]:
    return [tree.leaf_hash(b"%d" % at) for at in range(start, end)]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 1000, 65536, 65537, 66000])
def test_nodes_read_from_tiles_make_the_trees_root(size: int) -> None:
    edge, shelf = tiles.Edge(0, lambda level, index: b""), Shelf()
    edge.extend(leaves(0, size))
    shelf.keep(edge)
    assert tree.fold(tree.peaks(size, tiles.nodes(shelf.read))) == edge.root == tree.root(leaves(0, size))


def test_an_edge_goes_on_from_what_was_stored() -> None:
    shelf = Shelf()
    edge = tiles.Edge(0, shelf.read)
    size = 0
    for step in (1, 3, 250, 2, 1, 255, 256, 257, 1024, 5):
        edge.extend(leaves(size, size + step))
        shelf.keep(edge)
        size += step
        edge = tiles.Edge(size, shelf.read)
        assert edge.root == tree.root(leaves(0, size))


def test_a_longer_tile_serves_every_earlier_size() -> None:
    edge, shelf = tiles.Edge(0, lambda level, index: b""), Shelf()
    edge.extend(leaves(0, 700))
    shelf.keep(edge)
    node = tiles.nodes(shelf.read)
    for size in (1, 100, 256, 600):
        root = tree.root(leaves(0, size))
        proof = tree.inclusion_proof(size // 2, size, node)
        leaf = leaves(0, size)[size // 2]
        tree.verify_inclusion(leaf=leaf, index=size // 2, size=size, proof=proof, root=root)


def test_a_short_tile_is_damage() -> None:
    with pytest.raises(LedgerError, match="ledger-damaged"):
        tiles.nodes(lambda level, index: bytes(32))(0, 1)
