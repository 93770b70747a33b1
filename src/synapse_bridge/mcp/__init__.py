"""A service's functions as tools of the Model Context Protocol.

From the contract follow the tools (:mod:`.tools`, :mod:`.schemas`), and how JSON becomes requests
and responses (:mod:`.scalars`, :mod:`.reading`, :mod:`.writing`, :mod:`.codec`); :mod:`.server`
lets the official SDK call them through the endpoints that gRPC has, and :mod:`.running` serves them
over standard input and output, or HTTP. Only these two need the SDK, which is an optional extra.
"""
