"""JSON-LD 1.1 to RDF quads, with the contexts given and no others, and with nothing left behind.

A signature over quads covers what became a quad. JSON-LD drops a property its contexts do not define, silently; here
that is an error (`JsonLdError`), as is an identifier that is no absolute IRI. How: undefined terms are given a
vocabulary, and relative identifiers a base, of which no honest document speaks; a quad that names either is refused.

Contexts are named by URL and looked up in a mapping (`certificates.contexts.bundled`). A context written into the
document itself may add terms, but may not take away the guard: no `@vocab: null`, `@base`, `@import`, `@propagate`.

pyoxigraph reads most documents in half a millisecond. Two things it reads amiss (seen in 0.5.13): of several types that
each bring a context it applies the last only, and it writes a fraction with fewer digits than JSON-LD asks for.
Documents with either are read by PyLD; tests hold the two equal elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pyoxigraph
from pyld import jsonld as pyld

from certificates.formats.rdfc import Quad

Contexts = Mapping[str, Any]

UNDEFINED = "urn:gov-chain:undefined:"
BASE = "urn:gov-chain:relative:/"
_GUARD = re.compile(f"<(?:{re.escape(UNDEFINED)}|urn:gov-chain:relative:)")
MAX_CONTEXTS = 16
MAX_DEPTH = 24
MAX_BYTES = 512 * 1024
_MAY_BE_EMPTY = ("verifiableCredential",)
_FORBIDDEN = ("@base", "@import", "@propagate")


class JsonLdError(ValueError):
    """The document is not JSON-LD that can be signed; the text says where."""


def quads(document: Mapping[str, Any], contexts: Contexts) -> list[Quad]:
    """The document's quads, blank nodes under labels of the parser's own. Raises `JsonLdError`."""
    whole = _slim(with_contexts(document, contexts), _words(document))
    named = whole["@context"]
    text = json.dumps({**whole, "@context": [{"@vocab": UNDEFINED}, *named]}, ensure_ascii=False)
    if len(text) > MAX_BYTES:
        raise JsonLdError("the document is too large")
    result = _by_pyld(text) if _intricate(whole, set()) else _by_pyoxigraph(text)
    for quad in result:
        for term in quad:
            if _GUARD.match(term) or _GUARD.search(term.rpartition("^^")[2]):
                raise JsonLdError(f"neither a term the contexts define nor an absolute IRI: {term[:200]}")
    return result


def _words(value: Any) -> set[str]:
    """Every string of the document, key or value, and what stands before a colon in it: the terms it can mean."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            found.add(item)
            found.add(item.partition(":")[0])
        elif isinstance(item, dict):
            waiting += item.keys()
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return found


def _slim(value: Any, words: set[str]) -> Any:
    """The document with contexts that hold only what it can mean: most of the time to read it goes into the rest."""
    if isinstance(value, list):
        return [_slim(item, words) for item in value]
    if not isinstance(value, dict):
        return value
    slim = {name: item if name == "@context" else _slim(item, words) for name, item in value.items()}
    if "@context" in slim:
        slim["@context"] = [_slim_context(context, words) for context in slim["@context"]]
    return slim


def _slim_context(context: Mapping[str, Any], words: set[str]) -> dict[str, Any]:
    """Keywords, the terms in `words`, and the terms these are defined by."""
    keywords, leans = _leaning(context)
    slim: dict[str, Any] = {name: context[name] for name in keywords}
    waiting = list(words & leans.keys())
    while waiting:
        name = waiting.pop()
        if name not in slim and name in leans:
            definition = context[name]
            if isinstance(definition, dict) and isinstance(definition.get("@context"), dict):
                definition = {**definition, "@context": _slim_context(definition["@context"], words)}
            slim[name] = definition
            waiting += leans[name]
    return slim


Leaning = tuple[list[str], dict[str, list[str]]]
_leaning_of: dict[int, tuple[Mapping[str, Any], Leaning]] = {}
"""By identity; the context is kept with it, so that no other can get the same one."""
_MAX_KEPT = 256


def _leaning(context: Mapping[str, Any]) -> Leaning:
    """Keywords of a context, and its terms with the terms each is defined by. Worked out once."""
    known = _leaning_of.get(id(context))
    if known is not None:
        return known[1]
    keywords = [name for name in context if name.startswith("@")]
    terms = context.keys() - set(keywords)
    leans = {name: list(_words(context[name]) & terms) for name in terms}
    for name in keywords:
        for word in _words(context[name]) & terms:
            keywords.append(word)
    if len(_leaning_of) < _MAX_KEPT:
        _leaning_of[id(context)] = context, (keywords, leans)
    return keywords, leans


def _by_pyoxigraph(text: str) -> list[Quad]:
    try:
        found = pyoxigraph.parse(text.encode(), format=pyoxigraph.RdfFormat.JSON_LD, base_iri=BASE)
        return [_quad(quad) for quad in found]
    except (SyntaxError, ValueError) as error:
        raise JsonLdError(f"not JSON-LD: {error}") from error


def _by_pyld(text: str) -> list[Quad]:
    options = {"format": "application/n-quads", "base": BASE, "documentLoader": _never}
    try:
        lines: str = pyld.to_rdf(json.loads(text), options)
    except pyld.JsonLdError as error:
        raise JsonLdError(f"not JSON-LD: {error.code or error.type}") from error
    return parse_nquads(lines)


