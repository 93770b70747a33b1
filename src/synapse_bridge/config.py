"""The configuration: ``synapse.yaml``, ``synapse.json``, or ``[tool.synapse_bridge]``.

It maps modules and functions to Elixir names, names the proto package and service, and overrides
types. What it may hold is :class:`Config`, published as ``config.schema.json`` beside this file;
what the command line says goes before it.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import pydantic
import yaml

from synapse_bridge.duration import milliseconds
from synapse_bridge.introspect import Calls, Naming, Override, Wanted
from synapse_bridge.serve import section

FILES = ("synapse.yaml", "synapse.yml", "synapse.json", "pyproject.toml")
"""Where the configuration is looked for in the working directory."""

_TABLE = ("tool", "synapse_bridge")

ElixirModule: TypeAlias = Annotated[
    str, pydantic.Field(pattern=r"^[A-Z][A-Za-z0-9_]*(\.[A-Z][A-Za-z0-9_]*)*$")
]
ElixirName: TypeAlias = Annotated[str, pydantic.Field(pattern=r"^[a-z_][A-Za-z0-9_]*$")]


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True
    )


def _duration(value: float | str) -> float | str:
    milliseconds(value)
    return value


class MethodConfig(_Strict):
    """What a function does not say about its calls itself."""

    timeout: Annotated[float | str, pydantic.AfterValidator(_duration)] | None = None
    """The longest that a call may take: `500ms`, `5s`, `2m`, `1h`, or a number of seconds."""
    idempotent: bool | None = None
    """Whether clients may call again where it is not known that a call arrived."""
    raises: list[str] = []
    """Exceptions to declare besides those of the code: `OutOfStock`, `shop.errors.OutOfStock`."""
    allow: list[Annotated[str, pydantic.Field(min_length=1)]] | None = None
    """Identities and roles that may call; `*` stands for everyone who is known."""

    def calls(self) -> Calls:
        """The same for introspection."""
        whole = None if self.timeout is None else milliseconds(self.timeout)
        return Calls(whole, self.idempotent, tuple(self.raises))


def _function(path: str) -> str:
    if not _FUNCTION.fullmatch(path):
        raise ValueError("it should be a function, as `package.module:function`")
    return path


_FUNCTION = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
Function: TypeAlias = Annotated[str, pydantic.AfterValidator(_function)]


class AgentConfig(_Strict):
    """How an agent is served."""

    name: ElixirName | None = None
    """What the names of its methods begin with. Default: the variable without `_agent`."""
    deps_factory: Function | None = None
    """The function that makes its `deps`, as `package.module:function`."""
    models: list[Annotated[str, pydantic.Field(min_length=1)]] = []
    """The models that callers may choose from, besides its own."""
    tools: Literal["expose"] | None = None
    """`expose` makes functions of its typed tools, too."""

    def wanted(self, variable: str) -> Wanted:
        """The same for introspection."""
        name, factory = self.name or "", self.deps_factory or ""
        return Wanted(variable, name, factory, tuple(self.models), self.tools == "expose")


class ModuleConfig(_Strict):
    """Names of one service."""

    elixir: ElixirModule | None = None
    """The Elixir client module. Default: the Python module in CamelCase."""
    proto_package: (
        Annotated[str, pydantic.Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")] | None
    ) = None
    """The proto package. Default: the Elixir module with underscores, and `.v1`."""
    service: Annotated[str, pydantic.Field(pattern=r"^[A-Z][A-Za-z0-9]*$")] | None = None
    """The proto service. Default: the last part of the Elixir module, and `Service`."""
    functions: dict[str, ElixirName] = {}
    """Elixir names of functions, by their Python names."""
    methods: dict[str, MethodConfig] = {}
    """What goes for the calls of functions, by their Python names."""
    naive_datetime: Literal["refused", "utc"] = "refused"
    """What a `datetime` without a time zone is: `utc` sends it as if it were in UTC."""
    agents: dict[str, AgentConfig] = {}
    """Agents of pydantic-ai to serve besides, by their variables in the module."""


class TypeConfig(_Strict):
    """How a type travels as another one."""

    wire: str
    """The annotation, as Python source, that says what travels: `str`, `Annotated[int, Ge(0)]`."""
    to_wire: Function | None = None
    """The Python function, as `package.module:function`, that makes what travels of a value."""
    from_wire: Function | None = None
    """The Python function that makes a value of what travelled."""
    elixir: ElixirModule | None = None
    """The Elixir module that does the same there: a `SynapseBridge.Custom`."""

    @pydantic.model_validator(mode="after")
    def _both_ways(self) -> TypeConfig:
        if (self.to_wire is None) != (self.from_wire is None):
            raise ValueError("`to_wire` and `from_wire` go together")
        return self


def _long_form(given: Any) -> Any:
    if isinstance(given, str):
        return {"wire": given}
    if isinstance(given, dict):
        return given
    raise ValueError("it should be an annotation, or a table with `wire`")


Type: TypeAlias = Annotated[
    TypeConfig, pydantic.BeforeValidator(_long_form, json_schema_input_type=str | TypeConfig)
]


class Config(_Strict):
    """Configuration of synapse_bridge."""

    modules: dict[str, ModuleConfig] = {}
    """Names, by Python module (`shop.pricing`; `shop.pricing:desk` for an object's methods)."""
    lock: str | None = None
    """The lock file, from the configuration's folder. Default: `synapse.lock.json` there, if it
    exists."""
    renamed: dict[str, str] = {}
    """Earlier names, by what they are called now: a class (`shop.models.Order`), a function
    (`shop.pricing.price`), a field (`shop.models.Order.total`), a parameter
    (`shop.pricing.price.order`) or an enum member (`shop.models.Currency.EUR`). What has no dot was
    in the same place. With a lock, what is renamed keeps its number."""
    types: dict[str, Type] = {}
    """Annotations, as Python source, that replace those in the code, or how to convert a type. A
    key is a class (`shop.models.Sku`), a field (`shop.models.Order.total`), a parameter
    (`shop.pricing.price.order`) or a result (`shop.pricing.price.return`)."""
    serve: section.Section | None = None
    """How servers serve."""


class ConfigError(Exception):
    """A configuration that cannot be used. The message names file and line."""


@dataclass(frozen=True, slots=True)
class Source:
    """A configuration and where its keys stand.

    ``lines`` maps a key's path in the file to its line; it has what could be found out.
    """

    config: Config = field(default_factory=Config)
    file: str = ""
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict)

    def naming(self, target: str, elixir_module: str | None = None) -> Naming:
        """The names of a service; ``elixir_module`` from the command line goes first."""
        found = self.config.modules.get(target, ModuleConfig())
        return Naming(
            elixir_module=elixir_module or found.elixir,
            proto_package=found.proto_package,
            service=found.service,
            functions=found.functions,
            naive_datetime=found.naive_datetime,
            origin=self.place("modules", target, "functions"),
        )

    def calls(self, target: str) -> dict[str, Calls]:
        """What goes for the calls of a service's functions."""
        found = self.config.modules.get(target, ModuleConfig())
        return {name: method.calls() for name, method in found.methods.items()}

    def agents(self, target: str) -> list[Wanted]:
        """The agents of a service."""
        found = self.config.modules.get(target, ModuleConfig())
        return [agent.wanted(variable) for variable, agent in found.agents.items()]

    @property
    def lock(self) -> Path | None:
        """The lock that the configuration names, or ``None``."""
        name = self.config.lock
        return None if name is None else Path(self.file).parent / name

    def overrides(self) -> dict[str, Override]:
        """The types that replace others, by qualified name."""
        return {name: self._override(name, given) for name, given in self.config.types.items()}

    def _override(self, name: str, given: TypeConfig) -> Override:
        line = self.lines.get(("types", name), 0)
        functions = given.to_wire or "", given.from_wire or ""
        return Override(given.wire, self.file, line, *functions, given.elixir or "")

    def serving(self) -> dict[str, Any]:
        """The settings of servers, as their ``Options`` take them.

        Raises ``CannotServe`` for a text that its setting cannot read.
        """
        said = self.config.serve
        settings: dict[str, Any] = {}
        if said:
            settings = section.values(said, lambda name: self.place("serve", name))
        methods = {
            target: {
                name: tuple(method.allow)
                for name, method in module.methods.items()
                if method.allow is not None
            }
            for target, module in self.config.modules.items()
        }
        return {**settings, "methods": methods}

    def place(self, *path: str) -> str:
        """``synapse.yaml:7`` for a key, or the file where the line is not known."""
        line = self.lines.get(path)
        return f"{self.file}:{line}" if line else self.file


