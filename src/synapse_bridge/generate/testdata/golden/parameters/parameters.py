"""Ways to take parameters, sync and async, functions and methods."""

from typing import Annotated

from pydantic import BaseModel, Field


class Options(BaseModel):
    verbose: bool = False


class Agent:
    """Remembers."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def nothing(self) -> None:
        """Takes and returns nothing."""

    def positional(self, first: int, /, second: str) -> str:
        """Takes two."""
        return second * first

    async def defaults(self, text: str, times: int = 1, options: Options | None = None) -> str:
        """Takes one, and more on demand."""
        return text * times

    def keywords(
        self, text: str, *, reason: Annotated[str, Field(min_length=1)], times: int = 1
    ) -> str:
        """Takes one, and needs a keyword."""
        return text * times

    async def only_keywords(self, *, reason: str) -> None:
        """Needs a keyword alone."""

    def reserved(self, end: int, fn: int, timeout: int, opts: str = "", metadata: str = "") -> int:
        """Takes names that mean something in Elixir."""
        return end + fn + timeout

    def a_method_with_a_very_long_name_that_does_a_lot(
        self,
        a_first_parameter_with_a_long_name: Options,
        a_second_parameter_with_a_long_name: list[Options],
        a_third_parameter_with_a_long_name: dict[str, list[Options]],
        *,
        a_keyword_with_a_long_name: list[dict[str, list[float | None]]] | None = None,
        another_keyword_with_a_long_name: Annotated[
            str, Field(description="An option " + "with a very long description. " * 5)
        ] = "a default that is so long that it needs a line of its own, or more than one line",
    ) -> dict[str, list[dict[str, Options | None]]]:
        """Shows how long lines are broken."""
        return {}


agent = Agent()
