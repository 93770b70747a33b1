"""The conversions as people write them: attribute by attribute."""

from __future__ import annotations

from typing import Any

import shapes

OPTIONAL = tuple(shapes.Sparse.model_fields)


def owner_in(message: Any) -> shapes.Owner:
    return shapes.Owner(id=message.id, name=message.name, score=message.score)


def owner_out(pb: Any, owner: shapes.Owner) -> Any:
    return pb.Owner(id=owner.id, name=owner.name, score=owner.score)


def account_in(message: Any) -> shapes.Account:
    return shapes.Account(
        id=message.id,
        name=message.name,
        email=message.email,
        age=message.age,
        score=message.score,
        active=message.active,
        tags=list(message.tags),
        payload=message.payload,
        delta=message.delta,
        owner=owner_in(message.owner) if message.HasField("owner") else None,
    )


def account_out(pb: Any, account: shapes.Account) -> Any:
    return pb.Account(
        id=account.id,
        name=account.name,
        email=account.email,
        age=account.age,
        score=account.score,
        active=account.active,
        tags=account.tags,
        payload=account.payload,
        delta=account.delta,
        owner=None if account.owner is None else owner_out(pb, account.owner),
    )


def embedding_in(message: Any) -> shapes.Embedding:
    return shapes.Embedding(values=list(message.values))


def embedding_out(pb: Any, embedding: shapes.Embedding) -> Any:
    return pb.Embedding(values=embedding.values)


def owners_in(message: Any) -> shapes.Owners:
    return shapes.Owners(owners=[owner_in(owner) for owner in message.owners])


def owners_out(pb: Any, owners: shapes.Owners) -> Any:
    return pb.Owners(owners=[owner_out(pb, owner) for owner in owners.owners])


def order_in(message: Any) -> shapes.Order:
    address = message.address
    return shapes.Order(
        number=message.number,
        customer=message.customer,
        address=shapes.Address(
            street=address.street,
            city=address.city,
            zip=address.zip if address.HasField("zip") else None,
        ),
        items=[
            shapes.Item(
                sku=item.sku, quantity=item.quantity, price=item.price, tags=list(item.tags)
            )
            for item in message.items
        ],
        discounts=dict(message.discounts),
    )


def order_out(pb: Any, order: shapes.Order) -> Any:
    address = order.address
    return pb.Order(
        number=order.number,
        customer=order.customer,
        address=pb.Address(street=address.street, city=address.city, zip=address.zip),
        items=[
            pb.Item(sku=item.sku, quantity=item.quantity, price=item.price, tags=item.tags)
            for item in order.items
        ],
        discounts=order.discounts,
    )


def sparse_in(message: Any) -> shapes.Sparse:
    values = {name: getattr(message, name) if message.HasField(name) else None for name in OPTIONAL}
    return shapes.Sparse(**values)


def sparse_out(pb: Any, sparse: shapes.Sparse) -> Any:
    return pb.Sparse(**{name: getattr(sparse, name) for name in OPTIONAL})
