"""RDF Dataset Canonicalization, RDFC-1.0 (W3C Recommendation, 21 May 2024): blank nodes get names of their own.

A quad is a tuple of four N-Quads terms as text (`<iri>`, `"literal"^^<type>`, `_:label`; the default graph is ``).
Written here, and not taken from the RDF library, for two things that library does not give: the map from given labels
to canonical ones (selective disclosure signs under labels derived from it), and a limit on the work, which for a
hostile graph grows with the factorial of its blank nodes.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Quad = tuple[str, str, str, str]
Algorithm = Literal["sha256", "sha384"]

MAX_WORK = 4096
"""N-degree hashes and permutations one dataset may need. Real certificates need a few dozen at most."""


class RdfcWorkError(ValueError):
    """The dataset needs more work than any honest one."""


@dataclass(frozen=True, slots=True)
class Canonical:
    nquads: list[str]
    """Lines in code point order, each ending in a newline."""
    labels: dict[str, str]
    """Label as given (`_:b0`) → canonical label (`_:c14n0`)."""

    @property
    def text(self) -> str:
        return "".join(self.nquads)


def nquad(quad: Sequence[str]) -> str:
    subject, predicate, object_, graph = quad
    return f"{subject} {predicate} {object_} {graph} .\n" if graph else f"{subject} {predicate} {object_} .\n"


def canonicalize(quads: Sequence[Quad], *, algorithm: Algorithm = "sha256", max_work: int = MAX_WORK) -> Canonical:
    """The canonical form (§4.4); raises `RdfcWorkError`."""
    distinct = list(dict.fromkeys(quads))
    state = _State(distinct, algorithm, max_work)
    labels = state.label()
    relabelled = {nquad([labels.get(term, term) for term in quad]) for quad in distinct}
    return Canonical(sorted(relabelled), labels)


@dataclass(slots=True)
class _Issuer:
    """Issues labels in the order they are asked for (§4.5)."""

    prefix: str
    issued: dict[str, str] = field(default_factory=dict)

    def issue(self, label: str) -> str:
        if label not in self.issued:
            self.issued[label] = f"{self.prefix}{len(self.issued)}"
        return self.issued[label]

    def copy(self) -> _Issuer:
        return _Issuer(self.prefix, dict(self.issued))


class _State:
    def __init__(self, quads: list[Quad], algorithm: Algorithm, max_work: int) -> None:
        self._algorithm = algorithm
        self._work = max_work
        self._quads: dict[str, list[Quad]] = defaultdict(list)
        for quad in quads:
            for label in {term for term in quad if term.startswith("_:")}:
                self._quads[label].append(quad)
        self._first = {label: self._first_degree(label) for label in self._quads}
        self._canonical = _Issuer("_:c14n")

    def label(self) -> dict[str, str]:
        """§4.4.3, steps 3 to 5."""
        by_hash: dict[str, list[str]] = defaultdict(list)
        for label, digest in self._first.items():
            by_hash[digest].append(label)
        for digest in sorted(by_hash):
            if len(by_hash[digest]) == 1:
                self._canonical.issue(by_hash[digest][0])
        for digest in sorted(by_hash):
            labels = by_hash[digest]
            if len(labels) == 1:
                continue
            results: list[tuple[str, _Issuer]] = []
            for label in labels:
                if label in self._canonical.issued:
                    continue
                issuer = _Issuer("_:b")
                issuer.issue(label)
                results.append(self._n_degree(label, issuer))
            for _, issuer in sorted(results, key=lambda result: result[0]):
                for label in issuer.issued:
                    self._canonical.issue(label)
        return self._canonical.issued

    def _hash(self, text: str) -> str:
        return hashlib.new(self._algorithm, text.encode()).hexdigest()

    def _first_degree(self, label: str) -> str:
        """§4.6"""
        lines = sorted(
            nquad([("_:a" if term == label else "_:z") if term.startswith("_:") else term for term in quad])
            for quad in self._quads[label]
        )
        return self._hash("".join(lines))

    def _related(self, related: str, quad: Quad, issuer: _Issuer, position: str) -> str:
        """§4.7"""
        text = position if position == "g" else position + quad[1]
        known = self._canonical.issued.get(related) or issuer.issued.get(related)
        return self._hash(text + (known or self._first[related]))

    def _n_degree(self, label: str, issuer: _Issuer) -> tuple[str, _Issuer]:
        """§4.8: the hash, and the issuer that came with it."""
        self._spend()
        related_by_hash: dict[str, list[str]] = defaultdict(list)
        for quad in self._quads[label]:
            for position, term in (("s", quad[0]), ("o", quad[2]), ("g", quad[3])):
                if term.startswith("_:") and term != label:
                    related_by_hash[self._related(term, quad, issuer, position)].append(term)
        text = ""
        for digest in sorted(related_by_hash):
            chosen_path = ""
            chosen: _Issuer | None = None
            for permutation in itertools.permutations(related_by_hash[digest]):
                self._spend()
                found = self._path(permutation, issuer.copy(), chosen_path)
                if found is not None:
                    chosen_path, chosen = found
            assert chosen is not None
            text += digest + chosen_path
            issuer = chosen
        return self._hash(text), issuer

    def _path(self, permutation: Sequence[str], issuer: _Issuer, best: str) -> tuple[str, _Issuer] | None:
        """The path of a permutation; None once it cannot become the least (§4.8.3, step 5.4)."""
        path = ""
        recursion = []
        for related in permutation:
            if related in self._canonical.issued:
                path += self._canonical.issued[related]
            else:
                if related not in issuer.issued:
                    recursion.append(related)
                path += issuer.issue(related)
            if best and len(path) >= len(best) and path > best:
                return None
        for related in recursion:
            digest, result = self._n_degree(related, issuer)
            path += f"{issuer.issue(related)}<{digest}>"
            issuer = result
            if best and len(path) >= len(best) and path > best:
                return None
        return (path, issuer) if not best or path < best else None

    def _spend(self) -> None:
        self._work -= 1
        if self._work < 0:
            raise RdfcWorkError("canonicalization needs more work than is allowed")
