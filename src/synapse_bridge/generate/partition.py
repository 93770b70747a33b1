"""Large outputs in several files: which definition goes where.

A file may only use what files before it define, so definitions that need each other stay together,
and the others follow what they need. Files are filled in that order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def partition(
    weights: Mapping[T, int], needs: Mapping[T, Collection[T]], capacity: int
) -> list[list[T]]:
    """Definitions by file; ``weights`` are their lines, ``needs`` what each of them refers to.

    Within a file they stand in the order of ``weights``. Needs that have no weight are elsewhere.
    A group of definitions that need each other may be larger than ``capacity``.
    """
    order = {item: position for position, item in enumerate(weights)}
    files: list[list[T]] = []
    room = 0
    for group in together(weights, needs):
        weight = sum(weights[item] for item in group)
        if weight > room or not files:
            files.append([])
            room = capacity
        files[-1] += group
        room -= weight
    return [sorted(file, key=order.__getitem__) for file in files]


def together(items: Collection[T], needs: Mapping[T, Collection[T]]) -> Iterator[Sequence[T]]:
    """The groups of items that need each other, each after those that it needs.

    These are the strongly connected components, in the order in which Tarjan's algorithm finds
    them (Tarjan 1972), with a stack of its own: models nest deeper than Python calls.
    """
    order = {item: position for position, item in enumerate(items)}

    def needed(item: T) -> Iterator[T]:
        # Sets have another order in each process.
        return iter(sorted(set(needs.get(item, ())) & order.keys(), key=order.__getitem__))

    index: dict[T, int] = {}
    low: dict[T, int] = {}
    path: list[T] = []
    on_path: set[T] = set()
    for root in items:
        if root in index:
            continue
        work: list[tuple[T, Iterator[T]]] = []
        _enter(root, index, low, path, on_path)
        work.append((root, needed(root)))
        while work:
            item, rest = work[-1]
            for need in rest:
                if need not in index:
                    _enter(need, index, low, path, on_path)
                    work.append((need, needed(need)))
                    break
                if need in on_path:
                    low[item] = min(low[item], index[need])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[item])
                if low[item] == index[item]:
                    group = [path.pop()]
                    while group[-1] != item:
                        group.append(path.pop())
                    on_path.difference_update(group)
                    yield group


def _enter(item: T, index: dict[T, int], low: dict[T, int], path: list[T], on_path: set[T]) -> None:
    index[item] = low[item] = len(index)
    path.append(item)
    on_path.add(item)
