#!/usr/bin/env python3
"""Checks the plugin in `rules/` against the Python sources of a newer Pants, without running it.

    python build-support/verify_modern_pants.py PANTS_SRC_PYTHON

The argument is `src/python` of a Pants checkout, 2.32 or later. That release's own decorators, rule
visitor and `register_rules` run on the plugin; only its Rust engine is replaced, by a module made
from the `.pyi` file that describes it. On top, every call by name is checked: the rule is
registered, the arguments fit, and what is left implicit can be computed from what is in scope. The
calls that `rules/pants_compat.py` builds for Pants 2.17 are compared with the newer signatures.

Run it with a Python that the release supports, in an environment with Pants' own requirements
(packaging, typing_extensions, toml, ijson, chevron, ansicolors, fasteners, psutil, setproctitle,
node-semver, PyYAML, ujson, pex). Not shown by it: that the engine solves the rule graph.
"""

from __future__ import annotations
import __future__

import ast
import importlib
import sys
import types
from pathlib import Path
from typing import Any

RULES = Path(__file__).resolve().parents[1] / "rules"
BACKENDS = ("elixir", "synapse", "ruff")
NATIVE = "pants.engine.internals.native_engine"


# --- the engine without Rust ---


class _Concrete(ast.NodeTransformer):
    """Makes classes that can be instantiated out of those that a stub only describes."""

    abstract = ("Mapping", "KeysView", "AbstractSet", "Generic", "Protocol")
    kept = ("property", "staticmethod", "classmethod")

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        self.generic_visit(node)
        node.decorator_list = []
        node.bases = [
            base.value if isinstance(base, ast.Subscript) else base
            for base in node.bases
            if ast.unparse(base).split("[")[0] not in self.abstract
        ]
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and item.value is None:
                item.value = ast.Constant(None)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.decorator_list = [d for d in node.decorator_list if ast.unparse(d) in self.kept]
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        if ast.unparse(node.func) == "TypeVar":
            node.keywords = []  # a bound may be defined further down
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        node.decorator_list = []
        return node


class _FrozenDict(dict):
    def __hash__(self) -> int:
        return hash(frozenset(self.items()))

    @staticmethod
    def deep_freeze(values: Any) -> _FrozenDict:
        return _FrozenDict(values)

    frozen = deep_freeze


class _OrderedSet:
    def __new__(cls, items: Any = ()) -> Any:
        self = object.__new__(cls)
        self.items = dict.fromkeys(items)
        return self

    def __iter__(self) -> Any:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, item: object) -> bool:
        return item in self.items

    def __hash__(self) -> int:
        return hash(tuple(self.items))

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other)  # type: ignore[call-overload] # of the same kind

    def add(self, item: Any) -> None:
        self.items[item] = None

    def update(self, *others: Any) -> None:
        for other in others:
            self.items.update(dict.fromkeys(other))


class _LockedMap(dict):
    def get_or_insert(self, key: Any, compute: Any) -> Any:
        return self[key] if key in self else self.setdefault(key, compute())

    put = dict.__setitem__

    def forget(self, key: Any) -> None:
        self.pop(key, None)


class _Digest:
    def __init__(self, fingerprint: str = "", size: int = 0) -> None: ...


class _Trampoline:
    """What the decorator returns: the rule, called by name."""

    def __init__(self, rule_id: str, output_type: type, wrapped: Any, rule: Any) -> None:
        self.rule_id, self.output_type, self.rule = rule_id, output_type, rule
        self.__wrapped__ = wrapped

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("no rule runs here")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["__wrapped__"], name)


class _UnionRule:
    def __init__(self, union_base: type, union_member: type) -> None:
        self.union_base, self.union_member = union_base, union_member


class _UnionMembership:
    def __init__(self, members: dict[type, list[type]]) -> None:
        self.members = members

    @classmethod
    def from_rules(cls, rules: Any) -> _UnionMembership:
        members: dict[type, list[type]] = {}
        for rule in rules:
            members.setdefault(rule.union_base, []).append(rule.union_member)
        return cls(members)

    def items(self) -> Any:
        return self.members.items()

    def get(self, base: type) -> list[type]:
        return self.members.get(base, [])


