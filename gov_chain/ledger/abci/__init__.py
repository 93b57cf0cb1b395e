"""The ledger as an application under CometBFT (ABCI 2.0): no Django, no network but one unix socket.

    framing, messages       bytes ↔ messages; pure
    admission               which transactions may enter a mempool or a block
    application             what each request answers; the replica does the work
    snapshots               the store in chunks, for a new node
    server                  the socket
    python -m gov_chain.ledger.abci     the process

Source: CometBFT v0.38, spec/abci (methods, application requirements, client and server).
"""
