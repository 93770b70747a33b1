"""``python -m synapse_bridge.serve SERVER`` serves a generated server."""

from synapse_bridge.serve.cli import main

main()