def install_engine(pants: Path) -> list[Any]:
    """Installs the replacement of the engine; returns the list that registered calls go to."""
    stub = pants / "pants/engine/internals/native_engine.pyi"
    tree = ast.parse(stub.read_text())
    engine = types.ModuleType(NATIVE)
    engine.__file__ = str(stub)
    for node in list(tree.body):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pants."):
            tree.body.remove(node)  # these modules import the engine themselves
            for alias in node.names:
                setattr(engine, alias.asname or alias.name, object)
    tree = ast.fix_missing_locations(_Concrete().visit(tree))
    flags = __future__.annotations.compiler_flag
    exec(compile(tree, str(stub), "exec", flags=flags), engine.__dict__)

    registered: list[Any] = []
    digests = {
        name: type(name, (_Digest,), {"__module__": NATIVE})
        for name in ("Digest", "FileDigest", "Snapshot")
    }
    replacements: dict[str, Any] = {
        **digests,
        "EMPTY_DIGEST": digests["Digest"](),
        "EMPTY_FILE_DIGEST": digests["FileDigest"](),
        "EMPTY_SNAPSHOT": digests["Snapshot"](),
        "FrozenDict": _FrozenDict,
        "FrozenOrderedSet": _OrderedSet,
        "OrderedSet": type("OrderedSet", (_OrderedSet,), {}),
        "LockedMap": _LockedMap,
        "RuleCallTrampoline": _Trampoline,
        "UnionRule": _UnionRule,
        "UnionMembership": _UnionMembership,
        "PyTasks": type("PyTasks", (), {}),
        "default_cache_path": lambda: "cache",
        "py_bin_name": lambda: "pants",
        "tasks_add_call": lambda *call, **_: registered.append(call),
        "tasks_add_query": lambda *_: None,
        "tasks_task_begin": lambda *_, **__: None,
        "tasks_task_end": lambda *_: None,
    }
    for name, value in replacements.items():
        setattr(engine, name, value)
    for value in list(vars(engine).values()):
        if isinstance(value, type) and not hasattr(value, "__class_getitem__"):
            try:
                value.__class_getitem__ = classmethod(lambda cls, _: cls)  # type: ignore[attr-defined] # set on the fly
            except TypeError:
                continue  # a built-in, which the stub imports

    def anything_else(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        value = type(name, (), {"__init__": lambda *_, **__: None})
        setattr(engine, name, value)
        return value

    engine.__getattr__ = anything_else  # type: ignore[method-assign] # PEP 562
    sys.modules[NATIVE] = engine
    if sys.version_info < (3, 14):  # only the parsing of BUILD files uses it
        annotationlib = types.ModuleType("annotationlib")
        for name in ("Format", "ForwardRef", "call_annotate_function", "get_annotations"):
            setattr(annotationlib, name, object)
        sys.modules["annotationlib"] = annotationlib
    return registered


# --- what is checked ---


class Rules:
    """The rules of the plugin together with those of Pants that it runs among."""

    def __init__(self) -> None:
        import pants.init.engine_initializer as initializer
        from pants.core.environments.rules import EnvironmentName
        from pants.engine.internals.session import SessionValues
        from pants.engine.rules import QueryRule, RuleIndex

        registers = [importlib.import_module(f"{backend}.register") for backend in BACKENDS]
        entries = [rule for register in registers for rule in register.rules()]
        for backend in ("pants.backend.python.register", "pants.core.register"):
            entries += importlib.import_module(backend).rules()
        # What the engine's initializer adds by itself: modules' rules, and rules of its own that
        # return singletons.
        tree = ast.parse(Path(str(initializer.__file__)).read_text())
        for node in ast.walk(tree):
            match node:
                case ast.Starred(
                    value=ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr="rules"))
                ):
                    entries += getattr(initializer, module).rules()
        singletons = {
            getattr(initializer, node.returns.id)
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and any("rule" in ast.unparse(d) for d in node.decorator_list)
            and isinstance(node.returns, ast.Name)
        }
        # The engine makes some entries itself; its replacement makes none of them.
        self.index = RuleIndex.create(
            [e for e in entries if e is not None and not isinstance(e, QueryRule)]
        )
        self.unions = _UnionMembership.from_rules(self.index.union_rules)
        self.ambient = {EnvironmentName, SessionValues, *singletons}
        self.by_id = {rule.canonical_name: rule for rule in self.index.rules}
        self.by_output: dict[type, list[Any]] = {}
        for rule in self.index.rules:
            self.by_output.setdefault(rule.output_type, []).append(rule)
        self.plugin = [
            rule
            for rule in self.index.rules
            if rule.func.__module__.partition(".")[0] in (*BACKENDS, "pants_compat")
        ]

    def computable(self, wanted: type, scope: set[type], seen: frozenset[type]) -> bool:
        """Whether some chain of rules makes a `wanted` from the types in `scope`."""
        if wanted in scope:
            return True
        if wanted in seen:
            return False
        return any(
            all(
                self.computable(parameter, scope, seen | {wanted})
                for parameter in rule.parameters.values()
            )
            for rule in self.by_output.get(wanted, ())
            if not rule.polymorphic
        )