def _never(url: str, _: object) -> Any:
    raise JsonLdError(f"the context {url[:200]} is not known here, and none is fetched")


def _scoped(contexts: Iterable[Any]) -> set[str]:
    """Terms that bring a context of their own, at any depth."""
    found: set[str] = set()
    for context in contexts:
        for name, value in context.items() if isinstance(context, dict) else ():
            if isinstance(value, dict) and "@context" in value:
                inner = value["@context"]
                found |= {name} | _scoped(inner if isinstance(inner, list) else [inner])
    return found


def _intricate(value: Any, scoped: set[str]) -> bool:
    """Whether it holds what pyoxigraph reads amiss: a node with two types with a context each, or a fraction."""
    if isinstance(value, dict):
        if "@context" in value:
            scoped = scoped | _scoped(value["@context"])
        types = value.get("type", value.get("@type"))
        if isinstance(types, list) and sum(isinstance(each, str) and each in scoped for each in types) > 1:
            return True
        return any(_intricate(item, scoped) for name, item in value.items() if name != "@context")
    if isinstance(value, list):
        return any(_intricate(item, scoped) for item in value)
    return isinstance(value, float)


def parse_nquads(text: str | bytes) -> list[Quad]:
    """N-Quads as quads; raises `JsonLdError`."""
    data = text.encode() if isinstance(text, str) else text
    try:
        return [_quad(quad) for quad in pyoxigraph.parse(data, format=pyoxigraph.RdfFormat.N_QUADS)]
    except (SyntaxError, ValueError) as error:
        raise JsonLdError(f"not N-Quads: {error}") from error


def with_contexts(document: Mapping[str, Any], contexts: Contexts) -> dict[str, Any]:
    """The document with every URL in a `@context` replaced by what it stands for; raises `JsonLdError`."""
    if "@context" not in document:
        raise JsonLdError("@context is missing")
    whole: dict[str, Any] = _with_contexts(document, contexts, {}, MAX_DEPTH)
    return whole


def _with_contexts(value: Any, contexts: Contexts, protected: Mapping[str, Any], depth: int) -> Any:
    if depth == 0:
        raise JsonLdError("the document is nested too deeply")
    if isinstance(value, list):
        return [_with_contexts(item, contexts, protected, depth - 1) for item in value]
    if value is None:
        raise JsonLdError("null becomes no quad, so it would not be signed")
    if not isinstance(value, dict):
        return value
    if any(item == [] and name not in _MAY_BE_EMPTY for name, item in value.items()):
        raise JsonLdError("an empty array becomes no quad, so it would not be signed")
    named = []
    if "@context" in value:
        named = _inlined(value["@context"], contexts, protected)
        protected = {**protected, **_protected(named)}
    inner = {
        name: _with_contexts(item, contexts, protected, depth - 1) for name, item in value.items() if name != "@context"
    }
    return {"@context": named, **inner} if named else inner


def _inlined(context: Any, contexts: Contexts, protected: Mapping[str, Any]) -> list[Any]:
    entries = context if isinstance(context, list) else [context]
    if len(entries) > MAX_CONTEXTS:
        raise JsonLdError("too many contexts")
    found: list[Any] = []
    for entry in entries:
        if isinstance(entry, str):
            if entry not in contexts:
                raise JsonLdError(f"the context {entry[:200]} is not known here, and none is fetched")
            known = contexts[entry]
            found += known if isinstance(known, list) else [known]
        elif isinstance(entry, dict):
            _check_local(entry, {**protected, **_protected(found)}, MAX_DEPTH)
            found.append(entry)
        else:
            raise JsonLdError("@context holds something other than a URL or an object")
    return found


def _protected(contexts: Iterable[Any]) -> dict[str, Any]:
    """Terms that later contexts may not redefine (JSON-LD 1.1 §4.1.11), with their definitions."""
    found: dict[str, Any] = {}
    for context in contexts:
        if isinstance(context, dict):
            by_default = context.get("@protected", False)
            for name, value in context.items():
                own = value.get("@protected", by_default) if isinstance(value, dict) else by_default
                if own and not name.startswith("@"):
                    found[name] = value
    return found


def _check_local(context: Any, protected: Mapping[str, Any], depth: int) -> None:
    """A context of the document's own takes nothing away, redefines nothing protected and points nowhere."""
    if depth == 0:
        raise JsonLdError("@context is nested too deeply")
    if not isinstance(context, dict):
        raise JsonLdError("a nested @context must be an object")
    for name, value in context.items():
        if name in _FORBIDDEN or (name == "@vocab" and not isinstance(value, str)):
            raise JsonLdError(f"@context may not hold {name}")
        if name in protected and value != protected[name]:
            raise JsonLdError(f"@context redefines {name}, which is protected")
        if isinstance(value, dict) and "@context" in value:
            _check_local(value["@context"], protected, depth - 1)


def _quad(quad: pyoxigraph.Quad) -> Quad:
    graph = quad.graph_name
    return (
        str(quad.subject),
        str(quad.predicate),
        str(quad.object),
        "" if isinstance(graph, pyoxigraph.DefaultGraph) else str(graph),
    )