def find(folder: Path) -> Path | None:
    """The configuration of a folder, or ``None``; :class:`ConfigError` if it has more than one."""
    found = [folder / name for name in FILES if (folder / name).is_file()]
    found = [path for path in found if path.name != "pyproject.toml" or _has_table(path)]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise ConfigError(f"there are two configurations, {names}\n  → keep one, or say `--config`")
    return found[0] if found else None


def read(path: Path) -> Source:
    """The configuration in a file; raises :class:`ConfigError` for what it may not hold."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(f"{path}: it cannot be read: {reason}") from None
    data, lines = _PARSERS.get(path.suffix, _parse_yaml)(path, text)
    try:
        config = Config.model_validate({} if data is None else data)
    except pydantic.ValidationError as error:
        raise ConfigError(_explain(path, error, lines)) from None
    return Source(config, str(path), lines)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the configuration, as it is published."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:synapse-bridge:config:1",
        **Config.model_json_schema(),
    }


_Lines: TypeAlias = "dict[tuple[str, ...], int]"


def _parse_yaml(path: Path, text: str) -> tuple[Any, _Lines]:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        lines = _node_lines(path, node)
        return yaml.safe_load(text), lines
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}: it is not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: it is not YAML: {error}") from None


def _parse_json(path: Path, text: str) -> tuple[Any, _Lines]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}:{error.lineno}: it is not JSON: {error.msg}") from None
    try:
        # JSON is YAML, and only the YAML parser tells lines; it stumbles over tabs.
        return data, _node_lines(path, yaml.compose(text.expandtabs(), Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        return data, {}


def _parse_toml(path: Path, text: str) -> tuple[Any, _Lines]:
    try:
        data: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: it is not TOML: {error}") from None
    for key in _TABLE:
        data = data.get(key, {})
    return data, _toml_lines(data, text.splitlines())


_PARSERS = {".json": _parse_json, ".toml": _parse_toml}


def _node_lines(path: Path, node: yaml.Node | None) -> _Lines:
    """The line of every key, by its path. A key that stands twice is an error: YAML itself would
    take the last in silence."""
    lines: _Lines = {}

    def visit(node: yaml.Node | None, at: tuple[str, ...]) -> None:
        if not isinstance(node, yaml.MappingNode):
            return
        for key, value in node.value:
            here = (*at, str(key.value))
            line = key.start_mark.line + 1
            if here in lines:
                raise ConfigError(
                    f"{path}:{line}: `{key.value}` stands twice; the first is in line {lines[here]}"
                )
            lines[here] = line
            visit(value, here)

    visit(node, ())
    return lines


def _toml_lines(data: Any, text: Sequence[str]) -> _Lines:
    """The first line that has each key, for Python's TOML parser keeps no positions."""
    lines: _Lines = {}

    def visit(data: Any, at: tuple[str, ...]) -> None:
        for key, value in data.items() if isinstance(data, dict) else ():
            pattern = re.compile(rf"""(^|[\s.\["']){re.escape(key)}["']?\s*[=.\]]""")
            for number, line in enumerate(text, 1):
                if pattern.search(line):
                    lines[(*at, key)] = number
                    break
            visit(value, (*at, key))

    visit(data, ())
    return lines


