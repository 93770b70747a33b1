"""A secret is in no error and in no log, whatever goes wrong with it."""

from __future__ import annotations

import logging
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, SecretBytes, SecretStr
from pydantic_core import ValidationError

from synapse_bridge.serve.arguments import validator
from synapse_bridge.serve.exact import checker
from synapse_bridge.serve.failure import Failures, InvalidArguments, ResultMismatch

SECRET = "hunter2-correct-horse"


class Login(BaseModel):
    password: Annotated[SecretStr, Field(max_length=3)]
    key: SecretBytes = SecretBytes(b"")
    level: Literal["low"] = "low"


def login(login: Login, other: Annotated[SecretStr, Field(min_length=99)]) -> None: ...


login.__annotations__ = {
    "login": Login,
    "other": Annotated[SecretStr, Field(min_length=99)],
    "return": None,
}


def test_violations_of_secrets_do_not_tell_them(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sent = {"login": {"password": SECRET, "key": SECRET.encode()}, "other": SECRET}
    with pytest.raises(ValidationError) as caught:
        validator(login)(sent)
    try:
        raise InvalidArguments from caught.value
    except InvalidArguments as error:
        status = Failures("s", "c", debug=True).status("Login", error)
    assert len(caught.value.errors()) == 2
    assert SECRET not in str(caught.value)
    assert SECRET.encode() not in status.SerializeToString()
    assert caplog.records
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (SecretStr, SECRET),
        (SecretStr, SecretBytes(SECRET.encode())),
        (SecretBytes, SecretStr(SECRET)),
        (SecretStr, SecretStr(SECRET + "\ud800")),
        (list[SecretStr], [SECRET]),
        (Login, Login.model_construct(password=SECRET)),
    ],
)
def test_a_result_that_is_no_secret_is_not_told(annotation: Any, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        checker(annotation).check(value)
    assert SECRET not in str(ResultMismatch.of(caught.value))


@pytest.mark.parametrize("debug", [False, True])
def test_a_model_that_the_function_makes_does_not_tell_them(
    caplog: pytest.LogCaptureFixture, debug: bool
) -> None:
    try:
        Login.model_validate({"password": SECRET, "level": SECRET})
    except ValidationError as error:
        status = Failures("s", "c", debug=debug).status("Login", error)
    assert "level\n  Input should be 'low'" in caplog.text
    assert "in model_validate" in caplog.text
    assert SECRET not in caplog.text
    assert SECRET.encode() not in status.SerializeToString()
