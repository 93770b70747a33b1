"""The Elixir client: a Mix package with one module per service, message and enum.

Everything is written as ``mix format`` would leave it, and module names are always written in
full: no alias, so a model called ``String`` shadows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from synapse_bridge import __version__
from synapse_bridge.contract import (
    Contract,
    Dynamic,
    Enum,
    EnumMember,
    Field,
    Literally,
    Message,
    Method,
    Required,
    Streamed,
    Union,
    UnionMember,
    elixir_terms,
)
from synapse_bridge.contract.names import underscore
from synapse_bridge.contract.reach import bares_secret
from synapse_bridge.contract.schema import method_hash
from synapse_bridge.generate import elixir_agents, elixir_arguments, elixir_docs
from synapse_bridge.generate.elixir_fields import constraints, default, element_type, field_type
from synapse_bridge.generate.elixir_format import statement
from synapse_bridge.generate.heading import heading
from synapse_bridge.generate.markdown import markdown


def emit(contract: Contract, fingerprint: str) -> dict[str, str]:
    """The files of the Mix package, by path within it."""
    client = _Client(contract, fingerprint)
    stem = contract.service.stem
    files = {
        "mix.exs": client.mix(),
        ".formatter.exs": client.formatter(),
        "README.md": client.docs.readme(),
        f"lib/{stem}.ex": client.service(),
    }
    modules = {item.elixir: client.message(item) for item in contract.messages}
    modules |= {item.elixir: client.enum(item) for item in contract.enums}
    modules |= {item.elixir: client.union(item) for item in contract.unions}
    for module, source in modules.items():
        name = underscore(module.removeprefix(f"{contract.service.elixir}.")).replace(".", "_")
        files[f"lib/{stem}/{name}.ex"] = source
    for path, module, blocks in elixir_agents.sources(contract):
        files[f"lib/{stem}/{path}"] = client.module_source(module, blocks)
    return files


# By whether the request and the result are streams.
_KINDS = {(False, True): ":server", (True, False): ":client", (True, True): ":bidi"}


class _Client:
    def __init__(self, contract: Contract, fingerprint: str) -> None:
        self.contract = contract
        self.fingerprint = fingerprint
        self.module = contract.service.elixir
        self.docs = elixir_docs.Documentation(contract)
        self._modules = {item.name: item.elixir for item in contract.named()}

    # The service

    def service(self) -> str:
        service = self.contract.service
        name = elixir_terms.string(service.full_name)
        use = f'use SynapseBridge.Client, service: {name}, contract: "{self.fingerprint}"'
        if errors := ", ".join(m.elixir for m in self.contract.messages if m.role == "error"):
            use += f", errors: [{errors}]"
        blocks = [
            [*elixir_docs.attribute("moduledoc", self.docs.service()), *statement(use)],
            *(block for method in service.methods for block in self._method(method)),
        ]
        return self.module_source(self.module, blocks)

    def _method(self, method: Method) -> Iterator[list[str]]:
        yield self._rpc(method)
        name, arity = method.elixir, len(self._arguments(method)) + 1
        value = (
            ":ok" if method.result is None else elixir_arguments.given(method.result, self._modules)
        )
        if method.streams_result:
            value = f"Enumerable.t({value})"
        result = ":ok" if method.result is None else f"{{:ok, {value}}}"
        errors = [self._modules[error] + ".t()" for error in method.raises]
        error = f"{{:error, {' | '.join([*errors, 'SynapseBridge.Error.t()'])}}}"
        doc = self.docs.method(method, self._arguments(method), self._options(method))
        yield [
            *elixir_docs.attribute("doc", doc),
            *self._spec(method, name, f"{result} | {error}"),
            *self._function(method, name, "call"),
        ]
        yield [
            *elixir_docs.attribute("doc", self.docs.bang(method, arity)),
            *self._spec(method, f"{name}!", value),
            *self._function(method, f"{name}!", "call!"),
        ]
        if method.streams_result:
            result = "{:ok, SynapseBridge.Stream.t()} | {:error, SynapseBridge.Error.t()}"
            yield [
                *elixir_docs.attribute("doc", self.docs.process_form(method, arity)),
                *self._spec(method, f"{name}_stream", result),
                *self._function(method, f"{name}_stream", "call_stream"),
            ]

    def _rpc(self, method: Method) -> list[str]:
        request = self.contract.message(method.request)
        response = self.contract.message(method.response)
        parts = [f"rpc :{method.elixir}", f'"{method.proto}"', request.elixir, response.elixir]
        if method.result is None:
            parts.append("result: :none")
        if method.stream or method.streams_result:
            parts.append(f"stream: {_KINDS[method.stream is not None, method.streams_result]}")
        if method.stream:
            (streamed,) = (f.elixir for f in request.fields if f.name == method.stream)
            parts.append(f"streamed: :{streamed}")
        if method.timeout_ms is not None:
            parts.append(f"timeout: {elixir_terms.integer(method.timeout_ms)}")
        if method.idempotent:
            parts.append("idempotent: true")
        parts.append(f'fingerprint: "{method_hash(self.contract, method)}"')
        return statement(", ".join(parts))

    def _arguments(self, method: Method) -> list[Field]:
        return elixir_arguments.arguments(self.contract, method)

    def _options(self, method: Method) -> list[Field]:
        return elixir_arguments.options(self.contract, method)

    def _spec(self, method: Method, name: str, result: str) -> list[str]:
        arguments = [elixir_arguments.taken(f, self._modules) for f in self._arguments(method)]
        options = [elixir_arguments.option(field, self._modules) for field in self._options(method)]
        options.append("SynapseBridge.Client.option()")
        arguments.append(f"[{' | '.join(options)}]")
        return statement(f"@spec {name}({', '.join(arguments)}) :: {result}")

    def _function(self, method: Method, name: str, call: str) -> list[str]:
        variables = [field.elixir for field in self._arguments(method)]
        required = any(
            isinstance(field.default, Required | Streamed) for field in self._options(method)
        )
        head = ", ".join([*variables, "opts" if required else "opts \\\\ []"])
        values = ", ".join(f"{variable}: {variable}" for variable in variables)
        body = f"{call}(:{method.elixir}, %{{{values}}}, opts)"
        return statement(f"def {name}({head}), do: {body}")

    # Messages and enums

    def message(self, message: Message) -> str:
        doc = self.docs.message(message) if message.is_class else None
        fields = [self._field(field) for field in message.fields]
        if message.extra is not None:
            fields.append(self._field(message.extra, presence="extra: true"))
        block = ["  message do", *_spaced(fields), "  end"]
        use = "  use SynapseBridge.Message"
        use += {"typed_dict": ", struct: false", "error": ", exception: true"}.get(message.role, "")
        head = [*elixir_docs.attribute("moduledoc", doc), use]
        return self.module_source(message.elixir, [head, block])

    def _field(self, field: Field, presence: str = "") -> list[str]:
        parts = [f"field :{field.elixir}", str(field.number), field_type(field, self._modules)]
        if field.elixir != field.name:
            parts.append(f"name: {elixir_terms.string(field.name)}")
        presence = presence or ("computed: true" if field.computed else self._presence(field))
        parts.append(presence)
        parts += [f"{name}: {value}" for name, value in constraints(field.type)]
        if bares_secret(self.contract, field.type):
            parts.append("redact: true")
        if field.doc:
            parts.append(f"doc: {elixir_terms.string(markdown(field.doc))}")
        return statement(", ".join(parts), indent=4)

    def _presence(self, field: Field) -> str:
        match field.default:
            case Required():
                return "required: true"
            case Dynamic():
                return "optional: true"
            case Streamed():
                return "streamed: true"
            case Literally(value):
                return f"default: {default(field.type, value, self.contract)}"

    def enum(self, enum: Enum) -> str:
        literal = ", literal: true" if enum.role == "literal" else ""
        values = [self._value(enum, member) for member in enum.members]
        block = ["  enum do", *_spaced(values), "  end"]
        head = [
            *elixir_docs.attribute("moduledoc", self.docs.enum(enum)),
            f"  use SynapseBridge.Enum{literal}",
        ]
        return self.module_source(enum.elixir, [head, block])

    def _value(self, enum: Enum, member: EnumMember) -> list[str]:
        parts = [f"value {member.elixir}", str(member.number), elixir_terms.scalar(member.value)]
        if enum.role == "enum" and member.name != member.value:
            parts.append(f"name: {elixir_terms.string(member.name)}")
        if member.doc:
            parts.append(f"doc: {elixir_terms.string(markdown(member.doc))}")
        return statement(", ".join(parts), indent=4)

    def union(self, union: Union) -> str:
        """The module of a union."""
        members = [self._member(member) for member in union.members]
        block = ["  union do", *_spaced(members), "  end"]
        use = "use SynapseBridge.Union"
        if union.discriminator is not None:
            use += f", discriminator: {elixir_terms.string(union.discriminator)}"
        head = [*elixir_docs.attribute("moduledoc", self.docs.union(union)), *statement(use)]
        return self.module_source(union.elixir, [head, block])

    def _member(self, member: UnionMember) -> list[str]:
        type_ = element_type(member.type, self._modules)
        parts = [f"member :{member.elixir}", str(member.number), type_]
        if member.doc:
            parts.append(f"doc: {elixir_terms.string(markdown(member.doc))}")
        return statement(", ".join(parts), indent=4)

    # The package

    def mix(self) -> str:
        app = self.contract.service.stem
        return f"""\
