"""A field with a serializer has the type that the serializer says."""

from __future__ import annotations

from synapse_bridge.contract.model import Dynamic, Required
from synapse_bridge.contract.types import ListOf, Nullable, Scalar
from synapse_bridge.introspect.conftest import Read, Refuse

SOURCE = """
    from datetime import datetime
    from typing import Annotated
    from pydantic import BaseModel, PlainSerializer, field_serializer

    class Sample(BaseModel):
        ratio: Annotated[float, PlainSerializer(lambda value: round(value, 1))]
        at: Annotated[datetime | None, PlainSerializer(datetime.isoformat, return_type=str,
                                                       when_used="unless-none")] = None
        name: str = "name"

        @field_serializer("name")
        def size(self, name) -> int:
            return len(name)

    def f() -> Sample: ...
"""


def test_the_contract_has_the_type_that_travels(read: Read) -> None:
    contract = read(SOURCE)
    (sample,) = (message for message in contract.messages if message.role == "model")
    ratio, at, name = sample.fields
    assert (ratio.type, ratio.default, ratio.serialized) == (Scalar("double"), Required(), True)
    assert (at.type, at.serialized) == (Nullable(Scalar("string")), True)
    assert (name.type, name.default) == (Scalar("int64"), Dynamic())


def test_a_serializer_of_a_structure_has_to_say_what_it_returns(refuse: Refuse) -> None:
    message = refuse("""
        from typing import Annotated
        from pydantic import BaseModel, PlainSerializer
        class Sample(BaseModel):
            parts: Annotated[list[int], PlainSerializer(lambda parts: sum(parts))]
        def f() -> Sample: ...
    """)
    assert "serializer `<lambda>` does not say what it returns" in message
    assert "return_type=" in message


def test_another_schema_in_an_annotation_is_what_it_takes_and_gives(read: Read) -> None:
    contract = read("""
        from typing import Annotated
        from pydantic import (
            Base64Bytes, Base64Str, BaseModel, BeforeValidator, ConfigDict, PlainSerializer
        )
        from pydantic_core import core_schema

        class Thing:
            def __init__(self, x): self.x = x

        class AsNumber:
            @classmethod
            def __get_pydantic_core_schema__(cls, source, handler):
                from_int = core_schema.no_info_after_validator_function(
                    Thing, core_schema.int_schema())
                return core_schema.json_or_python_schema(
                    json_schema=from_int,
                    python_schema=core_schema.union_schema(
                        [core_schema.is_instance_schema(Thing), from_int]),
                    serialization=core_schema.plain_serializer_function_ser_schema(
                        lambda thing: thing.x, return_schema=core_schema.int_schema()))

        class Sample(BaseModel):
            model_config = ConfigDict(arbitrary_types_allowed=True)
            number: Annotated[Thing, AsNumber]
            text: Annotated[Thing, BeforeValidator(Thing),
                            PlainSerializer(lambda thing: thing.x, return_type=str)]
            encoded: Base64Str
            data: Base64Bytes
            maybe: Base64Str | None = None
            several: list[Base64Bytes] = []

        def f() -> Sample: ...
    """)
    (sample,) = (message for message in contract.messages if message.role == "model")
    inside = [field.type for field in sample.fields[4:]]
    assert inside == [Nullable(Scalar("string")), ListOf(Scalar("bytes"))]
    kinds = [field.type.kind for field in sample.fields if isinstance(field.type, Scalar)]
    assert kinds == ["int64", "string", "string", "bytes"]
    assert all(field.serialized for field in sample.fields)
