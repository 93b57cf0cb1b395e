"""RFC 9901: its own example, each of its refusals, and properties."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from certificates.core.errors import SdJwtError
from certificates.formats import sd_jwt
from certificates.formats.sd_jwt import Disclosure, SdJwt
from gov_chain.core.codec import b64url, b64url_decode, sha256
from gov_chain.keys.local import LocalSigner
from identity.core import jose, jwk
from tests.certificates import rfc9901

ISSUER = LocalSigner(ec.generate_private_key(ec.SECP256R1()))
HOLDER = LocalSigner(ec.generate_private_key(ec.SECP256R1()))
RFC_KEY = jwk.to_public_key({"kty": "EC", "crv": "P-256", "x": rfc9901.ISSUER_X, "y": rfc9901.ISSUER_Y})
RFC_TYPES = ("example+sd-jwt",)
NOW = 1_800_000_000


def made(claims: dict[str, Any], disclosable: set[str], decoys: int = 0) -> SdJwt:
    return sd_jwt.issue(
        claims=claims, disclosable=disclosable, header={}, signer=ISSUER, random=secrets.token_bytes, decoys=decoys
    )


def disclosure(*array: Any) -> str:
    return b64url(json.dumps(list(array)).encode())


def digest(encoded: str) -> str:
    return b64url(sha256(encoded.encode()))


def signed(payload: dict[str, Any], *disclosures: str, **header: Any) -> SdJwt:
    token = jose.sign({"typ": "dc+sd-jwt", **header}, payload, ISSUER)
    return sd_jwt.parse("~".join([token, *disclosures, ""]))


def refused(code: str, item: SdJwt, key: bytes = ISSUER.public_key, types: tuple[str, ...] = sd_jwt.TYPES) -> None:
    with pytest.raises(SdJwtError) as caught:
        sd_jwt.verify(item, issuer_key=key, types=types)
    assert caught.value.code == code


# The RFC's example


def test_example_presentation_gives_the_claims_the_rfc_prints() -> None:
    parsed = sd_jwt.parse(rfc9901.PRESENTATION)
    claims = sd_jwt.verify(parsed, issuer_key=RFC_KEY, types=RFC_TYPES).claims
    assert claims["given_name"] == "John"
    assert claims["family_name"] == "Doe"
    assert claims["address"]["locality"] == "Anytown"
    assert claims["nationalities"] == ["US"]
    assert "email" not in claims
    assert "_sd" not in claims
    assert "_sd_alg" not in claims


def test_example_key_binding_verifies() -> None:
    parsed = sd_jwt.parse(rfc9901.PRESENTATION)
    claims = sd_jwt.verify(parsed, issuer_key=RFC_KEY, types=RFC_TYPES).claims
    bound = sd_jwt.verify_key_binding(
        parsed,
        holder_jwk=claims["cnf"]["jwk"],
        expected_audience="https://verifier.example.org",
        expected_nonce="1234567890",
        now=rfc9901.KEY_BINDING_IAT,
    )
    assert bound["iat"] == rfc9901.KEY_BINDING_IAT


def test_example_without_disclosures_has_an_empty_array_and_open_claims_only() -> None:
    claims = sd_jwt.verify(sd_jwt.parse(rfc9901.ISSUER_JWT + "~"), issuer_key=RFC_KEY, types=RFC_TYPES).claims
    assert claims["nationalities"] == []
    assert set(claims) == {"iss", "iat", "exp", "sub", "nationalities", "cnf"}


def test_example_present_selects_by_name_in_nested_places_too() -> None:
    everything = sd_jwt.parse(
        "~".join([rfc9901.ISSUER_JWT, rfc9901.EMAIL, rfc9901.NATIONALITY_US, rfc9901.NATIONALITY_DE, ""])
    )
    kept = sd_jwt.present(everything, {"nationalities"})
    assert [item.encoded for item in kept.disclosures] == [rfc9901.NATIONALITY_US, rfc9901.NATIONALITY_DE]


def test_example_refused_with_an_altered_signature() -> None:
    altered = sd_jwt.parse(rfc9901.ISSUER_JWT.replace("MczwjBFG", "XczwjBFG") + "~")
    refused("sd-jwt-signature", altered, RFC_KEY, RFC_TYPES)


def test_example_is_no_certificate_by_its_typ() -> None:
    refused("sd-jwt-typ", sd_jwt.parse(rfc9901.ISSUER_JWT + "~"), RFC_KEY)


# Refusals


def test_same_disclosure_twice() -> None:
    item = made({"a": 1}, {"a"})
    refused("digest-duplicate", SdJwt(item.issuer_jwt, item.disclosures * 2, None))


def test_unreferenced_disclosure() -> None:
    other = made({"b": 1}, {"b"})
    item = made({"a": 1}, {"a"})
    refused("disclosure-unreferenced", SdJwt(item.issuer_jwt, item.disclosures + other.disclosures, None))


def test_digest_twice_in_one_array() -> None:
    one = disclosure("s", "a", 1)
    refused("digest-duplicate", signed({"_sd": [digest(one), digest(one)]}, one))


def test_digest_twice_across_levels_even_when_not_disclosed() -> None:
    decoy = digest("never disclosed")
    refused("digest-duplicate", signed({"_sd": [decoy], "nested": {"_sd": [decoy]}}))


def test_digest_repeated_inside_a_disclosure() -> None:
    inner = disclosure("s", "a", 1)
    outer = disclosure("s", "outer", {"_sd": [digest(inner)]})
    refused("digest-duplicate", signed({"_sd": [digest(outer), digest(inner)]}, outer, inner))


def test_disclosures_nested_in_one_another_beyond_the_limit() -> None:
    """Each is shallow; together they would exhaust the reader's stack. Met also before any signature is checked."""
    nested: list[str] = []
    for number in range(60):
        value: Any = {"_sd": [digest(nested[-1])]} if nested else 1
        for _ in range(12):
            value = {"a": [value]} if number % 2 else {"a": value}
        nested.append(disclosure("s", f"n{number}", value))
    item = signed({"_sd": [digest(nested[-1])]}, *nested)
    refused("sd-jwt-malformed", item)
    with pytest.raises(SdJwtError):
        sd_jwt.check_disclosures(item)


