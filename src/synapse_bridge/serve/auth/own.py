"""Authenticators and authorizers of the user's own: any callable, by its name."""

from __future__ import annotations

import asyncio
import importlib
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from synapse_bridge.serve.auth.access import Authenticator, Authorizer, Credentials
from synapse_bridge.serve.identity import Identity
from synapse_bridge.serve.loading import CannotServe


def authenticator(name: str) -> Authenticator:
    """The authenticator that ``module:function`` names.

    It takes a :class:`Credentials` and returns an :class:`Identity`, or ``None`` for strangers; it
    may be async. A sync one runs in a thread of its own, so it may block.
    """
    function = _async(_load(name, "--authenticator"))

    async def authenticate(credentials: Credentials) -> Identity | None:
        identity = await function(credentials)
        if identity is not None and not isinstance(identity, Identity):
            raise TypeError(f"{name} returned {type(identity).__qualname__}, and not an Identity")
        return identity

    return authenticate


def authorizer(name: str) -> Authorizer:
    """The authorizer that ``module:function`` names.

    It takes an :class:`Identity` and the path of a method, ``/shop.v1.ShopService/Price``, and
    returns ``True`` if that may be called; it may be async.
    """
    return _async(_load(name, "--authorizer"))


def _async(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    called: Any = function if inspect.isroutine(function) else type(function).__call__
    if inspect.iscoroutinefunction(called):
        return function

    async def in_thread(*arguments: Any) -> Any:
        return await asyncio.to_thread(function, *arguments)

    return in_thread


def _load(name: str, option: str) -> Callable[..., Any]:
    module, colon, attribute = name.partition(":")
    if not colon or not module or not attribute:
        raise CannotServe(f"{option}: expected module:function, not {name!r}")
    try:
        function = getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        raise CannotServe(f"{option}: {module} cannot be imported: {error}") from error
    except AttributeError:
        raise CannotServe(f"{option}: there is no {attribute} in {module}") from None
    if not callable(function):
        raise CannotServe(f"{option}: {name} is no function")
    return function  # type: ignore[no-any-return]
