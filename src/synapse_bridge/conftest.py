"""Hypothesis for all tests: no deadlines, because machines are noisy.

Where `CI` is set, Hypothesis itself takes the same examples each time, so that a build does not
depend on luck; everywhere else it looks for new ones.
"""

from __future__ import annotations

import os

from hypothesis import settings

if "CI" not in os.environ:
    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")
