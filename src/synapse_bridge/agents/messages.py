"""What agents and models say to each other, as it crosses.

The classes here are made of the schema of what the installed pydantic-ai stores, and have its
names: :class:`ModelRequest` and :class:`ModelResponse` hold parts (``UserPromptPart``,
``ToolCallPart`` …), and a history is a list of them. :func:`from_agent` and :func:`to_agent` lead
from pydantic-ai's messages to these and back; what pydantic-ai itself writes of both is the same,
to the byte.

Most messages cross as their fields alone. Neither protobuf nor the BEAM keep the order of the keys
of a JSON object, though, or the offset of a time. Objects come back with their keys sorted, and
times in UTC; a message that this changes has what it takes to undo that beside its fields
(``exact``, see :mod:`synapse_bridge.agents.order`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pydantic_core
from pydantic import ConfigDict, JsonValue, TypeAdapter
from pydantic_ai import messages as agents  # pants: no-infer-dep
from pydantic_ai import usage  # pants: no-infer-dep

from synapse_bridge.agents.mirror import EXACT, Mirror, plain_name
from synapse_bridge.agents.order import found_again, lost

_MEDIA = ("ImageUrl", "AudioUrl", "DocumentUrl", "VideoUrl", "BinaryContent", "UploadedFile")
_OPEN = frozenset({"RequestUsage", "RunUsage"})  # They keep what a provider counts besides.
_MESSAGES = ("ModelRequest", "ModelResponse")


def _mirror() -> Mirror:
    """The mirror of all that a history holds."""
    whole = agents.ModelMessagesTypeAdapter.json_schema(mode="serialization")
    counted = TypeAdapter(usage.RunUsage).json_schema(mode="serialization")
    definitions: dict[str, Any] = {**whole["$defs"], "RunUsage": counted}
    found = Mirror(__name__, definitions, _names(definitions), _OPEN, frozenset(_MESSAGES))

    def of(definition: str, key: str) -> Any:
        return definitions[definition]["properties"][key]

    found.call("ForceDownload", of("ImageUrl", "force_download"))
    media = found.alias("MultiModalContent", found.models(*_MEDIA))
    found.give("ToolReturnContent", found.alias("ToolReturnContent", media | JsonValue))
    for name, schema in (
        ("UserContent", of("UserPromptPart", "content")["anyOf"][1]["items"]),
        ("Prompt", of("UserPromptPart", "content")),
        ("ToolOutcome", of("ToolReturnPart", "outcome")),
        ("ToolCallArgs", {"anyOf": of("ToolCallPart", "args")["anyOf"][:-1]}),
        ("ToolSearchCallArgs", {"anyOf": of("ToolSearchCallPart", "args")["anyOf"][:-1]}),
        ("RetryContent", of("RetryPromptPart", "content")),
        ("CitationSource", of("Citation", "sources")["items"]),
        ("CitationAnchor", of("Citation", "anchor")["anyOf"][0]),
        ("ModelRequestPart", of("ModelRequest", "parts")["items"]),
        ("ModelResponsePart", of("ModelResponse", "parts")["items"]),
    ):
        found.call(name, schema)
    found.alias("ModelMessage", found.models(*_MESSAGES))
    found.annotation({"$ref": "#/$defs/RunUsage"})
    return found


def _names(definitions: Mapping[str, Any]) -> dict[str, str]:
    """Names for classes with arguments: the first keeps its own, the next are counted."""
    names: dict[str, str] = {}
    for definition in sorted(definitions):
        name = plain_name(definition)
        taken = sum(plain_name(one) == name for one in names)
        names[definition] = f"{name}{taken + 1}" if taken else name
    return names


_MIRROR = _mirror()
globals().update(_MIRROR.namespace)

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


_MESSAGE = _MIRROR.namespace["ModelMessage"]
_STORED: TypeAdapter[list[Any]] = TypeAdapter(
    list[_MESSAGE],  # type: ignore[valid-type] # known at run time only
    config=ConfigDict(ser_json_bytes="base64", val_json_bytes="base64"),
)
_USER: TypeAdapter[Any] = TypeAdapter(
    _MIRROR.namespace["Prompt"], config=ConfigDict(ser_json_bytes="base64")
)
_PROMPT: TypeAdapter[Any] = TypeAdapter(
    str | list[agents.UserContent], config=ConfigDict(val_json_bytes="base64")
)


_USED: TypeAdapter[usage.RunUsage] = TypeAdapter(usage.RunUsage)
_USAGE: TypeAdapter[Any] = TypeAdapter(_MIRROR.namespace["RunUsage"])
_RETURNED: TypeAdapter[Any] = TypeAdapter(
    agents.ToolReturnContent, config=ConfigDict(ser_json_bytes="base64")
)
_CONTENT: TypeAdapter[Any] = TypeAdapter(
    _MIRROR.namespace["ToolReturnContent"], config=ConfigDict(val_json_bytes="base64")
)


def from_agent(messages: Sequence[agents.ModelMessage]) -> list[Any]:
    """pydantic-ai's messages as they cross."""
    written = _written(messages)
    found = _crossing(written)
    if _written(_restored(found)) == written:
        return found
    return [_kept(one, message) for one, message in zip(found, messages, strict=True)]


