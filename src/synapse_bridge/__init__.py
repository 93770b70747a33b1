"""Synapse Bridge: a typed gRPC bridge from Python functions to Elixir.

The package has four parts, and imports point one way (``cli → generate → contract ← introspect``,
``serve → contract``):

- :mod:`synapse_bridge.introspect` reads live Python objects and writes the contract;
- :mod:`synapse_bridge.contract` is that contract, as plain data;
- :mod:`synapse_bridge.generate` turns a contract into text, without touching anything else;
- :mod:`synapse_bridge.serve` is the runtime that generated servers lean on.

The names below are for the functions that are bridged: a parameter annotated with :class:`Context`
gets that of its call, :func:`raises` and :func:`method` say about a function what its signature
cannot, and :class:`RenamedFrom` says of a field or parameter what its name was.
"""

from synapse_bridge.context import Cancelled, Context
from synapse_bridge.declaration import method, raises
from synapse_bridge.markers import BigInt
from synapse_bridge.renamed import RenamedFrom

__all__ = ["BigInt", "Cancelled", "Context", "RenamedFrom", "__version__", "method", "raises"]

__version__ = "0.1.0"
