"""gRPC server of `probe`, by hand, as it would be generated."""

from __future__ import annotations

from typing import Any

import probe
import probe_pb2 as pb
from synapse_bridge import serve

CURRENCY = serve.Members({1: probe.Currency.EUR, 2: probe.Currency.USD})
PRIORITY = serve.Members({1: "low", 2: "high"})


def address_from_wire(message: pb.Address) -> dict[str, Any]:
    value: dict[str, Any] = {}
    if message.HasField("street"):
        value["street"] = message.street
    if message.HasField("labels"):
        value["labels"] = message.labels.items[:]
    return value


def address_to_wire(value: probe.Address) -> dict[str, Any]:
    return {"street": value.street, "labels": {"items": value.labels}}


def item_from_wire(message: pb.Item) -> dict[str, Any]:
    value: dict[str, Any] = {"tags": message.tags[:]}
    if message.HasField("sku"):
        value["sku"] = message.sku
    if message.HasField("quantity"):
        value["quantity"] = message.quantity
    return value


def item_to_wire(value: probe.Item) -> dict[str, Any]:
    return {"sku": value.sku, "quantity": value.quantity, "tags": value.tags}


def order_from_wire(message: pb.Order) -> dict[str, Any]:
    value: dict[str, Any] = {
        "address": address_from_wire(message.address) if message.HasField("address") else None,
        "items": [item_from_wire(item) for item in message.items],
        "prices": dict(message.prices),
    }
    if message.HasField("number"):
        value["number"] = message.number
    if message.HasField("currency"):
        value["currency"] = CURRENCY[message.currency]
    if message.HasField("priority"):
        value["priority"] = PRIORITY[message.priority]
    if message.HasField("coupon"):
        value["coupon"] = message.coupon.value if message.coupon.HasField("value") else None
    if message.HasField("parent"):
        value["parent"] = order_from_wire(message.parent)
    return value


def order_to_wire(value: probe.Order) -> dict[str, Any]:
    return {
        "number": value.number,
        "address": None if value.address is None else address_to_wire(value.address),
        "items": [item_to_wire(item) for item in value.items],
        "prices": value.prices,
        "currency": CURRENCY.number[value.currency],
        "priority": None if value.priority is None else PRIORITY.number[value.priority],
        "coupon": {"value": value.coupon},
        "parent": None if value.parent is None else order_to_wire(value.parent),
    }


def echo_arguments(request: pb.EchoRequest) -> dict[str, Any]:
    value: dict[str, Any] = {"names": request.names[:]}
    if request.HasField("order"):
        value["order"] = order_from_wire(request.order)
    if request.HasField("factor"):
        value["factor"] = request.factor
    return value


def echo_response(result: probe.Order) -> pb.EchoResponse:
    return pb.EchoResponse(result=order_to_wire(result))


def fail_arguments(request: pb.TextRequest) -> dict[str, Any]:
    return {"kind": request.text}


def text_arguments(request: pb.TextRequest) -> dict[str, Any]:
    return {"value": request.text}


def text_response(result: str) -> pb.TextResponse:
    return pb.TextResponse(result=result)


def broken_response(result: str) -> pb.TextResponse:
    return pb.TextResponse(result={}[result])


def seconds_arguments(request: pb.SecondsRequest) -> dict[str, Any]:
    return {"seconds": request.seconds}


def none_response(result: None) -> pb.NoneResponse:
    return pb.NoneResponse()


def no_arguments(request: pb.NothingRequest) -> dict[str, Any]:
    return {}


def count_response(result: int) -> pb.CountResponse:
    return pb.CountResponse(result=result)


state = probe.state
SERVICE = serve.Service(
    name="probe.v1.ProbeService",
    file=pb.DESCRIPTOR,
    contract="c0ffee",
    module="probe",
    methods=(
        serve.Method("Echo", probe.echo, pb.EchoRequest, echo_arguments, echo_response),
        serve.Method("Fail", probe.fail, pb.TextRequest, fail_arguments, text_response),
        serve.Method("FailAsync", probe.fail_async, pb.TextRequest, fail_arguments, text_response),
        serve.Method("Wrong", probe.wrong, pb.TextRequest, fail_arguments, echo_response),
        serve.Method("Wait", state.wait, pb.SecondsRequest, seconds_arguments, none_response),
        serve.Method(
            "CountCancelled",
            state.count_cancelled,
            pb.NothingRequest,
            no_arguments,
            count_response,
        ),
        serve.Method(
            "CountRunning", state.count_running, pb.NothingRequest, no_arguments, count_response
        ),
        serve.Method("Pid", probe.pid, pb.NothingRequest, no_arguments, count_response),
        serve.Method("Block", state.block, pb.SecondsRequest, seconds_arguments, count_response),
        serve.Method("Broken", probe.text, pb.TextRequest, text_arguments, broken_response),
        serve.Method("Text", probe.text, pb.TextRequest, text_arguments, text_response),
    ),
)

if __name__ == "__main__":
    serve.main(SERVICE)
