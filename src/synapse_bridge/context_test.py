"""A call's context, as a test of a user's function makes it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from synapse_bridge import Cancelled, Context


def test_a_context_of_ones_own_has_no_end() -> None:
    context = Context()
    assert (context.deadline, context.remaining, context.cancelled) == (None, None, False)
    assert dict(context.metadata) == {}
    assert context.wait(0) is False
    context.raise_if_cancelled()


def test_cancelling_wakes_who_waits() -> None:
    context = Context()
    woken: list[bool] = []
    thread = threading.Thread(target=lambda: woken.append(context.wait(30)))
    thread.start()
    context.cancel()
    thread.join(10)
    assert woken == [True]
    with pytest.raises(Cancelled):
        context.raise_if_cancelled()


def test_the_deadline_is_absolute() -> None:
    context = Context(timeout=60)
    assert context.deadline is not None
    assert context.remaining is not None
    assert abs(context.deadline - datetime.now(UTC) - timedelta(seconds=60)).total_seconds() < 5
    assert 55 < context.remaining <= 60
    assert Context(timeout=-1).remaining == 0


def test_a_call_is_cancelled_when_its_deadline_has_passed() -> None:
    context = Context(timeout=0.05)
    assert context.wait(0.1) is True
    assert context.cancelled
    with pytest.raises(Cancelled):
        context.raise_if_cancelled()


def test_a_call_is_cancelled_for_good_when_its_client_has_gone() -> None:
    gone = True
    context = Context(gone=lambda: gone)
    assert context.cancelled
    gone = False
    assert context.cancelled
    assert context.wait(0) is True


def test_metadata_by_key() -> None:
    context = Context(metadata=(("a", "1"), ("a", "2"), ("b-bin", b"\0")))
    assert context.metadata == {"a": "2", "b-bin": b"\0"}
    assert context.all_metadata("a") == ("1", "2")
    assert context.all_metadata("c") == ()
    assert context.traceparent is None


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("Key", "x", "a-z"),
        ("", "x", "a-z"),
        ("grpc-status", "0", "gRPC's own"),
        ("a-bin", "x", "must be bytes"),
        ("a", b"x", "must be str"),
        ("a", "é", "printable ASCII"),
        ("a", "x\n", "printable ASCII"),
    ],
)
def test_trailing_metadata_that_cannot_be_sent(key: str, value: str | bytes, error: str) -> None:
    context = Context()
    with pytest.raises(ValueError, match=error):
        context.set_trailing_metadata({"good": "x", key: value})
    assert context.trailing_metadata == ()
