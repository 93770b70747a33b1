"""Commands that are more than a call: each in its file, put together in ``cli``."""
