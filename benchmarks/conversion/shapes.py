"""What is converted: models of several shapes, a value of each, and a function that takes it."""

from __future__ import annotations

import math

from pydantic import BaseModel

__all__ = ["echo_account", "echo_embedding", "echo_order", "echo_owners", "echo_sparse"]


class Owner(BaseModel):
    id: int
    name: str
    score: float


class Account(BaseModel):
    id: int
    name: str
    email: str
    age: int
    score: float
    active: bool
    tags: list[str]
    payload: bytes
    delta: int
    owner: Owner | None


class Embedding(BaseModel):
    values: list[float]


class Owners(BaseModel):
    owners: list[Owner]


class Address(BaseModel):
    street: str
    city: str
    zip: str | None = None


class Item(BaseModel):
    sku: str
    quantity: int
    price: float
    tags: list[str] = []


class Order(BaseModel):
    number: int
    customer: str
    address: Address
    items: list[Item]
    discounts: dict[str, float] = {}


class Sparse(BaseModel):
    """Twenty fields, most of them left to their defaults."""

    a0: str | None = None
    a1: str | None = None
    a2: str | None = None
    a3: str | None = None
    a4: str | None = None
    a5: str | None = None
    a6: str | None = None
    a7: str | None = None
    a8: str | None = None
    a9: str | None = None
    b0: int | None = None
    b1: int | None = None
    b2: int | None = None
    b3: int | None = None
    b4: int | None = None
    b5: int | None = None
    b6: int | None = None
    b7: int | None = None
    b8: int | None = None
    b9: int | None = None


OWNER = Owner(id=1234, name="Grace Hopper", score=0.75)
VALUES: dict[str, BaseModel] = {
    "account": Account(
        id=1_234_567,
        name="Ada Lovelace",
        email="ada@example.org",
        age=36,
        score=99.5,
        active=True,
        tags=["mathematics", "engine", "poetry"],
        payload=b"\xff" * 64,
        delta=300,
        owner=OWNER,
    ),
    "embedding": Embedding(values=[math.sin(n) for n in range(1536)]),
    "owners": Owners(owners=[Owner(id=n, name=f"name {n}", score=n / 7) for n in range(1000)]),
    "order": Order(
        number=7,
        customer="Ada",
        address=Address(street="1 Main Street", city="London"),
        items=[Item(sku=f"S{n}", quantity=n, price=n / 3, tags=["a", "b"]) for n in range(1, 6)],
        discounts={"spring": 0.1, "friend": 0.05},
    ),
    "sparse": Sparse(a3="three", b7=7),
}


def echo_account(value: Account) -> Account:
    """Ten fields."""
    return value


def echo_embedding(value: Embedding) -> Embedding:
    """1,536 doubles."""
    return value


def echo_owners(value: Owners) -> Owners:
    """1,000 models of three fields."""
    return value


def echo_order(value: Order) -> Order:
    """Models in a model, and a map."""
    return value


def echo_sparse(value: Sparse) -> Sparse:
    """Many optional fields, few of them sent."""
    return value
