"""Streams, cancellation and errors are behind a gate with everything on as they are without."""

from __future__ import annotations

import functools
import json

import pytest

from synapse_bridge.serve import testing
from synapse_bridge.serve.errors_test import *  # noqa: F403 # the same tests again
from synapse_bridge.serve.lifecycle_test import *  # noqa: F403
from synapse_bridge.serve.options import Options
from synapse_bridge.serve.streams_test import *  # noqa: F403
from synapse_bridge.serve.testing import Client, run


@pytest.fixture(autouse=True)
def _gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is followed, in number and time, and runs from its headers on."""
    followed = functools.partial(
        Options, max_peer_calls=100_000, max_deadline=100.0, access_log="json"
    )
    monkeypatch.setattr(testing, "Options", followed)


def test_a_function_sees_who_calls(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHOP_TOKENS", "alice:alice-has-a-long-token")

    async def test(client: Client) -> None:
        metadata = (("authorization", "Bearer alice-has-a-long-token"),)
        request = client.request("facts")
        facts = dict(await client.result("facts", request, metadata=metadata, timeout=None))
        assert "Identity(name='alice', kind='token'" in facts["identity"]
        # The server ends the call after that time, though the client has set none.
        assert 90 < float(facts["remaining"]) <= 100
        line = json.loads(capsys.readouterr().err.splitlines()[-1])
        assert line["identity"] == "alice"
        assert line["id"] == facts["correlation_id"]
        assert line["sent"] > 50

    run(test, token_env="SHOP_TOKENS")
