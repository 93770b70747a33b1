"""Functions → methods: how their signatures are called."""

from __future__ import annotations

import inspect
import sys
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pydantic
from pydantic.fields import FieldInfo

from synapse_bridge import context as calling
from synapse_bridge import declaration
from synapse_bridge.contract import names
from synapse_bridge.contract.model import (
    Annotation,
    Default,
    Docstring,
    Field,
    Message,
    Method,
    Parameter,
    Required,
    Streamed,
)
from synapse_bridge.contract.types import Type
from synapse_bridge.hints import peel
from synapse_bridge.introspect import exceptions, source, streams
from synapse_bridge.introspect.annotations import read_type
from synapse_bridge.introspect.catalogue import Catalogue
from synapse_bridge.introspect.context import Context
from synapse_bridge.introspect.customs import placed
from synapse_bridge.introspect.defaults import literal
from synapse_bridge.introspect.docstrings import read_docstring
from synapse_bridge.introspect.models import undefined, unreadable
from synapse_bridge.introspect.naming import check_name
from synapse_bridge.introspect.refusal import Place, Unsupported
from synapse_bridge.introspect.selection import Function


@dataclass(frozen=True, slots=True)
class Calls:
    """What the configuration says of a function's calls; it goes before what the code says.

    ``raises`` are exceptions in addition to those that the code declares, by their names in its
    module or with their module's.
    """

    timeout_ms: int | None = None
    idempotent: bool | None = None
    raises: Sequence[str] = ()


def read_function(
    name: str, function: Function, module: str, expression: str, catalogue: Catalogue, calls: Calls
) -> Method | None:
    """One function as contract: its request and response go to the catalogue, and so do refusals.

    ``expression`` reaches it from its module.
    """
    qualified = f"{module}.{expression}"
    place = source.function_place(function, name)
    catalogue.places[qualified] = place
    before = len(catalogue.refusals)
    doc = read_docstring(source.docstring(function))
    try:
        check_name(name)
        _check_kind(function)
        signature = inspect.signature(function)
        hints = typing.get_type_hints(source.unwrap(function), include_extras=True)
    except Unsupported as error:
        catalogue.refuse(error.at(place))
        return None
    except NameError as error:
        catalogue.refuse(undefined(error).at(_undefined_place(function, name, error, place)))
        return None
    except Exception as error:
        # An annotation is an expression of the user's, and can raise anything.
        catalogue.refuse(unreadable(error).at(place))
        return None
    reader = _Reader(name, function, module, expression, hints, doc, catalogue)
    result = reader.result()
    for parameter in signature.parameters.values():
        reader.parameter(parameter)
    raises = reader.raises(calls.raises)
    if len(catalogue.refusals) > before:
        return None
    answer = []
    if result is not None:
        field = Field("result", 1, result, Required(), doc.returns, "result", "result")
        answer.append(replace(field, annotation=reader.result_annotation))
    said = declaration.declaration(function)
    request, response = f"{qualified}#request", f"{qualified}#response"
    catalogue.messages[request] = Message(request, "", "", "request", tuple(reader.fields))
    catalogue.messages[response] = Message(response, "", "", "response", tuple(answer))
    return Method(
        name=name,
        function=expression,
        proto="",
        elixir="",
        request=request,
        response=response,
        parameters=tuple(reader.parameters),
        result=result,
        is_async=reader.is_async,
        doc=doc,
        source=source.location(function, module),
        stream=reader.stream,
        streams_result=reader.streams_result,
        context=reader.takes_context,
        timeout_ms=said.timeout_ms if calls.timeout_ms is None else calls.timeout_ms,
        idempotent=said.idempotent if calls.idempotent is None else calls.idempotent,
        raises=raises,
    )


