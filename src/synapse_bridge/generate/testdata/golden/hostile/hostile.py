r'''Text that must stay text: """, #{System.halt()}, \, \u{0}, \x00, <!-- and -->.

Also */ and // and ``` and @doc "" and end.
'''

from enum import Enum
from typing import Annotated, Literal

from pydantic import BaseModel, Field


class String(BaseModel):
    """A model called String. \"\"\" #{raise("no")} \\ """

    to_string: str = "#{1 + 1}"
    t: int = 1


class Kernel(BaseModel):
    '''Ends with a quote"'''

    string: String
    __doc__ = 'Ends with quotes"""'


class Map(BaseModel):
    r"""Ends with a backslash \\"""

    kernel: "Kernel | None" = None
    new: Annotated[str, Field(description='"""\n#{x}\n\\\n"""', pattern='^["#{}\\\\]*$')] = '"""'
    end: int = 0
    do: dict[str, "Map"] = {}
    nil: Literal["nil", "true", '"', "\\", "#{}", "\n", "é", ":a", "a b", "Elixir.System"] = "nil"


class Enum_(Enum):  # noqa: N801
    """An enum. \u202e is right to left, \u2028 a line separator, \x07 a bell."""

    NIL = "nil"
    TRUE = "true"
    END = 'e"nd#{0}\\'


class List(BaseModel):
    enum: Enum_ = Enum_.NIL
    integer: list["Integer"] = []


class Integer(BaseModel):
    value: int = 100_000


def inspect(string: String, list: List, kernel: Kernel) -> Map:
    '''Ends with a quote"

    A line with """ and one with #{System.halt(1)} and one with \\ and \\" and \\#{.

        """
        indented
        """

    Args:
        string: """
        list: #{list}
        kernel: \\

    Raises:
        ValueError: """#{0}

    Examples:
        >>> print("""#{0}""")
    '''
    return Map()


def to_string(if_: int, unless: Enum_, *, nil: Literal["\\", '"'] = '"') -> String:
    """~S\"\"\" \\u202e \u202e \u2028 \x07 \t tab
    trailing   
    @doc \"\"\"
    end
    """
    return String()


def send(self_: List) -> list[Integer]:
    """\"\"\""""
    return []


def def_(do: str) -> None:
    """\\"""