@pytest.mark.parametrize("name", ["_sd", "...", "_sd_alg"])
def test_disclosure_with_a_reserved_name(name: str) -> None:
    with pytest.raises(SdJwtError, match="claim-reserved"):
        signed({}, disclosure("s", name, 1))


@pytest.mark.parametrize(
    "payload", [{"...": "x"}, {"a": {"...": "x"}}, {"a": {"_sd_alg": "sha-256"}}, {"a": [{"...": "x", "b": 1}]}]
)
def test_reserved_name_out_of_place_in_the_payload(payload: dict[str, Any]) -> None:
    refused("claim-reserved", signed(payload))


def test_name_collision_with_an_open_claim() -> None:
    one = disclosure("s", "a", 1)
    refused("claim-collision", signed({"a": 0, "_sd": [digest(one)]}, one))


def test_name_collision_between_disclosures() -> None:
    one, two = disclosure("s", "a", 1), disclosure("t", "a", 2)
    refused("claim-collision", signed({"_sd": [digest(one), digest(two)]}, one, two))


@pytest.mark.parametrize("name", ["iss", "nbf", "exp", "cnf", "vct", "status", "anchor_salt"])
def test_claim_that_must_be_open_was_concealed(name: str) -> None:
    one = disclosure("s", name, "x")
    refused("claim-concealed", signed({"_sd": [digest(one)]}, one))
    with pytest.raises(SdJwtError, match="claim-concealed"):
        made({name: "x"}, {name})


