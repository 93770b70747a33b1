"""Measures what a generated server does with a request and a result beside two other ways.

    python benchmarks/conversion/compare_conversions.py [--rounds N] [--milliseconds N]

A request goes from bytes to a validated model, and that as a result back to bytes: as a generated
server does it, which checks results as well; by ``json_format`` and ``model_validate``; and by
copying each attribute, as people write it (``by_hand.py``). All three use the same classes of
protobuf's. Measurements are interleaved; a figure is the best of the rounds, and the ratio's median
over the rounds is behind it.
"""

from __future__ import annotations

import argparse
import base64
import importlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import by_hand
import shapes
from google.protobuf import json_format
from pydantic import BaseModel

from synapse_bridge.generate import generate
from synapse_bridge.introspect import introspect
from synapse_bridge.serve.codec import Codec

JSON_ENOUGH = 2.0
"""How many times as fast as ``json_format`` we want to be."""
HAND_ENOUGH = 1.0
"""And as copying by hand."""

Way = Callable[[bytes], bytes]


def main() -> int:
    """Generate, measure, and print the table."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        ways = _ways(Path(folder))
        rows = [_row(name, *ways(name), options) for name in shapes.VALUES]
    print(f"{'':<12}{'ours µs':>12}{'json_format':>14}{'by hand':>12}{'× json':>16}{'× hand':>16}")
    print("\n".join(text for text, _ in rows))
    missed = ", ".join(name for name, (_, met) in zip(shapes.VALUES, rows, strict=True) if not met)
    aim = f"≥ {JSON_ENOUGH:.0f} × json_format and ≥ {HAND_ENOUGH:.0f} × by hand"
    print(f"{aim}: {f'missed by {missed}' if missed else 'reached'}")
    return 0


def _ways(folder: Path) -> Callable[[str], tuple[bytes, Mapping[str, Way]]]:
    """For a shape, a request and the ways to make its response."""
    for path, content in generate(introspect("shapes")).items():
        if path.startswith("python/"):
            data = content.encode() if isinstance(content, str) else content
            (folder / Path(path).name).write_bytes(data)
    sys.path.insert(0, str(folder))
    server: Any = importlib.import_module("shapes_server")
    methods = {method.function.__name__: method for method in server.SERVICE.methods}

    def of(name: str) -> tuple[bytes, Mapping[str, Way]]:
        value, method = shapes.VALUES[name], methods[f"echo_{name}"]
        codec = Codec(method)
        # The result of an echo and its argument are both field 1.
        request = codec.response(value)
        ways = {
            "ours": _ours(codec),
            "json": _json(method.request, method.response(value).__class__, type(value)),
            "hand": _hand(name, method.request, method.response(value).__class__, server.pb),
        }
        for way in ways.values():
            assert codec.arguments(codec.request(way(request)))["value"] == value
        return request, ways

    return of


def _ours(codec: Codec) -> Way:
    return lambda data: codec.response(codec.arguments(codec.request(data))["value"])


def _json(request: Any, response: Any, model: type[BaseModel]) -> Way:
    def convert(data: bytes) -> bytes:
        read = request.FromString(data).value
        found = json_format.MessageToDict(read, preserving_proto_field_name=True)
        if "payload" in found:  # in JSON, bytes are Base64
            found["payload"] = base64.b64decode(found["payload"])
        dumped = model.model_validate(found).model_dump()
        if "payload" in dumped:
            dumped["payload"] = base64.b64encode(dumped["payload"]).decode()
        message = response()
        json_format.ParseDict(dumped, message.result)
        sent: bytes = message.SerializeToString()
        return sent

    return convert


def _hand(name: str, request: Any, response: Any, pb: Any) -> Way:
    read, write = getattr(by_hand, f"{name}_in"), getattr(by_hand, f"{name}_out")

    def convert(data: bytes) -> bytes:
        value = read(request.FromString(data).value)
        sent: bytes = response(result=write(pb, value)).SerializeToString()
        return sent

    return convert


def _row(
    name: str, request: bytes, ways: Mapping[str, Way], options: argparse.Namespace
) -> tuple[str, bool]:
    times: dict[str, list[float]] = {way: [] for way in ways}
    count = max(1, round(options.milliseconds / 1000 / _seconds(ways["hand"], request, 3)))
    for _ in range(options.rounds):
        for way, convert in ways.items():
            times[way].append(_seconds(convert, request, count))
    best = {way: min(found) for way, found in times.items()}
    ratios = {
        way: statistics.median(b / a for a, b in zip(times["ours"], times[way], strict=True))
        for way in ("json", "hand")
    }
    cells = "".join(f"{best[way] * 1e6:>{wide},.1f}" for way, wide in _COLUMNS)
    cells += "".join(
        f"{best[way] / best['ours']:>9.2f} ({ratios[way]:>4.2f})" for way in ("json", "hand")
    )
    met = best["json"] >= JSON_ENOUGH * best["ours"] and best["hand"] >= HAND_ENOUGH * best["ours"]
    return f"{name:<12}{cells}", met


_COLUMNS = (("ours", 12), ("json", 14), ("hand", 12))


def _seconds(convert: Way, request: bytes, count: int) -> float:
    """Processor time of one conversion, as the mean of so many."""
    started = time.process_time_ns()
    for _ in range(count):
        convert(request)
    return (time.process_time_ns() - started) / 1e9 / count


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=100, help="(default: 100)")
    parser.add_argument("--milliseconds", type=int, default=5, help="of each (default: 5)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
