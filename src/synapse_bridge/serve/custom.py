"""Types that travel as others: by the configuration, or by a schema of their own.

Every class here says of one type how its values come from the wire and get there, and what is
checked before: ``from_wire`` gives an :class:`Unreadable` where it fails, ``schema`` refuses a
value that ``to_wire`` could not carry exactly.
"""

from __future__ import annotations

import enum
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Literal, TypeAlias

from pydantic import TypeAdapter
from pydantic_core import (
    CoreSchema,
    PydanticCustomError,
    ValidationError,
    to_json,
)
from pydantic_core import core_schema as cs

from synapse_bridge.annotation_source import evaluate
from synapse_bridge.serve.unreadable import Unreadable, found

Schemas: TypeAlias = Callable[[Any], CoreSchema]


class Custom(ABC):
    """A type that travels as another. ``name`` is that of its class, or of the place it has."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def from_wire(self, value: Any) -> Any:
        """What Python gets of a value from the wire, or an :class:`Unreadable`."""

    @abstractmethod
    def to_wire(self, value: Any) -> Any:
        """What the wire gets of a checked value."""

    @abstractmethod
    def schema(self, of: Schemas) -> CoreSchema:
        """The check of a value; ``of`` makes that of an annotation."""


class Annotated(Custom):
    """An annotation of the configuration, which holds instead of the one in the code."""

    def __init__(self, name: str, source: str, module: ModuleType) -> None:
        super().__init__(name)
        self.annotation = evaluate(source, vars(module))
        self._read = _reader(self.annotation)

    def from_wire(self, value: Any) -> Any:
        return _readable(self._read, value)

    def to_wire(self, value: Any) -> Any:
        return value

    def schema(self, of: Schemas) -> CoreSchema:
        return of(self.annotation)


class Converted(Custom):
    """Two functions of the user's, to and from values of an annotation.

    A ``ValueError`` or ``TypeError`` of either says that it does not take the value. Its text gets
    to the client; that of any other exception does not.
    """

    def __init__(
        self,
        name: str,
        source: str,
        module: ModuleType,
        *,
        to_wire: Callable[[Any], Any],
        from_wire: Callable[[Any], Any],
    ) -> None:
        super().__init__(name)
        self.annotation = evaluate(source, vars(module))
        self._to_wire = to_wire
        self._from_wire = from_wire
        self._read = _reader(self.annotation)

    def from_wire(self, value: Any) -> Any:
        read = _readable(self._read, value)
        if found():
            return read
        try:
            return self._from_wire(read)
        except (TypeError, ValueError) as error:
            return Unreadable(str(error))

    def to_wire(self, value: Any) -> Any:
        return self._to_wire(value)

    def schema(self, of: Schemas) -> CoreSchema:
        return _made(self.to_wire, of(self.annotation))


class Adapted(Custom):
    """A class that tells pydantic how its instances become JSON; ``plain`` is its type.

    What is sent must be what pydantic makes the same instance of again.
    """

    def __init__(self, cls: type, plain: Any) -> None:
        super().__init__(f"{cls.__module__}.{cls.__qualname__}")
        self._adapter: TypeAdapter[Any] = TypeAdapter(cls)
        self._plain = plain
        # Such a schema may take instances alone, and plain values only as JSON.
        self._from_json = self._adapter.core_schema["type"] == "json-or-python"
        # Of a kind of str that is made by a function, the schema may tell of no str at all.
        own = isinstance(plain, type) and issubclass(cls, plain)
        self._warnings: Literal["none", "error"] = "none" if own else "error"

    def from_wire(self, value: Any) -> Any:
        if self._from_json:
            return _readable(lambda plain: self._adapter.validate_json(to_json(plain)), value)
        return value

    def to_wire(self, value: Any) -> Any:
        return self._adapter.dump_python(value, mode="json", warnings=self._warnings)

    def schema(self, of: Schemas) -> CoreSchema:
        return _made(self._back_and_forth, of(self._plain))

    def _back_and_forth(self, value: Any) -> Any:
        plain = self.to_wire(value)
        if self.to_wire(self._adapter.validate_json(to_json(plain))) != plain:
            raise ValueError("it would not come back as it is")
        return plain


class Flags(Custom):
    """An ``enum.Flag``, as the number that its bits make."""

    def __init__(self, cls: type[enum.Flag]) -> None:
        super().__init__(f"{cls.__module__}.{cls.__qualname__}")
        self._cls = cls

    def from_wire(self, value: Any) -> Any:
        try:
            flags = self._cls(value)
        except (TypeError, ValueError):
            flags = None
        if flags is None or flags.value != value:
            return Unreadable(f"Input should be a number of flags of {self._cls.__name__}")
        return flags

    def to_wire(self, value: Any) -> Any:
        return value.value

    def schema(self, of: Schemas) -> CoreSchema:
        number = _made(lambda flags: flags.value, of(int))
        return cs.chain_schema([cs.is_instance_schema(self._cls), number])


class Types:
    """What holds for all methods of a service: its custom types, and what a naive datetime is."""

    def __init__(
        self, *customs: Custom, naive_datetime: Literal["refused", "utc"] = "refused"
    ) -> None:
        self.customs: Mapping[str, Custom] = {custom.name: custom for custom in customs}
        self.naive_is_utc = naive_datetime == "utc"

    def of_class(self, annotation: Any) -> Custom | None:
        """What is said of a class."""
        if not self.customs or not isinstance(annotation, type):
            return None
        return self.customs.get(f"{annotation.__module__}.{annotation.__qualname__}")

    def of_field(self, cls: type, name: str) -> Custom | None:
        """What is said of a field, in the class that is asked or one that it inherits it from."""
        for owner in cls.__mro__ if self.customs else ():
            if found := self.customs.get(f"{owner.__module__}.{owner.__qualname__}.{name}"):
                return found
        return None


def _reader(annotation: Any) -> Callable[[Any], Any]:
    """Validation by an annotation, as that of a request's arguments."""
    if inspect.isclass(annotation) and annotation in (bool, int, float, bytes):
        return lambda value: value  # the wire has no other
    adapter: TypeAdapter[Any] = TypeAdapter(list[annotation], config=_CONFIG)

    def read(value: Any) -> Any:
        return adapter.validate_python([value], strict=False, by_alias=False, by_name=True)[0]

    return read


_CONFIG: Any = {"arbitrary_types_allowed": True}


def _readable(read: Callable[[Any], Any], value: Any) -> Any:
    if found():  # perhaps within the value
        return value
    try:
        return read(value)
    except ValidationError as error:
        return Unreadable.of(error)


def _made(make: Callable[[Any], Any], schema: CoreSchema) -> CoreSchema:
    """The check of what is made of a value."""

    def validate(value: Any, handler: Callable[[Any], Any]) -> Any:
        try:
            made = make(value)
        except Exception as error:
            told = f": {error}" if isinstance(error, TypeError | ValueError) else ""
            context = {"error": f"{type(error).__name__}{told}"}
            raise PydanticCustomError(
                "custom_type", "It cannot be converted: {error}", context
            ) from None
        return handler(made)

    return cs.no_info_wrap_validator_function(validate, schema)
