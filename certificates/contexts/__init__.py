"""The JSON-LD contexts a certificate may name, as they came from their packages at set-up.

Nothing is ever fetched while a certificate is read: a context that is not here is refused. Each file is held against
its digest, so that a package that changed its content stops the reader instead of changing what was signed.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

_PACKAGES = Path(__file__).with_name("node_modules")
_OF = "@digitalbazaar/{}-context/contexts/{}.jsonld"

_FILES: dict[str, tuple[str, str]] = {
    "https://www.w3.org/2018/credentials/v1": (
        _OF.format("credentials", "v1"),
        "00d7dd6d3ad8b920e3e550dd3a3d9090bffcac84cdbf943da6924b3e0a5c8bb8",
    ),
    "https://www.w3.org/ns/credentials/v2": (
        _OF.format("credentials", "v2"),
        "8a9f494a89ecc51db093e90e84713e07e84d6d9204364a9b3c7868b21751236f",
    ),
    "https://w3id.org/security/data-integrity/v1": (
        _OF.format("data-integrity", "data-integrity-v1"),
        "b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554",
    ),
    "https://w3id.org/security/data-integrity/v2": (
        _OF.format("data-integrity", "data-integrity-v2"),
        "0f77743daf5b4e8fc067fc5ba5b21044283053aa717fc6b0219843bed3b00363",
    ),
    "https://w3id.org/security/multikey/v1": (
        _OF.format("multikey", "multikey-v1"),
        "c5f3806f8286920573221938917988a18a4cc5a09e968d29649613c7a1c2b1f6",
    ),
    "https://www.w3.org/ns/did/v1": (
        "did-context/contexts/did-v1.jsonld",
        "62c1054bf404d6dd3a4b26b64f830fd72095f6a26edc4469908c94351352ce5f",
    ),
    "https://w3id.org/vdl/v1": (
        _OF.format("vdl", "vdl-v1"),
        "5e61aa138bc6a1bf92299edd01408df52f20c24057b9dbea72ccaeef5b792010",
    ),
    "https://w3id.org/citizenship/v1": (
        _OF.format("citizenship", "v1"),
        "4caf8d4d3a6a175f5e5ba6b91dc1fdd88a050630930a6478d8e4cb765c565f40",
    ),
    "https://w3id.org/citizenship/v2": (
        _OF.format("citizenship", "v2"),
        "2241bdc574b37395311997b93bee26c8ab2672e5da62de5f2c1d564a00eae959",
    ),
    "https://w3id.org/citizenship/v3": (
        _OF.format("citizenship", "v3"),
        "5a4855907ef40afdb50a51af131d7a883c62e891478ebbb81f5ecb9a5a9b99d7",
    ),
    "https://w3id.org/citizenship/v4rc1": (
        _OF.format("citizenship", "v4rc1"),
        "a89b0bc00b1848ac3dfdf956c7dd5de8567e755351c07ec6a1c2b4a08b67953b",
    ),
}

_VOCABULARIES = {
    "https://www.w3.org/ns/credentials/examples/v2": "https://www.w3.org/ns/credentials/examples#",
    "https://www.w3.org/ns/credentials/undefined-terms/v2": "https://www.w3.org/ns/credentials/undefined-term#",
}
"""Contexts that say nothing but where undefined terms go."""


class ContextsMissing(RuntimeError):  # noqa: N818 - it reads as the finding it is
    """The packages are not there, or are not those whose digests are named here; `make setup` brings them."""


@functools.cache
def bundled() -> Mapping[str, Any]:
    """URL → the value of its `@context`. Raises `ContextsMissing`."""
    found: dict[str, Any] = {url: {"@vocab": vocabulary} for url, vocabulary in _VOCABULARIES.items()}
    for url, (name, digest) in _FILES.items():
        try:
            content = (_PACKAGES / name).read_bytes()
        except FileNotFoundError as error:
            raise ContextsMissing(f"{name} is not installed; run make setup") from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise ContextsMissing(f"{name} is not the file this version was written for")
        found[url] = json.loads(content)["@context"]
    return MappingProxyType(found)