def to_agent(messages: Sequence[Any]) -> list[agents.ModelMessage]:
    """What has crossed as pydantic-ai's messages.

    Raises pydantic's ``ValidationError`` for what pydantic-ai does not take.
    """
    found = _restored(messages)
    for index, message in enumerate(messages):
        if (text := getattr(message, EXACT)) is not None:
            found[index] = _exact(text, found[index])
    return found


def _kept(found: Any, message: agents.ModelMessage) -> Any:
    """A message that crosses, with what its fields do not bring back."""
    setattr(found, EXACT, lost(_json(message), _json(*_restored([found]))))
    return found


def _exact(text: str, restored: agents.ModelMessage) -> agents.ModelMessage:
    """What the fields of a message came to, with what they do not say."""
    stored = pydantic_core.to_json([found_again(text, _json(restored))])
    (message,) = agents.ModelMessagesTypeAdapter.validate_json(stored)
    return message


def _json(message: agents.ModelMessage) -> Any:
    (found,) = pydantic_core.from_json(_written([message]))
    return found


def _written(messages: Sequence[agents.ModelMessage]) -> bytes:
    """What pydantic-ai stores."""
    return agents.ModelMessagesTypeAdapter.dump_json([*messages])


def _crossing(written: bytes) -> list[Any]:
    """The fields alone."""
    return _STORED.validate_json(written)


def _restored(messages: Sequence[Any]) -> list[agents.ModelMessage]:
    """What the fields alone come to on the other side."""
    stored = pydantic_core.from_json(_STORED.dump_json([*messages]))
    return agents.ModelMessagesTypeAdapter.validate_json(pydantic_core.to_json(_in_order(stored)))


def _in_order(value: Any) -> Any:
    """JSON with the keys of objects in one order, whatever maps made of it on the way."""
    match value:
        case dict():
            return {key: _in_order(value[key]) for key in sorted(value)}
        case list():
            return [_in_order(item) for item in value]
    return value


def to_prompt(prompt: Any) -> str | list[agents.UserContent]:
    """A prompt that has crossed as one of pydantic-ai's."""
    if isinstance(prompt, str):
        return prompt
    found: list[agents.UserContent] = _PROMPT.validate_json(_USER.dump_json(prompt))
    return found


def usage_of(used: usage.RunUsage) -> Any:
    """What a run used, as it crosses."""
    return _USAGE.validate_json(_USED.dump_json(used))


def content_of(part: agents.ToolReturnPart | agents.NativeToolReturnPart) -> Any:
    """What a tool returned, as it crosses."""
    return _CONTENT.validate_json(_RETURNED.dump_json(part.content))


def dump(messages: Sequence[Any]) -> str:
    """What pydantic-ai stores of a history."""
    return _written(to_agent(messages)).decode()


def load(stored: str) -> list[Any]:
    """The history that pydantic-ai has stored; raises ``ValidationError`` for anything else."""
    return from_agent(agents.ModelMessagesTypeAdapter.validate_json(stored))
