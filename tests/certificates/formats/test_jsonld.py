"""JSON-LD: the fast reader and the complete one say the same, and nothing is dropped unsaid."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certificates.contexts import bundled
from certificates.formats import jsonld, rdfc

V2 = "https://www.w3.org/ns/credentials/v2"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"

VALUES = st.recursive(
    st.booleans() | st.integers(-(2**31), 2**31) | st.text(st.characters(categories=("L", "N")), max_size=8),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.sampled_from(["alpha", "beta", "name", "image"]), inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(VALUES)
def test_the_two_readers_find_the_same_quads(value) -> None:
    document = {
        "@context": [V2, EXAMPLES],
        "type": ["VerifiableCredential"],
        "issuer": "did:example:1",
        "credentialSubject": {"alpha": value},
    }
    text = json.dumps(jsonld.with_contexts(document, bundled()), ensure_ascii=False)
    fast, complete = jsonld._by_pyoxigraph(text), jsonld._by_pyld(text)
    assert rdfc.canonicalize(fast).text == rdfc.canonicalize(complete).text


def test_a_fraction_is_written_as_json_ld_says() -> None:
    document = {"@context": [V2, EXAMPLES], "type": "VerifiableCredential", "alpha": 524288.408}
    terms = {term for quad in jsonld.quads(document, bundled()) for term in quad}
    assert '"5.242884080000001E5"^^<http://www.w3.org/2001/XMLSchema#double>' in terms, "printf %1.15E, trimmed"


def test_two_types_with_a_context_each_are_both_heard() -> None:
    contexts = {
        "urn:c": {
            "@version": 1.1,
            "type": "@type",
            "A": {"@id": "urn:A", "@context": {"a": "urn:a"}},
            "B": {"@id": "urn:B", "@context": {"b": "urn:b"}},
        }
    }
    found = jsonld.quads({"@context": "urn:c", "@id": "urn:x", "type": ["A", "B"], "a": "1", "b": "2"}, contexts)
    assert {predicate for _, predicate, _, _ in found} >= {"<urn:a>", "<urn:b>"}


@pytest.mark.parametrize("value", [None, [], {"alpha": None}, {"alpha": []}, [None]])
def test_what_would_become_no_quad_is_refused(value) -> None:
    with pytest.raises(jsonld.JsonLdError):
        jsonld.quads({"@context": [V2, EXAMPLES], "type": "VerifiableCredential", "alpha": value}, bundled())


@settings(deadline=None)
@given(VALUES)
def test_a_slim_context_means_the_same(value) -> None:
    document = {
        "@context": [
            V2,
            "https://w3id.org/citizenship/v4rc1",
            {"ex": "urn:ex:", "alpha": "ex:alpha", "beta": "ex:beta"},
        ],
        "type": ["VerifiableCredential", "ex:Card"],
        "issuer": "did:example:1",
        "credentialSubject": {"type": "PermanentResident", "lprNumber": "1", "alpha": value},
    }
    whole = jsonld.with_contexts(document, bundled())
    slim = jsonld._slim(whole, jsonld._words(document))
    found = [rdfc.canonicalize(jsonld._by_pyld(json.dumps(each))).text for each in (whole, slim)]
    assert found[0] == found[1]