# {heading(self.contract)}
defmodule {self.module}.MixProject do
  use Mix.Project

  def project do
    [
      app: :{app},
      version: "0.1.0",
      elixir: "~> 1.14",
      deps: deps()
    ]
  end

  def application do
    [extra_applications: [:logger]]
  end

  # The runtime is taken from Hex, or from the folder that SYNAPSE_BRIDGE_PATH names.
  defp deps do
    case System.fetch_env("SYNAPSE_BRIDGE_PATH") do
      {{:ok, path}} -> [{{:synapse_bridge, path: path}}]
      :error -> [{{:synapse_bridge, "~> {__version__.rpartition(".")[0]}"}}]
    end
  end
end
"""

    def formatter(self) -> str:
        return f"""\
# {heading(self.contract)}
[
  import_deps: [:synapse_bridge],
  inputs: ["{{mix,.formatter}}.exs", "lib/**/*.ex"]
]
"""

    def module_source(self, module: str, blocks: list[list[str]]) -> str:
        """A file of one module."""
        body = "\n\n".join("\n".join(block) for block in blocks)
        return f"# {heading(self.contract)}\ndefmodule {module} do\n{body}\nend\n"


def _spaced(rows: list[list[str]]) -> list[str]:
    """Rows one after the other, with a blank line around those of several lines, as formatted."""
    body: list[str] = []
    for index, row in enumerate(rows):
        if index and (len(row) > 1 or len(rows[index - 1]) > 1):
            body.append("")
        body.extend(row)
    return body
