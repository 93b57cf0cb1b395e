"""Verifiable Credential Data Integrity 1.0 (W3C Recommendation, 15 May 2025) and four of its cryptosuites.

    proofs.add(document, options, signer, suite…)    sign
    proofs.verify(secured, resolve=…, expected=…)    check, whatever the suite
    ecdsa_sd.derive, bbs_2023.derive                 show less than was signed

Pure: keys, time, randomness and contexts come as arguments. Who may issue is not asked here.
"""
