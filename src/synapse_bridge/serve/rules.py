"""The rules of a server's methods, from its options."""

from __future__ import annotations

import difflib

from synapse_bridge.contract import names
from synapse_bridge.serve.gate import Rule
from synapse_bridge.serve.loading import CannotServe
from synapse_bridge.serve.options import Options
from synapse_bridge.serve.service import Method, Service

_HEALTH = "/grpc.health.v1.Health/"


class Rules:
    """What calls of a service's methods need, and those of health and the rest.

    Raises :class:`CannotServe` for an ``allow:`` list of a function that is not served.
    """

    def __init__(self, service: Service, options: Options) -> None:
        self._open_health = options.open_health
        lists = options.methods.get(service.module, {})
        if any(options.methods.values()) and not service.module:
            raise CannotServe(
                "allow: the server does not say which module it serves: generate anew"
            )
        allowed = {
            method.name: allow for name, allow in lists.items() for method in _meant(name, service)
        }
        self._rules = {}
        for method in service.methods:
            allow = allowed.get(method.name, options.allow)
            rule = Rule(allow=None if allow is None else frozenset(allow))
            self._rules[f"/{service.name}/{method.name}"] = rule
        if not options.authenticates and any(options.methods.values()):
            raise CannotServe(
                "allow: needs something that says who calls: --token-file, --token-env, "
                "--jwt-keys, --client-ca or --authenticator"
            )

    def rule(self, path: str) -> Rule:
        """The rule of a method, by its path."""
        if path.startswith(_HEALTH):
            # An overloaded server is not a dead one, and a watch has no end.
            return Rule(open=self._open_health, counted=path != f"{_HEALTH}Check", bounded=False)
        return self._rules.get(path, _OTHER)


_OTHER = Rule()
"""Reflection, contracts, and what does not exist: any identity may ask."""


def _meant(name: str, service: Service) -> list[Method]:
    """The method of a Python function, by the name that follows from it on the wire, else by the
    function's own; there is one, or the server does not start."""
    wire = names.camelize(name)
    by_name = [method for method in service.methods if method.name == wire]
    found = by_name or [method for method in service.methods if _own_name(method) == name]
    if found:
        return found
    known = [_own_name(method) for method in service.methods]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    raise CannotServe(f"allow: {service.name} has no function {name}: {hint}")


def _own_name(method: Method) -> str:
    return getattr(method.function, "__name__", method.name)
