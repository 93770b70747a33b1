"""A server as people write it: protoc's classes, a servicer, pydantic models built by hand."""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

import grpc
import grpc.aio
import handwritten_pb2 as pb  # type: ignore[import-not-found] # protoc makes it # pants: no-infer-dep
import handwritten_pb2_grpc as pb_grpc  # type: ignore[import-not-found] # too # pants: no-infer-dep
import orders
from pydantic import ValidationError
from serving import serve

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


def input_data(request: pb.InputData) -> orders.InputData:
    return orders.InputData(name=request.name, age=request.age)


def order(request: pb.Order) -> orders.Order:
    return orders.Order(
        number=request.number,
        customer=request.customer,
        address=orders.Address(
            street=request.address.street,
            city=request.address.city,
            zip=request.address.zip if request.address.HasField("zip") else None,
        ),
        currency=orders.Currency(request.currency),
        items=[
            orders.Item(
                sku=item.sku, quantity=item.quantity, price=item.price, tags=list(item.tags)
            )
            for item in request.items
        ],
        discounts=dict(request.discounts),
    )


def response(quote: orders.Quote) -> pb.Quote:
    return pb.Quote(
        number=quote.number,
        currency=quote.currency.value,
        lines=[pb.Line(sku=line.sku, amount=line.amount) for line in quote.lines],
        total=quote.total,
    )


class Orders(pb_grpc.OrdersServicer):  # type: ignore[misc] # not known before run time
    async def Greet(self, request: pb.InputData, context: Context) -> pb.Greeting:
        try:
            data = input_data(request)
        except ValidationError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return pb.Greeting(text=await orders.greet(data))

    async def Price(self, request: pb.Order, context: Context) -> pb.Quote:
        try:
            data = order(request)
        except ValidationError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return response(await orders.price(data))


class SyncOrders(pb_grpc.OrdersServicer):  # type: ignore[misc] # as above
    def Greet(self, request: pb.InputData, context: grpc.ServicerContext) -> pb.Greeting:
        try:
            data = input_data(request)
        except ValidationError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return pb.Greeting(text=orders.greet_sync(data))

    def Price(self, request: pb.Order, context: grpc.ServicerContext) -> pb.Quote:
        try:
            data = order(request)
        except ValidationError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return response(orders.price_sync(data))


def make() -> grpc.aio.Server:
    server = grpc.aio.server()
    servicer = SyncOrders() if "sync" in sys.argv else Orders()
    pb_grpc.add_OrdersServicer_to_server(servicer, server)
    return server


serve(make)