def _has_table(path: Path) -> bool:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return "synapse_bridge" in data.get("tool", {})


def _explain(path: Path, error: pydantic.ValidationError, lines: _Lines) -> str:
    problems = []
    for found in error.errors():
        at = tuple(str(part) for part in found["loc"] if part != "[key]")
        line = next((lines[at[:n]] for n in range(len(at), 0, -1) if at[:n] in lines), None)
        where = f"{path}:{line}" if line else str(path)
        if found["type"] == "extra_forbidden":
            problems.append(f"{where}: there is no key `{at[-1]}`{_nearest(at)}")
        else:
            got = json.dumps(found["input"], ensure_ascii=False, default=str)
            name = ".".join(at) or "the configuration"
            problems.append(f"{where}: `{name}`: {found['msg']}, not {got}")
    return "\n".join(problems)


def _nearest(at: tuple[str, ...]) -> str:
    """The right key that is nearest to a wrong one, or all that there are."""
    model: type[pydantic.BaseModel] = ModuleConfig if at[0] == "modules" else Config
    if at[0] == "modules" and "methods" in at[2:3]:
        model = MethodConfig
    if at[0] == "modules" and "agents" in at[2:3]:
        model = AgentConfig
    if at[0] == "serve" and at[1:]:
        model = section.Section
    if at[0] == "types":
        model = TypeConfig
    known = list(model.model_fields)
    near = difflib.get_close_matches(at[-1], known, n=1, cutoff=0.5)
    if near:
        return f"\n  → did you mean `{near[0]}`?"
    return f"\n  → it may have: {', '.join(f'`{key}`' for key in known)}"


def schema_text() -> str:
    """``config.schema.json`` as it is written."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
