"""The ``serve:`` section of a configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pydantic

from synapse_bridge.serve.kind import Setting
from synapse_bridge.serve.loading import CannotServe
from synapse_bridge.serve.options import Options


def settings() -> dict[str, Setting]:
    """All settings, by their names."""
    return {
        field.name: field.metadata["setting"]
        for field in dataclasses.fields(Options)
        if "setting" in field.metadata
    }


def values(section: pydantic.BaseModel, place: Callable[[str], str]) -> dict[str, Any]:
    """The settings that a section says, as :class:`Options` takes them.

    Raises :class:`CannotServe` for a text that its setting cannot read; ``place`` says where a
    setting stands.
    """
    found = section.model_dump(exclude_unset=True, exclude_none=True)
    return {name: _value(name, value, place(name)) for name, value in found.items()}


def _value(name: str, value: Any, place: str) -> Any:
    if not isinstance(value, str):
        return tuple(value) if isinstance(value, list) else value
    try:
        return settings()[name].kind.parse(value)
    except ValueError as error:
        raise CannotServe(f"{place}: `serve.{name}`: {error}, not {value!r}") from None


def _fields() -> Mapping[str, Any]:
    return {
        name: (setting.kind.type | None, pydantic.Field(None, description=_sentence(setting.help)))
        for name, setting in settings().items()
        if not setting.command_line_only
    }


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


if TYPE_CHECKING:

    class Section(pydantic.BaseModel):
        """What the section may hold. A setting that it leaves away has its default."""
else:
    Section = pydantic.create_model(
        "Section",
        __config__=pydantic.ConfigDict(
            extra="forbid", strict=True, frozen=True, title="ServeConfig"
        ),
        __doc__="How a server serves; the command line's options of the same names go first.",
        **_fields(),
    )
