"""The conversions as people write them: attribute by attribute."""

from __future__ import annotations

from typing import Any

import shapes


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
    return shapes.Sparse(
        a0=message.a0 if message.HasField("a0") else None,
        a1=message.a1 if message.HasField("a1") else None,
        a2=message.a2 if message.HasField("a2") else None,
        a3=message.a3 if message.HasField("a3") else None,
        a4=message.a4 if message.HasField("a4") else None,
        a5=message.a5 if message.HasField("a5") else None,
        a6=message.a6 if message.HasField("a6") else None,
        a7=message.a7 if message.HasField("a7") else None,
        a8=message.a8 if message.HasField("a8") else None,
        a9=message.a9 if message.HasField("a9") else None,
        b0=message.b0 if message.HasField("b0") else None,
        b1=message.b1 if message.HasField("b1") else None,
        b2=message.b2 if message.HasField("b2") else None,
        b3=message.b3 if message.HasField("b3") else None,
        b4=message.b4 if message.HasField("b4") else None,
        b5=message.b5 if message.HasField("b5") else None,
        b6=message.b6 if message.HasField("b6") else None,
        b7=message.b7 if message.HasField("b7") else None,
        b8=message.b8 if message.HasField("b8") else None,
        b9=message.b9 if message.HasField("b9") else None,
    )


def sparse_out(pb: Any, sparse: shapes.Sparse) -> Any:
    return pb.Sparse(
        a0=sparse.a0,
        a1=sparse.a1,
        a2=sparse.a2,
        a3=sparse.a3,
        a4=sparse.a4,
        a5=sparse.a5,
        a6=sparse.a6,
        a7=sparse.a7,
        a8=sparse.a8,
        a9=sparse.a9,
        b0=sparse.b0,
        b1=sparse.b1,
        b2=sparse.b2,
        b3=sparse.b3,
        b4=sparse.b4,
        b5=sparse.b5,
        b6=sparse.b6,
        b7=sparse.b7,
        b8=sparse.b8,
        b9=sparse.b9,
    )
