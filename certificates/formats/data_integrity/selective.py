"""Selective disclosure functions of Data Integrity ECDSA Cryptosuites 1.0, §3.4: which quads a JSON pointer selects.

A document's blank nodes are first made visible (skolemized), so that a part of it gives quads about the same nodes as
the whole. All quads are canonicalized once; each canonical blank node label is then replaced by one that says nothing
of the rest of the document (`LabelMap`); a group is the canonical quads that the selection of its pointers gives too.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyld import jsonld as pyld

from certificates.formats import jsonld, rdfc
from certificates.formats.data_integrity.errors import DataIntegrityError
from certificates.formats.jsonld import Contexts
from certificates.formats.rdfc import Quad
from gov_chain.core.codec import b64url

LabelMap = Callable[[Mapping[str, str]], dict[str, str]]
"""Given label → canonical label, in; given label → replacement, out."""

MAX_POINTERS = 128
_SCHEME = "urn:bnid:"
_SKOLEM = re.compile(rf"<{_SCHEME}([^>]+)>")


@dataclass(frozen=True, slots=True)
class Group:
    matching: dict[int, str]
    """Index among all canonical quads → quad."""
    other: dict[int, str]
    deskolemized: list[Quad]


@dataclass(frozen=True, slots=True)
class Grouped:
    groups: dict[str, Group]
    nquads: list[str]
    labels: dict[str, str]
    """Given label → replacement."""


def group(
    document: Mapping[str, Any], contexts: Contexts, label_map: LabelMap, definitions: Mapping[str, Sequence[str]]
) -> Grouped:
    """canonicalizeAndGroup (§3.4.16); raises `DataIntegrityError`."""
    if sum(len(pointers) for pointers in definitions.values()) > MAX_POINTERS:
        raise DataIntegrityError("document-unreadable", log="too many pointers")
    skolemized = skolemize(document, contexts)
    nquads, labels = relabelled(_deskolemized(skolemized, contexts), label_map)
    groups = {}
    for name, pointers in definitions.items():
        selection = select(pointers, skolemized)
        selected = [] if selection is None else _deskolemized(selection, contexts)
        lines = {rdfc.nquad([labels.get(term, term) for term in quad]) for quad in selected}
        matching = {index: line for index, line in enumerate(nquads) if line in lines}
        other = {index: line for index, line in enumerate(nquads) if line not in lines}
        groups[name] = Group(matching, other, selected)
    return Grouped(groups, nquads, labels)


def relabelled(quads: Sequence[Quad], label_map: LabelMap) -> tuple[list[str], dict[str, str]]:
    """labelReplacementCanonicalizeNQuads (§3.4.1): lines in order, and given label → replacement."""
    canonical = _canonical(quads)
    labels = label_map(canonical.labels)
    lines = {rdfc.nquad([labels.get(term, term) for term in quad]) for quad in quads}
    return sorted(lines), labels


def canonical_labels(quads: Sequence[Quad]) -> dict[str, str]:
    """Given label → the label a verifier will canonicalize it to."""
    return _canonical(quads).labels


def quads_of(document: Mapping[str, Any], contexts: Contexts) -> list[Quad]:
    """Raises `DataIntegrityError("document-unreadable")`."""
    try:
        return jsonld.quads(document, contexts)
    except jsonld.JsonLdError as error:
        raise DataIntegrityError("document-unreadable", log=str(error)) from error


def replaced(labels: Mapping[str, str]) -> LabelMap:
    """createLabelMapFunction (§3.4.3): canonical label → replacement, as a derived proof carries it."""

    def label_map(canonical: Mapping[str, str]) -> dict[str, str]:
        if any(label not in labels for label in canonical.values()):
            raise DataIntegrityError("proof-malformed", log="the label map misses a blank node")
        return {given: labels[label] for given, label in canonical.items()}

    return label_map


def hmac_labels(key: bytes) -> LabelMap:
    """createHmacIdLabelMapFunction (§3.4.4): labels `_:u…`, told apart by nobody without the key."""

    def label_map(canonical: Mapping[str, str]) -> dict[str, str]:
        return {given: "_:" + hmac_id(key, label) for given, label in canonical.items()}

    return label_map


def hmac_id(key: bytes, label: str) -> str:
    """`u` and the base64url HMAC-SHA-256 of a canonical label (`_:c14n0`, its first two characters aside)."""
    digest = hmac.digest(key, label.removeprefix("_:").encode(), "sha256")
    return "u" + b64url(digest)


def skolemize(document: Mapping[str, Any], contexts: Contexts) -> dict[str, Any]:
    """skolemizeCompactJsonLd (§3.4.8): the document with an id on every node."""
    quads_of(document, contexts)  # whatever cannot be signed is refused before it is taken apart
    whole = jsonld.with_contexts(document, contexts)
    try:
        expanded = pyld.expand(whole)
        counter = iter(range(1 << 20))
        compact = pyld.compact(
            _skolemized(expanded, counter.__next__), {"@context": whole["@context"]}, {"compactToRelative": False}
        )
    except pyld.JsonLdError as error:
        raise DataIntegrityError("document-unreadable", log=str(error.code or error.type)) from error
    return {**compact, "@context": document["@context"]}


def _skolemized(expanded: Any, number: Callable[[], int]) -> Any:
    """skolemizeExpandedJsonLd (§3.4.7)."""
    if isinstance(expanded, list):
        return [_skolemized(item, number) for item in expanded]
    if not isinstance(expanded, dict) or "@value" in expanded:
        return expanded
    if "@list" in expanded or "@set" in expanded:
        return {name: _skolemized(value, number) for name, value in expanded.items()}
    node = {name: value if name == "@type" else _skolemized(value, number) for name, value in expanded.items()}
    identifier = node.get("@id")
    if identifier is None:
        node["@id"] = f"{_SCHEME}b{number()}"
    elif isinstance(identifier, str) and identifier.startswith("_:"):
        node["@id"] = f"{_SCHEME}given{identifier[2:]}"
    return node


def _deskolemized(document: Mapping[str, Any], contexts: Contexts) -> list[Quad]:
    """toDeskolemizedNQuads (§3.4.9)."""

    def term(text: str) -> str:
        found = _SKOLEM.fullmatch(text)
        return f"_:{found[1]}" if found else text

    return [
        (term(subject), predicate, term(object_), term(graph))
        for subject, predicate, object_, graph in quads_of(document, contexts)
    ]


# JSON pointers (RFC 6901), §3.4.10 to §3.4.13

_ABSENT = object()


def select(pointers: Sequence[str], document: Mapping[str, Any]) -> dict[str, Any] | None:
    """selectJsonLd (§3.4.13): the least document that holds what the pointers name; None without pointers."""
    if not pointers:
        return None
    selection: dict[str, Any] = {"@context": document["@context"], **_initial(document)}
    for pointer in pointers:
        path = parse_pointer(pointer)
        if not path:
            return dict(document)
        _select(document, path, selection, pointer)
    compact: dict[str, Any] = _without_gaps(selection)
    return compact


def parse_pointer(pointer: str) -> list[str | int]:
    """Raises `DataIntegrityError("pointer-invalid")`."""
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")) or len(pointer) > 512:
        raise DataIntegrityError("pointer-invalid", pointer=str(pointer)[:80])
    steps = pointer.split("/")[1:]
    if any(re.search("~(?![01])", step) for step in steps):
        raise DataIntegrityError("pointer-invalid", pointer=pointer[:80])
    return [
        int(step) if re.fullmatch("0|[1-9][0-9]{0,5}", step) else step.replace("~1", "/").replace("~0", "~")
        for step in steps
    ]


def _select(document: Mapping[str, Any], path: Sequence[str | int], selection: dict[str, Any], pointer: str) -> None:
    """selectPaths (§3.4.12)."""
    value: Any = document
    selected: Any = selection
    for depth, step in enumerate(path):
        value = _at(value, step, pointer)
        known = _known(selected, step)
        last = depth == len(path) - 1
        if last and isinstance(value, dict):
            chosen: Any = {**(known if isinstance(known, dict) else {}), **value}
        elif last:
            chosen = value
        elif known is _ABSENT:
            chosen = [] if isinstance(value, list) else _initial(value)
        else:
            chosen = known
        _put(selected, step, chosen)
        selected = chosen


def _at(value: Any, step: str | int, pointer: str) -> Any:
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    if isinstance(value, dict) and str(step) in value and str(step) != "@context":
        return value[str(step)]
    raise DataIntegrityError("pointer-invalid", pointer=pointer[:80])


def _known(selected: Any, step: str | int) -> Any:
    if isinstance(selected, list):
        assert isinstance(step, int)
        return selected[step] if step < len(selected) else _ABSENT
    return selected.get(str(step), _ABSENT)


def _put(selected: Any, step: str | int, value: Any) -> None:
    if isinstance(selected, list):
        assert isinstance(step, int)
        selected.extend([_ABSENT] * (step + 1 - len(selected)))
        selected[step] = value
    else:
        selected[str(step)] = value


def _initial(value: Any) -> dict[str, Any]:
    """createInitialSelection (§3.4.11): what identifies a node is always shown."""
    if not isinstance(value, dict):
        return {}
    selection = {}
    if isinstance(value.get("id"), str) and not value["id"].startswith("_:"):
        selection["id"] = value["id"]
    if "type" in value:
        selection["type"] = value["type"]
    return selection


def _without_gaps(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_gaps(item) for item in value if item is not _ABSENT]
    if isinstance(value, dict):
        return {name: _without_gaps(item) for name, item in value.items()}
    return value


def _canonical(quads: Sequence[Quad]) -> rdfc.Canonical:
    try:
        return rdfc.canonicalize(quads)
    except rdfc.RdfcWorkError as error:
        raise DataIntegrityError("document-unreadable", log=str(error)) from error
