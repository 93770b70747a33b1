"""Enum members and their numbers."""

from __future__ import annotations

from enum import Enum, IntEnum

from synapse_bridge.serve import Members, UnknownNumber


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 2
    HIGH = 1


def test_members_go_both_ways() -> None:
    colours = Members({1: Colour.RED, 2: Colour.BLUE})
    assert colours[2] is Colour.BLUE
    assert colours.number[Colour.BLUE] == 2


def test_values_of_members_go_to_the_wire_too() -> None:
    assert Members({1: Colour.RED}).number["red"] == 1


def test_numbers_are_not_values() -> None:
    levels = Members({1: Level.LOW, 2: Level.HIGH})
    assert levels[1] is Level.LOW
    assert levels.number[Level.LOW] == 1
    assert levels.number[2] == 1  # the value of LOW


def test_an_unknown_number_is_no_member_and_equals_no_value() -> None:
    levels = Members({1: Level.LOW, 2: Level.HIGH})
    assert levels[7] == UnknownNumber(7)
    assert levels[7] not in levels.number
    assert 7 not in levels
