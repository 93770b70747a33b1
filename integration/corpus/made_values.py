"""Values of models: polyfactory makes them.

It gets values of our own for what it has no idea of: ``object`` and recursive aliases, named tuples
in unions, and models whose validators tie fields together.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import random
import typing
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from polyfactory.factories import BaseFactory, DataclassFactory, TypedDictFactory
from polyfactory.factories.pydantic_factory import ModelFactory
from pydantic import FileUrl


class CannotMake(Exception):
    """No value of a model can be made; the text says why."""


def values(cls: type, count: int, seed: int) -> list[Any]:
    """So many values of a model, always the same for the same seed."""
    _provide()
    random.seed(seed)
    name = f"{cls.__module__}.{cls.__qualname__}"
    if name in _WHOLE:
        return [_WHOLE[name]() for _ in range(count)]
    if inspect.isabstract(cls):
        return []
    factory: Any = ModelFactory
    if _is_named_tuple(cls):
        # Which polyfactory makes none of: a class with the same fields stands in.
        fields = [(name, hint) for name, hint in typing.get_type_hints(cls).items()]
        made_of = dataclasses.make_dataclass(cls.__name__, fields)
        return [cls(**vars(one)) for one in values(made_of, count, seed)]
    if typing.is_typeddict(cls):
        factory = TypedDictFactory
    elif dataclasses.is_dataclass(cls):
        factory = DataclassFactory
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            made = factory.create_factory(cls, __random_seed__=seed, __check_model__=False)
            return [made.build() for _ in range(count)]
        except Exception as error:
            lines = " ".join(str(error).split("\n")[:3])
            raise CannotMake(f"{type(error).__name__}: {lines}") from error


def _is_named_tuple(cls: type) -> bool:
    return issubclass(cls, tuple) and hasattr(cls, "_fields")


@functools.cache
def _provide() -> None:
    BaseFactory.add_provider(object, anything)
    BaseFactory.add_provider(datetime, _moment)  # with a time zone, without which it is refused
    BaseFactory.add_provider("JSONValue", anything)  # as polyfactory sees an alias in itself
    BaseFactory.add_provider(FileUrl, lambda: FileUrl("file:///a/b%20c"))
    for name, make in _WHOLE.items():
        if cls := _class(name):
            BaseFactory.add_provider(cls, make)


def _class(name: str) -> Any:
    """A class, unless its package is not installed."""
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError:
        return None


def anything(depth: int = 2) -> Any:
    """What JSON can hold."""
    leaves: list[Callable[[], Any]] = [
        lambda: None,
        lambda: random.random() < 0.5,
        lambda: random.randint(-(2**63), 2**63 - 1),
        lambda: random.gauss(0, 1e6),
        _text,
    ]
    if depth and random.random() < 0.4:
        size = random.randint(0, 3)
        if random.random() < 0.5:
            return [anything(depth - 1) for _ in range(size)]
        return {_text(): anything(depth - 1) for _ in range(size)}
    return random.choice(leaves)()


def _text() -> str:
    return "".join(random.choices("abcÄ日🙂 \"\\#{}'\n", k=random.randint(0, 8)))


def _place() -> Any:
    size = random.choice([2, 3])
    numbers = [random.uniform(-180, 180), random.uniform(-90, 90), random.gauss(0, 1e3)][:size]
    return _class(f"geojson_pydantic.types.Position{size}D")(*numbers)


def _places(least: int) -> list[Any]:
    return [_place() for _ in range(random.randint(least, least + 3))]


def _ring() -> list[Any]:
    places = _places(3)
    return [*places, places[0]]


def _some(make: Callable[[], Any]) -> list[Any]:
    return [make() for _ in range(random.randint(1, 3))]


def _box() -> tuple[float, ...] | None:
    west, east = sorted(random.uniform(-180, 180) for _ in range(2))
    south, north = sorted(random.uniform(-90, 90) for _ in range(2))
    low, high = sorted(random.gauss(0, 1e3) for _ in range(2))
    flat, solid = (west, south, east, north), (west, south, low, east, north, high)
    return random.choice([None, flat, solid])


_COORDINATES: dict[str, Callable[[], Any]] = {
    "Point": _place,
    "MultiPoint": lambda: _places(1),
    "LineString": lambda: _places(2),
    "MultiLineString": lambda: _some(lambda: _places(2)),
    "Polygon": lambda: _some(_ring),
    "MultiPolygon": lambda: _some(lambda: _some(_ring)),
}


def _geometry(kind: str) -> Any:
    cls = _class(f"geojson_pydantic.geometries.{kind}")
    return cls(type=kind, coordinates=_COORDINATES[kind](), bbox=_box())


def _landing_page() -> Any:
    cls = _class("stac_pydantic.api.landing.LandingPage")
    return cls(id="x", description=_text() or "x", links=_links(), conformsTo=[], type="Catalog")


def _any_geometry() -> Any:
    return _geometry(random.choice(list(_COORDINATES)))


def _collection() -> Any:
    cls = _class("geojson_pydantic.geometries.GeometryCollection")
    parts = [_any_geometry() for _ in range(6)]  # the package wants them all flat, or all solid
    parts = [part for part in parts if part.has_z == parts[0].has_z]
    return cls(type="GeometryCollection", geometries=parts, bbox=_box())


def _feature() -> Any:
    cls = _class("geojson_pydantic.features.Feature")
    properties = random.choice([None, {}, {_text(): anything()}])
    identity = random.choice([None, 7, "7"])
    geometry = random.choice([None, _any_geometry()])
    return cls(type="Feature", geometry=geometry, properties=properties, id=identity, bbox=_box())


def _features() -> Any:
    cls = _class("geojson_pydantic.features.FeatureCollection")
    return cls(type="FeatureCollection", features=_some(_feature), bbox=_box())


def _moment() -> datetime:
    return datetime.fromtimestamp(random.randint(-(10**10), 10**10) / 7, UTC)


def _span() -> dict[str, Any]:
    start, end = sorted([_moment(), _moment()])
    one = {"datetime": _moment()}
    return random.choice([one, {"datetime": None, "start_datetime": start, "end_datetime": end}])


def _metadata(name: str) -> Any:
    return _class(name)(**_span(), title=random.choice([None, _text()]), gsd=random.random() + 0.1)


def _extent() -> Any:
    boxes = [box for box in (_box(),) if box] or [(-180.0, -90.0, 180.0, 90.0)]
    return _class("stac_pydantic.collection.SpatialExtent")(bbox=boxes)


def _interval() -> Any:
    start, end = sorted([_moment(), _moment()])
    cls = _class("stac_pydantic.collection.TimeInterval")
    return cls(interval=[[random.choice([None, start]), end]])


def _links() -> list[dict[str, Any]]:
    rels = ("root", "self", "service-desc", "collection", "items")
    return [{"rel": rel, "href": "https://example.org/"} for rel in rels]


def _item(name: str) -> Any:
    geometry = random.choice([None, _any_geometry()])
    return _class(name)(
        type="Feature",
        id=_text() or "x",
        geometry=geometry,
        bbox=(-1.0, -2.0, 3.0, 4.0) if geometry else None,
        properties=_metadata("stac_pydantic.item.ItemProperties"),
        links=_links(),
        assets={_text(): {"href": "https://example.org/"}},
        collection="x",
    )


def _items(name: str, of: str) -> Any:
    return _class(name)(type="FeatureCollection", features=_some(lambda: _item(of)), links=_links())


def _stac_collection() -> Any:
    cls = _class("stac_pydantic.api.collection.Collection")
    extent = {"spatial": _extent(), "temporal": _interval()}
    return cls(
        type="Collection", id="x", description="x", license="x", links=_links(), extent=extent
    )


def _collections() -> Any:
    cls = _class("stac_pydantic.api.collections.Collections")
    return cls(collections=_some(_stac_collection), links=_links())


def _search(name: str) -> Any:
    box = _box()
    where = {"bbox": box} if box else {"intersects": _any_geometry()}
    when = random.choice([None, "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z/.."])
    return _class(name)(**where, datetime=when, ids=random.choice([None, [_text()]]), limit=3)


_WHOLE: dict[str, Callable[[], Any]] = {
    "geojson_pydantic.types.Position2D": lambda: _class("geojson_pydantic.types.Position2D")(
        random.random(), random.random()
    ),
    "geojson_pydantic.types.Position3D": lambda: _class("geojson_pydantic.types.Position3D")(
        random.random(), random.random(), random.random()
    ),
    **{
        f"geojson_pydantic.geometries.{kind}": functools.partial(_geometry, kind)
        for kind in _COORDINATES
    },
    "geojson_pydantic.geometries.GeometryCollection": _collection,
    "geojson_pydantic.features.Feature": _feature,
    "geojson_pydantic.features.FeatureCollection": _features,
    **{
        name: functools.partial(_metadata, name)
        for name in ("stac_pydantic.item.ItemProperties", "stac_pydantic.shared.StacCommonMetadata")
    },
    "stac_pydantic.collection.SpatialExtent": _extent,
    "stac_pydantic.collection.TimeInterval": _interval,
    **{
        name: functools.partial(_item, name)
        for name in ("stac_pydantic.item.Item", "stac_pydantic.api.item.Item")
    },
    "stac_pydantic.item_collection.ItemCollection": lambda: _items(
        "stac_pydantic.item_collection.ItemCollection", "stac_pydantic.item.Item"
    ),
    "stac_pydantic.api.item_collection.ItemCollection": lambda: _items(
        "stac_pydantic.api.item_collection.ItemCollection", "stac_pydantic.api.item.Item"
    ),
    "stac_pydantic.api.collection.Collection": _stac_collection,
    "stac_pydantic.api.collections.Collections": _collections,
    "stac_pydantic.api.landing.LandingPage": _landing_page,
    "mcp_types._types.Request": lambda: _class("mcp_types._types.Request")(
        method=_text(), params=random.choice([None, {}])
    ),
    "mcp_types._types.Notification": lambda: _class("mcp_types._types.Notification")(
        method=_text(), params=None
    ),
    **{
        name: functools.partial(_search, name)
        for name in ("stac_pydantic.api.search.Search", "stac_pydantic.api.search.ExtendedSearch")
    },
}
"""Models that polyfactory makes no valid values of, and how we do."""
