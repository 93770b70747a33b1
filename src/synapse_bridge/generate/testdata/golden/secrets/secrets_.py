"""What must not be seen."""

from typing import Annotated

from pydantic import BaseModel, Field, Secret, SecretBytes, SecretStr
from typing_extensions import TypedDict


class Login(BaseModel):
    password: Annotated[SecretStr, Field(min_length=1, max_length=64)]
    pin: SecretStr = SecretStr("0000")
    old: SecretStr | None = None
    spare: list[SecretStr] = []
    tokens: dict[str, SecretStr] = {}
    key: SecretBytes
    salt: SecretBytes = SecretBytes(b"salt")
    keys: list[SecretBytes | None] = []
    word: Secret[str] | None = None


class Basic(TypedDict):
    """Credentials without a class: a map in Elixir."""

    user: str
    password: SecretStr


class Access(BaseModel):
    credentials: Basic | SecretBytes | int
    more: dict[str, Basic] = {}
    logins: list[Login] = []


EXAMPLES = [
    Access(credentials=7, more={"m": {"user": "u", "password": SecretStr("p")}}),
    Access(credentials=SecretBytes(b"\xff")),
    Login(password="p", key=b""),
    Login(
        password="пароль",
        pin="1",
        old="o",
        spare=["s"],
        tokens={"t": "u"},
        key=b"\x00\xff",
        salt=b"",
        keys=[None, b"k"],
        word="w",
    ),
]


def login(name: str, password: SecretStr, otp: SecretStr | None = None) -> SecretStr:
    """Gives a token."""
    return SecretStr(f"{name}:{len(password)}")


def derive(key: SecretBytes) -> list[SecretBytes]:
    """Keys made of a key."""
    return [key]


def echo(value: Login) -> Login:
    """Returns the login."""
    return value


def echo_access(value: Access) -> Access:
    """Returns what gives access."""
    return value
