"""Definitions in files: none before what it needs, none too large, always the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from synapse_bridge.generate.partition import partition, together

GRAPHS = st.dictionaries(
    st.integers(0, 30), st.lists(st.integers(0, 35), max_size=4), min_size=1, max_size=25
)


def reachable(needs: dict[int, list[int]], start: int) -> set[int]:
    found, todo = set(), [start]
    while todo:
        for need in needs.get(todo.pop(), ()):
            if need in needs and need not in found:
                found.add(need)
                todo.append(need)
    return found


@given(GRAPHS, st.integers(1, 20))
def test_a_file_needs_only_itself_and_earlier_ones(
    needs: dict[int, list[int]], capacity: int
) -> None:
    weights = {item: item % 5 + 1 for item in needs}
    files = partition(weights, needs, capacity)
    place = {item: number for number, file in enumerate(files) for item in file}
    assert sorted(place) == sorted(needs)
    assert sum(map(len, files)) == len(needs)
    for item, wanted in needs.items():
        assert all(place[need] <= place[item] for need in wanted if need in place)
    other_order = {item: [*reversed(wanted)] for item, wanted in needs.items()}
    assert partition(weights, other_order, capacity) == files


@given(GRAPHS, st.integers(1, 20))
def test_only_what_needs_each_other_makes_a_file_too_large(
    needs: dict[int, list[int]], capacity: int
) -> None:
    weights = {item: item % 5 + 1 for item in needs}
    for file in partition(weights, needs, capacity):
        if sum(weights[item] for item in file) > capacity:
            first = file[0]
            assert all(first in reachable(needs, item) for item in file[1:])
            assert all(item in reachable(needs, first) for item in file[1:])


@given(GRAPHS)
def test_groups_are_exactly_those_that_need_each_other(needs: dict[int, list[int]]) -> None:
    for group in together(needs, needs):
        for item in group:
            mutual = {other for other in reachable(needs, item) if item in reachable(needs, other)}
            assert mutual | {item} == set(group)


def test_a_chain_that_is_deeper_than_calls_may_be() -> None:
    needs = {n: [n + 1] for n in range(100_000)}
    files = partition(dict.fromkeys(needs, 1), needs, 50_000)
    assert [len(file) for file in files] == [50_000, 50_000]
    assert 99_999 in files[0]