@pytest.mark.parametrize("algorithm", ["sha-512", "SHA-256", None, 1])
def test_other_digest_algorithm(algorithm: object) -> None:
    refused("sd-alg-unknown", signed({"_sd_alg": algorithm}))


def test_array_disclosure_used_as_property_and_the_reverse() -> None:
    element, prop = disclosure("s", 1), disclosure("s", "a", 1)
    refused("disclosure-malformed", signed({"_sd": [digest(element)]}, element))
    refused("disclosure-malformed", signed({"list": [{"...": digest(prop)}]}, prop))


@pytest.mark.parametrize("payload", [{"_sd": "x"}, {"_sd": [1]}, {"_sd": [None]}, {"a": [{"...": 1}]}])
def test_digests_of_a_wrong_shape(payload: dict[str, Any]) -> None:
    refused("sd-jwt-malformed", signed(payload))


@pytest.mark.parametrize("array", [[], ["s"], ["s", "a", 1, 2], [1, "a", 1], ["s", 1, 1], {"s": 1}, "s", None])
def test_disclosure_of_a_wrong_shape(array: object) -> None:
    with pytest.raises(SdJwtError, match="disclosure-malformed"):
        signed({}, b64url(json.dumps(array).encode()))


@pytest.mark.parametrize(
    "raw",
    [
        '["s","a",{"b":1,"b":2}]',
        '["s","a",NaN]',
        '["s","a","\\ud800"]',
        '["s","a",' + "[" * 5000,
        '["s","a",1e999',
        '["s","a",' + "9" * 5000 + "]",
    ],
)
def test_disclosure_with_two_readings(raw: str) -> None:
    with pytest.raises(SdJwtError, match="disclosure-malformed"):
        signed({}, b64url(raw.encode()))


@pytest.mark.parametrize("text", ["", "~", "a.b~", "a.b.c", "a.b.c.d~", "é.b.c~", "a.b.c~" + "~" * 300, "x" * 70_000])
def test_text_that_is_no_sd_jwt(text: str) -> None:
    with pytest.raises(SdJwtError):
        sd_jwt.parse(text)


def test_algorithm_is_fixed_by_the_key() -> None:
    item = made({"a": 1}, {"a"})
    _, body, mark = item.issuer_jwt.split(".")
    for code, header in (
        ("sd-jwt-signature", {"alg": "none", "typ": "dc+sd-jwt"}),
        ("sd-jwt-signature", {"alg": "HS256", "typ": "dc+sd-jwt"}),
        ("sd-jwt-malformed", {"alg": "ES256", "typ": "dc+sd-jwt", "crit": ["b64"], "b64": False}),
        ("sd-jwt-malformed", {"alg": "ES256", "typ": "dc+sd-jwt", "jwk": jwk.from_public_key(HOLDER.public_key)}),
    ):
        head = b64url(json.dumps(header).encode())
        for signature in ("", mark):
            refused(code, sd_jwt.parse(f"{head}.{body}.{signature}~"))


def test_foreign_issuer_key() -> None:
    refused("sd-jwt-signature", made({"a": 1}, {"a"}), HOLDER.public_key)


# Key binding


def bound(item: SdJwt | None = None, **change: Any) -> SdJwt:
    values: dict[str, Any] = {"audience": "me", "nonce": "n", "issued_at": NOW, "signer": HOLDER, **change}
    return sd_jwt.bind(item or made({"a": 1, "b": 2}, {"a", "b"}), **values)


def check_binding(item: SdJwt, *, now: int = NOW) -> None:
    sd_jwt.verify_key_binding(
        item, holder_jwk=jwk.from_public_key(HOLDER.public_key), expected_audience="me", expected_nonce="n", now=now
    )


def test_key_binding_holds() -> None:
    check_binding(sd_jwt.parse(bound().text))


