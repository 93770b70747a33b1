"""A field with a serializer has the type that the serializer says."""

from __future__ import annotations

from synapse_bridge.contract.model import Dynamic, Required
from synapse_bridge.contract.types import Nullable, Scalar
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
