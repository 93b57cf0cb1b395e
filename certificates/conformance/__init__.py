"""A tenant for the public conformance suites: VC-API (W3C CCG) over `certificates.formats` and nothing else.

Its keys are made when it starts and end with it; it knows no agency, no register and no ledger. Off unless somebody
runs `govchain conformance serve`.
"""