@pytest.mark.parametrize(
    ("code", "item"),
    [
        ("key-binding-audience", bound(audience="you")),
        ("key-binding-audience", bound(audience=["me"])),
        ("key-binding-nonce", bound(nonce="other")),
        ("key-binding-stale", bound(issued_at=NOW - 661)),
        ("key-binding-stale", bound(issued_at=NOW + 61)),
        ("key-binding-stale", bound(issued_at=True)),
        ("key-binding-signature", bound(signer=ISSUER)),
        ("key-binding-missing", made({"a": 1}, {"a"})),
    ],
)
def test_key_binding_refused(code: str, item: SdJwt) -> None:
    with pytest.raises(SdJwtError, match=code):
        check_binding(item)


def test_key_binding_covers_every_disclosure_and_their_order() -> None:
    item = bound()
    for disclosures in (item.disclosures[:1], (), item.disclosures[::-1]):
        with pytest.raises(SdJwtError, match="key-binding-hash"):
            check_binding(SdJwt(item.issuer_jwt, disclosures, item.key_binding_jwt))


def test_key_binding_with_another_typ() -> None:
    item = made({"a": 1}, {"a"})
    token = jose.sign({"typ": "JWT"}, {"aud": "me", "nonce": "n", "iat": NOW, "sd_hash": sd_jwt.sd_hash(item)}, HOLDER)
    with pytest.raises(SdJwtError, match="key-binding-malformed"):
        check_binding(SdJwt(item.issuer_jwt, item.disclosures, token))


def test_stripped_pair_keeps_its_key_binding_checkable_but_for_the_hash() -> None:
    item = sd_jwt.without_disclosures(bound())
    assert item.disclosures == ()
    claims = sd_jwt.verify_key_binding(
        item,
        holder_jwk=jwk.from_public_key(HOLDER.public_key),
        expected_audience="me",
        expected_nonce="n",
        now=NOW,
        disclosures_present=False,
    )
    assert claims["aud"] == "me"


# Properties

NAMES = st.text(min_size=1, max_size=8).filter(lambda name: name not in sd_jwt.OPEN_CLAIMS | {"_sd", "..."})
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(claims=st.dictionaries(NAMES, VALUES, max_size=6), data=st.data())
def test_what_is_presented_is_what_is_read(claims: dict[str, Any], data: st.DataObject) -> None:
    disclosable = set(data.draw(st.lists(st.sampled_from(sorted(claims)), unique=True))) if claims else set()
    chosen = set(data.draw(st.lists(st.sampled_from(sorted(disclosable)), unique=True))) if disclosable else set()
    item = made(claims, disclosable, decoys=3)
    shown = sd_jwt.parse(sd_jwt.present(item, chosen).text)
    verified = sd_jwt.verify(shown, issuer_key=ISSUER.public_key)
    assert verified.claims == {
        name: value for name, value in claims.items() if name in chosen or name not in disclosable
    }
    assert verified.disclosed == chosen


def test_salts_have_128_bits_and_never_repeat_and_decoys_look_like_digests() -> None:
    item = made({"a": 1, "b": 1}, {"a", "b"}, decoys=5)
    salts = {json.loads(b64url_decode(one.encoded))[0] for one in item.disclosures}
    assert len(salts) == 2
    assert all(len(b64url_decode(salt)) == 16 for salt in salts)
    _, payload = sd_jwt.peek(item.issuer_jwt)
    assert len(payload["_sd"]) == 7
    assert all(len(b64url_decode(one)) == 32 for one in payload["_sd"])
    assert payload["_sd"] == sorted(payload["_sd"])


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60) | st.text(alphabet="abAB.~-_=", max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        sd_jwt.verify(sd_jwt.parse(text), issuer_key=ISSUER.public_key)
    except SdJwtError:
        return
    raise AssertionError("accepted")


def test_disclosure_digest_is_over_its_encoded_form() -> None:
    """RFC 9901 §4.2.3: the digest of the example's given_name is in its payload."""
    _, payload = sd_jwt.peek(rfc9901.ISSUER_JWT)
    assert Disclosure(rfc9901.GIVEN_NAME, "given_name", "John").digest in payload["_sd"]
