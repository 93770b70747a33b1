"""Values that travel as text, and a byte array."""

import pathlib
import re
import uuid

from pydantic import UUID4, AnyUrl, BaseModel, ConfigDict, EmailStr, HttpUrl, PostgresDsn

NIL = uuid.UUID(int=0)


class Texts(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    id: uuid.UUID
    parent: uuid.UUID = NIL
    maybe_id: UUID4 | None = None
    ids: list[uuid.UUID] = []
    ids_by_name: dict[str, uuid.UUID] = {}
    maybe_ids: list[uuid.UUID | None] = []
    path: pathlib.Path
    home: pathlib.PurePosixPath = pathlib.PurePosixPath("/home")
    maybe_path: pathlib.Path | None = None
    paths: list[pathlib.Path] = []
    site: HttpUrl
    any_url: AnyUrl = AnyUrl("ftp://example.org/")
    database: PostgresDsn | None = None
    sites: dict[str, HttpUrl] = {}
    email: EmailStr
    reply_to: EmailStr = "nobody@example.org"
    emails: list[EmailStr] = []
    pattern: re.Pattern[str]
    fallback: re.Pattern[str] | None = None
    patterns: list[re.Pattern[str]] = []
    raw: bytearray = bytearray(b"")
    raws: list[bytearray] = []


EXAMPLES = [
    Texts(
        id=NIL,
        path=pathlib.Path("."),
        site=HttpUrl("https://example.org"),
        email="a@example.org",
        pattern=re.compile(""),
    ),
    Texts(
        id=uuid.UUID("12345678-1234-5678-1234-567812345678"),
        parent=uuid.UUID(int=2**128 - 1),
        maybe_id=uuid.UUID("f47ac10b-58cc-4372-a567-0e02b2c3d479"),
        ids=[NIL],
        ids_by_name={"nil": NIL},
        maybe_ids=[None, NIL],
        path=pathlib.Path("/srv/été"),
        home=pathlib.PurePosixPath("/root"),
        maybe_path=pathlib.Path("a b"),
        paths=[pathlib.Path("..")],
        site=HttpUrl("http://münchen.example/a?b=c#d"),
        any_url=AnyUrl("mailto:a@example.org"),
        database=PostgresDsn("postgres://a:b@one:1,two:2/db"),
        sites={"a": HttpUrl("http://[::1]:80/")},
        email="b@example.org",
        reply_to="c@example.org",
        emails=["d@example.org"],
        pattern=re.compile("(?i)^a+$"),
        fallback=re.compile("\\d"),
        patterns=[re.compile("é")],
        raw=bytearray(b"\x00\xff"),
        raws=[bytearray(b"a")],
    ),
]


def locate(id: uuid.UUID, root: pathlib.Path = pathlib.Path("/srv")) -> pathlib.Path:
    """Where something is."""
    return root / str(id)


def identify(path: pathlib.Path | None) -> uuid.UUID | None:
    """The identifier of what is there."""
    return uuid.uuid5(NIL, str(path)) if path else None


def links(page: HttpUrl, only: re.Pattern[str]) -> list[HttpUrl]:
    """The links of a page."""
    return [page] if only.search(str(page)) else []


def compile_all(texts: dict[str, str]) -> dict[str, re.Pattern[str]]:
    """Regular expressions by name."""
    return {name: re.compile(text) for name, text in texts.items()}


def flip(raw: bytearray) -> bytearray:
    """The bytes, backwards."""
    return raw[::-1]


def echo(value: Texts) -> Texts:
    """Returns the texts."""
    return value