class _Reader:
    """Reads the annotations of one function."""

    def __init__(
        self,
        name: str,
        function: Function,
        module: str,
        expression: str,
        hints: Mapping[str, Any],
        doc: Docstring,
        catalogue: Catalogue,
    ) -> None:
        self.name = name
        self.function = function
        self.module = module
        self.expression = expression
        self.hints = hints
        self.doc = doc
        self.catalogue = catalogue
        self.fields: list[Field] = []
        self.parameters: list[Parameter] = []
        self.stream: str | None = None
        self.streams_result = False
        self.is_async = inspect.iscoroutinefunction(function)
        self.result_annotation: Annotation | None = None
        self.takes_context: str | None = None

    def parameter(self, parameter: inspect.Parameter) -> None:
        """Note a parameter, and the field of the request that carries it."""
        name = parameter.name
        place = source.parameter_place(self.function, self.name, name)
        self.catalogue.parts[f"{self.module}.{self.expression}#request", name] = place
        context = self._context(place, name)
        try:
            _check_parameter(parameter)
            check_name(name)
            override = context.override()
            hint = self._hint(name) if override is None else override.annotation
            if _is_context(hint):
                return self._take_context(name)
            stream = streams.read_stream(hint)
            if stream is not None:
                self._take_stream(parameter, stream)
                hint = stream.item
            type_, annotation = placed(override, read_type(hint, context), stream is not None)
            info = FieldInfo.from_annotation(hint)
            _check_info(info)
            self.catalogue.note_renamed(f"{self.module}.{context.path}", info.metadata)
            _check_accepted(hint)
        except Unsupported as error:
            return self.catalogue.refuse(error.at(place))
        default = _default(parameter, type_, hint, self.catalogue) if stream is None else Streamed()
        self.parameters.append(_passing(parameter))
        self.fields.append(
            Field(
                name=name,
                number=len(self.fields) + 1,
                type=type_,
                default=default,
                doc=source.clean(info.description) or dict(self.doc.params).get(name, ""),
                proto=names.proto_field(name),
                elixir=names.elixir_field(name, option=True),
                annotation=annotation,
            )
        )

    def result(self) -> Type | None:
        """The type of the result; ``None`` where there is none or it is refused."""
        place = source.result_place(self.function, self.name)
        context = self._context(place, "return")
        try:
            override = context.override()
            if override is not None:
                hint = override.annotation
            elif "return" in self.hints:
                hint = self.hints["return"]
            else:
                raise Unsupported(
                    "it has no annotation", "write `-> …`; `-> None` where nothing comes back"
                )
            stream = streams.read_stream(hint, generator=streams.is_generator(self.function))
            streams.check_result(self.function, stream)
            if stream is not None:
                self.streams_result = True
                self.is_async |= stream.is_async
                type_, _ = placed(override, read_type(stream.item, context), True)
                return type_
            if hint is types.NoneType:
                return None
            type_, self.result_annotation = placed(override, read_type(hint, context))
            return type_
        except Unsupported as error:
            self.catalogue.refuse(error.at(place))
            return None

    def raises(self, configured: Sequence[str]) -> tuple[str, ...]:
        """The names of the declared exceptions."""
        try:
            return exceptions.declared(self.function, self.doc, configured, self.catalogue)
        except Unsupported as error:
            place = source.function_place(self.function, self.name)
            self.catalogue.refuse(error.at(place))
            return ()

    def _take_context(self, name: str) -> None:
        if self.takes_context is not None:
            raise Unsupported(
                f"`{self.takes_context}` is the context already", "leave one of them out"
            )
        self.takes_context = name

    def _take_stream(self, parameter: inspect.Parameter, stream: streams.Stream) -> None:
        streams.check_parameter(parameter, stream, is_async=self.is_async)
        if self.stream is not None:
            raise Unsupported(
                f"`{self.stream}` is a stream already, and a call has only one",
                "write `list[…]`, or one stream of a model with both",
            )
        self.stream = parameter.name

    def _hint(self, name: str) -> Any:
        if name not in self.hints:
            raise Unsupported("it has no annotation", f"write `{name}: …` with its type")
        return self.hints[name]

    def _context(self, place: Place, name: str) -> Context:
        module = sys.modules.get(source.unwrap(self.function).__module__)
        return Context(
            catalogue=self.catalogue,
            place=place,
            module=self.module,
            path=f"{self.expression}.{name}",
            namespace=vars(module) if module else {},
        )


def _check_kind(function: Function) -> None:
    """Refuse a function whose result is not the value that its annotation names."""
    written = source.unwrap(function)
    if inspect.iscoroutinefunction(written) and not inspect.iscoroutinefunction(function):
        raise Unsupported(
            "it is `async`, but its decorator makes a plain function of it",
            "write the decorator's inner function with `async def`, and await in it",
        )


def _is_context(hint: Any) -> bool:
    """``Context``, or ``Context | None``, which Python callers may leave out."""
    hint, _ = peel(hint)
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    members = typing.get_args(hint) if is_union else (hint,)
    return calling.Context in members and set(members) <= {calling.Context, types.NoneType}


def _check_parameter(parameter: inspect.Parameter) -> None:
    match parameter.kind:
        case inspect.Parameter.VAR_POSITIONAL:
            raise Unsupported(
                f"`*{parameter.name}` takes any number of arguments",
                f"write `{parameter.name}: list[…]`",
            )
        case inspect.Parameter.VAR_KEYWORD:
            raise Unsupported(
                f"`**{parameter.name}` takes arguments of any name",
                f"write `{parameter.name}: dict[str, …]`",
            )
    if isinstance(parameter.default, FieldInfo):
        raise Unsupported(
            "`Field(…)` as the default of a parameter would be passed to the function as it is",
            f"write `{parameter.name}: Annotated[…, Field(…)]`, and the default after `=`",
        )


def _check_info(info: FieldInfo) -> None:
    if not info.is_required():
        raise Unsupported(
            "a default inside `Annotated[…, Field(…)]` means nothing to a function",
            "write the default after `=`",
        )
    if info.alias is not None or info.validation_alias is not None:
        raise Unsupported("a parameter has no alias", "rename the parameter")


def _check_accepted(hint: Any) -> None:
    """Whether pydantic can validate it at all; for models it has said so when they were defined."""
    try:
        # Inside of a list, because a model's own configuration cannot be given another.
        pydantic.TypeAdapter(list[hint], config={"arbitrary_types_allowed": True})
    except Exception as error:
        first, _, _ = str(error).partition("\n\n")
        raise Unsupported(f"pydantic refuses it: {first}", "correct the annotation") from None


def _default(parameter: inspect.Parameter, type_: Type, hint: Any, catalogue: Catalogue) -> Default:
    if parameter.default is inspect.Parameter.empty:
        return Required()
    return literal(type_, parameter.default, hint, catalogue)


def _passing(parameter: inspect.Parameter) -> Parameter:
    keyword = (
        parameter.kind is inspect.Parameter.KEYWORD_ONLY
        or parameter.default is not inspect.Parameter.empty
    )
    by_position = parameter.kind is inspect.Parameter.POSITIONAL_ONLY
    return Parameter(
        parameter.name,
        "keyword" if keyword else "positional",
        "by_position" if by_position else "by_name",
    )


def _undefined_place(function: Function, name: str, error: NameError, default: Place) -> Place:
    """The parameter or result in whose annotation the undefined name stands."""
    unknown = error.name or ""
    for parameter in inspect.signature(function).parameters:
        place = source.parameter_place(function, name, parameter)
        if unknown and unknown in place.annotation:
            return place
    place = source.result_place(function, name)
    return place if unknown and unknown in place.annotation else default
