"""The service that tells a client of another contract what differs (``v1/contracts.proto``)."""

from __future__ import annotations

from typing import Any, TypeAlias

import grpc
import grpc.aio

from synapse_bridge.serve.service import Service
from synapse_bridge.v1 import contracts_pb2 as pb

NAME: str = pb.DESCRIPTOR.services_by_name["Contracts"].full_name

Handlers: TypeAlias = "grpc.GenericRpcHandler[Any, Any]"


def handlers(service: Service) -> Handlers:
    """What answers ``Contracts/Get`` for a service."""
    known = pb.GetResponse(
        contract=service.contract,
        methods={method.name: method.fingerprint for method in service.methods},
    )

    async def get(
        request: pb.GetRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.GetResponse:
        if request.service != service.name:
            text = f"There is {service.name} here, and no {request.service}"
            await context.abort(grpc.StatusCode.NOT_FOUND, text)
        return known

    handler = grpc.unary_unary_rpc_method_handler(
        get,
        request_deserializer=pb.GetRequest.FromString,
        response_serializer=pb.GetResponse.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(NAME, {"Get": handler})