def call_problems(rules: Rules) -> tuple[int, list[str]]:
    """How many calls by name the plugin makes, and what is wrong with them."""
    problems, count = [], 0
    for rule in rules.plugin:
        for call in rule.awaitables:
            count += 1
            where = f"{rule.canonical_name} -> {call.rule_id}"
            callee = rules.by_id.get(call.rule_id)
            if callee is None:
                problems.append(f"{where}: no such rule is registered")
                continue
            parameters = list(callee.parameters.items())
            if call.explicit_args_arity > len(parameters):
                problems.append(f"{where}: {call.explicit_args_arity} arguments are too many")
            if call.output_type is not callee.output_type:
                problems.append(f"{where}: {call.output_type} is not {callee.output_type}")
            scope = {*rule.parameters.values(), *call.input_types, *rules.ambient}
            problems += [
                f"{where}: nothing computes `{name}: {wanted.__name__}`"
                for name, wanted in parameters[call.explicit_args_arity :]
                if not rules.computable(wanted, scope, frozenset())
            ]
    return count, problems


def shim_problems(rules: Rules) -> tuple[int, list[str]]:
    """How many calls the shim builds for Pants 2.17, and where they differ from this release's."""
    compat = importlib.import_module("pants_compat")
    problems, count = [], 0
    for node in ast.walk(ast.parse((RULES / "pants_compat.py").read_text())):
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(
                    func=ast.Name(id="_by_name"), args=[ast.Name(id=out), ast.Name(id=in_)]
                ),
            ):
                count += 1
                rule = getattr(compat, name).rule
                problems += _shim_entry_problems(rules, name, out, in_, rule)
    return count, problems


def _shim_entry_problems(rules: Rules, name: str, out: str, in_: str, rule: Any) -> list[str]:
    if rule.output_type.__name__ != out:
        return [f"pants_compat.{name}: returns {rule.output_type.__name__}, not {out}"]
    parameters = list(rule.parameters.values())
    if parameters and parameters[0].__name__ == in_:
        return []
    # The first parameter is another one, so the call has to leave it implicit.
    given = {
        parameter
        for each in rules.index.rules
        for parameter in each.parameters.values()
        if parameter.__name__ == in_
    }
    if not given or not all(
        rules.computable(parameter, {*given, *rules.ambient}, frozenset())
        for parameter in parameters
    ):
        return [f"pants_compat.{name}: {in_} does not lead to {parameters}"]
    return [
        f"{caller.canonical_name}: pass {in_} to {name} as **implicitly({{...: {in_}}})"
        for caller in rules.plugin
        for call in caller.awaitables
        if call.rule_id == rule.canonical_name and call.explicit_args_arity
    ]


def main() -> int:
    """Runs all checks; 1 where one finds something."""
    pants = Path(sys.argv[1]).resolve()
    sys.path[:0] = [str(pants), str(RULES)]
    registered = install_engine(pants)
    from pants.version import VERSION

    rules = Rules()
    calls, problems = call_problems(rules)
    entries, differences = shim_problems(rules)
    from pants.engine.internals.scheduler import register_rules

    register_rules(rules.index, rules.unions)
    print(f"Pants {VERSION}: {len(rules.plugin)} rules and {calls} calls by name in the plugin,")
    print(f"{entries} calls in the shim, {len(registered)} calls registered in all.")
    for problem in (*problems, *differences):
        print(f"PROBLEM {problem}")
    return 1 if problems or differences else 0


if __name__ == "__main__":
    sys.exit(main())
