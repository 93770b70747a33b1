"""``python -m synapse_bridge`` is the command ``synapse_bridge``."""

from synapse_bridge.cli import main

if __name__ == "__main__":
    main()
