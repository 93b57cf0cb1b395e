"""Recovery codes: how a phone's backup is found, asked for and opened, of which the home agency can do only the first.

A code is 24 symbols of Crockford's base 32, made on the phone: six find the backup (the locator), eighteen (90 bits)
are secret. The phone stretches the whole code with PBKDF2-HMAC-SHA-256, 600,000 rounds, salted with
"govchain/recovery/v1\\n" ‖ locator, into 64 bytes:

    bytes  0–31   AES-256-GCM key of the backup: never leaves the phone
    bytes 32–63   asking key: shown to the home agency, which knows its SHA-256, to be given the backup

So a wrong code is counted where it can be (at the home agency, five tries), and a stolen database opens nothing: the
asking key says nothing of the other half. What the ciphertext holds is the wallet's business (wallet/src/backup.js).
"""

from __future__ import annotations

import hmac
import re

from gov_chain.core.codec import sha256

LOCATOR = re.compile(r"[0-9A-HJKMNP-TV-Z]{6}")
KEY_BYTES = 32
MAX_CONTENT = 64 * 1024


def verifier(asking_key: bytes) -> bytes:
    """What is kept of an asking key. It has 256 uniform bits, so a plain digest is enough."""
    return sha256(asking_key)


def opens(asking_key: bytes, kept: bytes) -> bool:
    return hmac.compare_digest(verifier(asking_key), kept)
