"""Issue, derive and verify as VC-API asks, with one key a suite."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certificates.contexts import bundled
from certificates.formats import bbs, multikey, status_list, vcdm
from certificates.formats.data_integrity import bbs_2023, ecdsa_sd, proofs
from certificates.formats.data_integrity.errors import DataIntegrityError
from certificates.formats.data_integrity.proofs import Expected, VerificationMethod
from certificates.formats.multikey import Multikey
from certificates.formats.status_list import Statuses

SUITES = {
    "eddsa-rdfc-2022": "eddsa-rdfc-2022",
    "ecdsa-rdfc-2019-p256": "ecdsa-rdfc-2019",
    "ecdsa-rdfc-2019-p384": "ecdsa-rdfc-2019",
    "ecdsa-sd-2023": "ecdsa-sd-2023",
    "bbs-2023": "bbs-2023",
    "bitstring": "eddsa-rdfc-2022",
}
"""Suite as the address names it → cryptosuite of its proofs."""
STATUS_SUITE = "bitstring"
PURPOSES = frozenset(
    {"assertionMethod", "authentication", "capabilityInvocation", "capabilityDelegation", "keyAgreement"}
)


class EdKey:
    """An Ed25519 key in memory."""

    def __init__(self) -> None:
        self._key = ed25519.Ed25519PrivateKey.generate()
        self.multikey = Multikey("Ed25519", self._key.public_key().public_bytes_raw())

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


class EcKey:
    """A P-256 or P-384 key in memory; signatures are r‖s."""

    def __init__(self, curve: ec.EllipticCurve) -> None:
        self._key = ec.generate_private_key(curve)
        self._half = (curve.key_size + 7) // 8
        self._hash = SHA384() if curve.key_size == 384 else SHA256()
        self.public_key = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        self.multikey = Multikey("P-384" if curve.key_size == 384 else "P-256", self.public_key)

    def sign(self, data: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(self._hash)))
        return r.to_bytes(self._half) + s.to_bytes(self._half)

    def sign_many(self, items: Sequence[bytes]) -> list[bytes]:
        return [self.sign(item) for item in items]


class BbsKey:
    """A BBS key in memory."""

    def __init__(self) -> None:
        self._secret = bbs.key_generate(secrets.token_bytes(32))
        self.multikey = Multikey("BLS12-381-G2", bbs.public_key(self._secret))

    def sign(self, header: bytes, messages: Sequence[bytes]) -> bytes:
        return bbs.sign(self._secret, header, messages)


class Tenant:
    def __init__(self, base_url: str) -> None:
        """`base_url` is where it is reached, the base path included."""
        self._base_url = base_url
        self._eddsa, self._p256, self._p384 = EdKey(), EcKey(ec.SECP256R1()), EcKey(ec.SECP384R1())
        self._bbs = BbsKey()
        self._keys: dict[str, EdKey | EcKey | BbsKey] = {
            "eddsa-rdfc-2022": self._eddsa,
            "ecdsa-rdfc-2019-p256": self._p256,
            "ecdsa-rdfc-2019-p384": self._p384,
            "ecdsa-sd-2023": self._p256,
            "bbs-2023": self._bbs,
            "bitstring": self._eddsa,
        }
        self._statuses = Statuses(status_list.MIN_ENTRIES)
        self._taken: set[int] = set()

    def config(self) -> dict[str, str]:
        """Suite → the did:key that issues under it."""
        return {suite: self._keys[suite].multikey.did for suite in SUITES}

    def issue(self, suite: str, credential: Mapping[str, Any], mandatory: Sequence[str]) -> dict[str, Any]:
        """The credential with a proof of `suite`; raises `VcdmError` or `DataIntegrityError`."""
        vcdm.check_credential(credential)
        key = self._keys[suite].multikey
        issuer = credential["issuer"]
        document = {**credential, "issuer": {**issuer, "id": key.did} if isinstance(issuer, dict) else key.did}
        if suite == STATUS_SUITE:
            document["credentialStatus"] = self._status_entry()
        options = {
            "type": "DataIntegrityProof",
            "cryptosuite": SUITES[suite],
            "created": vcdm.timestamp(int(time.time())),
            "verificationMethod": f"{key.did}#{key.text}",
            "proofPurpose": "assertionMethod",
        }
        if suite == "ecdsa-sd-2023":
            value = ecdsa_sd.base_value(
                document,
                options,
                mandatory,
                sign=self._p256.sign,
                quad_signer=EcKey(ec.SECP256R1()),
                hmac_key=secrets.token_bytes(32),
                contexts=bundled(),
            )
        elif suite == "bbs-2023":
            value = bbs_2023.base_value(
                document,
                options,
                mandatory,
                sign=self._bbs.sign,
                public_key=key.public_key,
                hmac_key=secrets.token_bytes(32),
                contexts=bundled(),
            )
        else:
            signer = self._keys[suite]
            assert not isinstance(signer, BbsKey)
            return proofs.add(document, options, signer=signer, contexts=bundled())
        return {**document, "proof": {**options, "proofValue": value}}

    def derive(self, credential: Mapping[str, Any], pointers: Sequence[str]) -> dict[str, Any]:
        """Less than was signed; raises `DataIntegrityError`."""
        document, found = proofs.separate(credential)
        if len(found) != 1:
            raise DataIntegrityError("proof-malformed", log="one base proof is derived from")
        (proof,) = found
        if proof.get("cryptosuite") == ecdsa_sd.NAME:
            reveal, value = ecdsa_sd.derive(document, proof, pointers, bundled())
        elif proof.get("cryptosuite") == bbs_2023.NAME:
            reveal, value = bbs_2023.derive(
                document, proof, pointers, bundled(), presentation_header=b"", random=secrets.token_bytes
            )
        else:
            raise DataIntegrityError("proof-not-base")
        return {**reveal, "proof": {**proof, "proofValue": value}}

    def verify_credential(self, credential: Mapping[str, Any]) -> None:
        """Raises `VcdmError` or `DataIntegrityError` unless all holds, its own period and our own status included."""
        vcdm.check_credential(credential)
        now = int(time.time())
        expected = Expected(now=now, controllers={vcdm.issuer_id(credential)})
        proofs.verify(credential, resolve=resolve, expected=expected, contexts=bundled())
        if not vcdm.valid_at(credential, now):
            raise vcdm.VcdmError("the credential is not valid at this time")
        self._check_status(credential)

    def verify_presentation(
        self, presentation: Mapping[str, Any], *, challenge: str | None, domain: str | None
    ) -> None:
        """Raises `VcdmError` or `DataIntegrityError` unless the presentation and every credential in it hold."""
        vcdm.check_presentation(presentation)
        now = int(time.time())
        holder = presentation.get("holder")
        identity = holder.get("id") if isinstance(holder, dict) else holder
        expected = Expected(
            now=now,
            purpose="authentication",
            controllers=None if identity is None else {identity},
            challenge=challenge,
            domain=domain,
        )
        proofs.verify(presentation, resolve=resolve, expected=expected, contexts=bundled())
        for credential in vcdm.credentials(presentation):
            self.verify_credential(credential)

    def status_list(self) -> dict[str, Any]:
        """The status list of what was issued here, as a credential."""
        address = self._list_address()
        document = {
            "@context": [vcdm.V2],
            "id": address,
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": self._eddsa.multikey.did,
            "credentialSubject": {
                "id": f"{address}#list",
                "type": "BitstringStatusList",
                "statusPurpose": "revocation",
                "encodedList": self._statuses.bitstring("revocation"),
            },
        }
        return self.issue("eddsa-rdfc-2022", document, [])

    def _list_address(self) -> str:
        return f"{self._base_url}/status-lists/1".replace("http://", "https://", 1)

    def _status_entry(self) -> dict[str, str]:
        index = secrets.randbelow(self._statuses.size)
        while index in self._taken:
            index = secrets.randbelow(self._statuses.size)
        self._taken.add(index)
        return {
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(index),
            "statusListCredential": self._list_address(),
        }

    def _check_status(self, credential: Mapping[str, Any]) -> None:
        """Of the list kept here; another's is not fetched, and says nothing."""
        entries = credential.get("credentialStatus", [])
        for entry in entries if isinstance(entries, list) else [entries]:
            if entry.get("statusListCredential") != self._list_address():
                continue
            index = entry.get("statusListIndex")
            if not isinstance(index, str) or not index.isdecimal() or len(index) > 9:
                raise vcdm.VcdmError("statusListIndex is not a number")
            try:
                status = self._statuses[int(index)]
            except status_list.StatusListError as error:
                raise vcdm.VcdmError("statusListIndex is outside the list") from error
            if status == "revoked":
                raise vcdm.VcdmError("the credential was revoked")


def resolve(url: str) -> VerificationMethod:
    """Keys that are their own identifiers: nothing else is looked up. Raises `DataIntegrityError`."""
    did, _, fragment = url.partition("#")
    try:
        key = multikey.from_did_key(did)
    except ValueError as error:
        raise DataIntegrityError("verification-method-unknown", log=str(error)) from error
    if fragment != key.text:
        raise DataIntegrityError("verification-method-unknown", log="the fragment names another key")
    return VerificationMethod(url, did, key, PURPOSES)
