"""What an issuer says of itself: OpenID4VCI 1.0 §12.2, RFC 8414, SD-JWT VC §5."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from certificates.models import CertificateType
from identity import agencies
from identity.core import jwk
from identity.core.dids import key as did_key
from identity.models import Agency

PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"


def credential_issuer(agency: Agency, types: list[CertificateType]) -> dict[str, Any]:
    base = f"{agency.url}/oid4vci"
    return {
        "credential_issuer": agency.url,
        "credential_endpoint": f"{base}/credential",
        "nonce_endpoint": f"{base}/nonce",
        "deferred_credential_endpoint": f"{base}/deferred",
        "notification_endpoint": f"{base}/notification",
        "display": _display({"zh": agency.name_zh, "en": agency.name_en}),
        "credential_configurations_supported": {kind.slug: _configuration(kind) for kind in types},
    }


def _configuration(kind: CertificateType) -> dict[str, Any]:
    return {
        "format": "dc+sd-jwt",
        "vct": kind.vct,
        "cryptographic_binding_methods_supported": ["jwk"],
        "credential_signing_alg_values_supported": ["ES256"],
        "proof_types_supported": _proof_types(),
        "credential_metadata": {
            "display": _display(kind.definition["name"]),
            "claims": [
                {
                    "path": [field["id"]],
                    "mandatory": True,
                    "display": _display({"zh": field["zh"], "en": field["en"]}),
                }
                for field in kind.definition["fields"]
            ],
        },
    }


def _proof_types() -> dict[str, Any]:
    """The attestation type only where some wallet provider is trusted to make one."""
    types = ["jwt", "attestation"] if wallet_providers() else ["jwt"]
    return {each: {"proof_signing_alg_values_supported": ["ES256"]} for each in types}


def wallet_providers() -> list[jwk.Jwk]:
    """The keys under which a key attestation is believed (`GOVCHAIN_WALLET_PROVIDERS`)."""
    return [jwk.from_public_key(did_key.read(did).public_key) for did in settings.GOVCHAIN.wallet_providers]


def _display(names: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": names["zh"], "locale": "zh-CN"}, {"name": names["en"], "locale": "en"}]


def authorization_server(agency: Agency) -> dict[str, Any]:
    return {
        "issuer": agency.url,
        "token_endpoint": f"{agency.url}/oid4vci/token",
        "response_types_supported": [],
        "grant_types_supported": [PRE_AUTHORIZED],
        "authorization_details_types_supported": ["openid_credential"],
        "token_endpoint_auth_methods_supported": ["none"],
        "pre-authorized_grant_anonymous_access_supported": True,
    }


def jwt_vc_issuer(agency: Agency) -> dict[str, Any]:
    signer = agencies.signer(agency, "issue")
    key = {**jwk.from_public_key(signer.public_key), "kid": signer.key_id, "alg": "ES256", "use": "sig"}
    return {"issuer": agency.url, "jwks": {"keys": [key]}}


def credential_offer(agency: Agency, configuration: str, code: str) -> dict[str, Any]:
    """OpenID4VCI 1.0 §4.1.1."""
    return {
        "credential_issuer": agency.url,
        "credential_configuration_ids": [configuration],
        "grants": {
            PRE_AUTHORIZED: {
                "pre-authorized_code": code,
                "tx_code": {
                    "input_mode": "numeric",
                    "length": 6,
                    "description": "请输入窗口单独告知的六位交付码 Enter the six digits given at the counter",
                },
            }
        },
    }
