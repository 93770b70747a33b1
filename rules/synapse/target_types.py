"""The `synapse_service` target and its fields."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from pants.backend.python.target_types import PythonResolveField
from pants.core.goals.package import OutputPathField
from pants.engine.addresses import Address
from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    AsyncFieldMixin,
    Dependencies,
    InvalidFieldException,
    InvalidTargetException,
    MultipleSourcesField,
    OptionalSingleSourceField,
    StringField,
    StringSequenceField,
    Target,
)

from synapse import names

_DOTTED = r"[^\W\d]\w*(\.[^\W\d]\w*)*"
_PYTHON_OBJECT = re.compile(f"{_DOTTED}(:{_DOTTED})?")
_ELIXIR_MODULE = re.compile(r"[A-Z]\w*(\.[A-Z]\w*)*", re.ASCII)


class SynapseDependenciesField(Dependencies):
    help = (
        "Addresses that the service needs beyond those inferred. Inferred are the sources of its "
        "`module`, what the generated server imports, and the Elixir runtime."
    )


class SynapseConfigField(OptionalSingleSourceField):
    # Pants hangs code generation on a sources field; this is the one that a service can have.
    alias = "config"
    expected_file_extensions = (".yaml", ".yml", ".json", ".toml")
    help = (
        "A configuration file in the BUILD file's folder: `synapse.yaml`, its JSON twin, or a "
        "`pyproject.toml` with a `[tool.synapse_bridge]` table. It names the proto package and "
        "service, maps functions to Elixir names and overrides types. What the BUILD file says "
        "goes first."
    )


class SynapseLockField(StringField, AsyncFieldMixin):
    alias = "lock"
    default = "synapse.lock.json"
    value: str
    help = (
        "The lock in the BUILD file's folder: the numbers that members keep on the wire, and the "
        "contract that changes are judged by. It is used if it exists; the goal `synapse-lock` "
        "writes it. Services of one folder may share it."
    )

    @property
    def path(self) -> str:
        """From the root of the repository."""
        return os.path.join(self.address.spec_path, self.value)

    @classmethod
    def compute_value(cls, raw_value: str | None, address: Address) -> str:
        value = super().compute_value(raw_value, address) or ""
        if "/" in value or not value.endswith(".json"):
            raise InvalidFieldException(
                f"The `{cls.alias}` of {address} must be a JSON file in the folder of its BUILD "
                f"file, as in `synapse.lock.json`, but is {value!r}."
            )
        return value


class SynapseModuleField(StringField):
    alias = "module"
    value: str | None
    help = (
        "The Python module whose functions are called from Elixir (`shop.pricing`), or an object "
        "in it whose methods are (`shop.pricing:engine`). It may be left out where `agents` are "
        "given: then nothing but they is bridged, and the module is theirs."
    )

    @classmethod
    def compute_value(cls, raw_value: str | None, address: Address) -> str | None:
        value = super().compute_value(raw_value, address)
        if value is None:
            return None
        if not _PYTHON_OBJECT.fullmatch(value):
            raise InvalidFieldException(
                f"The `{cls.alias}` of {address} must be a Python module, as in `shop.pricing`, or "
                f"an object in one, as in `shop.pricing:engine`, but is {value!r}."
            )
        return value


class SynapseFunctionsField(StringSequenceField):
    alias = "functions"
    help = (
        "The functions to expose. By default those in the module's `__all__`, or else its public "
        "functions with annotations."
    )


class SynapseAgentsField(StringSequenceField):
    alias = "agents"
    help = (
        "Agents of pydantic-ai in the service's module, as `my_agents:support_agent`: each becomes "
        "an Elixir module. They need the extra `agents` of synapse_bridge."
    )

    @classmethod
    def compute_value(
        cls, raw_value: Iterable[str] | None, address: Address
    ) -> tuple[str, ...] | None:
        value = super().compute_value(raw_value, address)
        for name in value or ():
            if ":" not in name or not _PYTHON_OBJECT.fullmatch(name):
                raise InvalidFieldException(
                    f"The `{cls.alias}` of {address} must be agents in Python modules, as in "
                    f"`my_agents:support_agent`, but one is {name!r}."
                )
        return value


class SynapseDepsFactoryField(StringField):
    alias = "deps_factory"
    help = (
        "The function that makes what the tools of `agents` depend on, as `my_agents:make_deps`. "
        "Its one typed parameter, if it has one, is what callers send as `deps`."
    )

    @classmethod
    def compute_value(cls, raw_value: str | None, address: Address) -> str | None:
        value = super().compute_value(raw_value, address)
        if value is not None and (":" not in value or not _PYTHON_OBJECT.fullmatch(value)):
            raise InvalidFieldException(
                f"The `{cls.alias}` of {address} must be a function in a Python module, as in "
                f"`my_agents:make_deps`, but is {value!r}."
            )
        return value


class SynapseModelsField(StringSequenceField):
    alias = "models"
    help = "The models that callers of `agents` may choose from, besides the agents' own."


class SynapseToolsField(StringField):
    alias = "tools"
    valid_choices = ("expose",)
    help = "With `expose`, the typed tools of `agents` are functions of the client, too."


class SynapseElixirModuleField(StringField):
    alias = "elixir_module"
    help = (
        "The Elixir module to generate (`MyApp.Orders`). By default the Python module's name in "
        "camel case: `shop.pricing` gives `Shop.Pricing`. The names of the generated Python "
        "modules follow from it: `my_app_orders_server`, `my_app_orders_pb2` and "
        "`my_app_orders_pb2_grpc`."
    )

    @classmethod
    def compute_value(cls, raw_value: str | None, address: Address) -> str | None:
        value = super().compute_value(raw_value, address)
        if value is not None and not _ELIXIR_MODULE.fullmatch(value):
            raise InvalidFieldException(
                f"The `{cls.alias}` of {address} must be an Elixir module, as in `MyApp.Orders`, "
                f"but is {value!r}."
            )
        return value


class SynapseOutputPathField(OutputPathField):
    help = (
        "Where packages are written, relative to `dist/` and without an ending: the server is "
        "`<output_path>.pex`, the Elixir client `<output_path>.elixir.tar.gz`, and the service "
        "definition, with all that it imports, `<output_path>.proto.tar.gz`. The default is the "
        "folder and name of the target."
    )

    def path(self, ending: str) -> str:
        if self.value:
            return f"{self.value}.{ending}"
        return self.value_or_default(file_ending=ending)


class SynapseService(Target):
    alias = "synapse_service"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        SynapseDependenciesField,
        SynapseModuleField,
        SynapseFunctionsField,
        SynapseAgentsField,
        SynapseDepsFactoryField,
        SynapseModelsField,
        SynapseToolsField,
        SynapseElixirModuleField,
        SynapseConfigField,
        SynapseLockField,
        PythonResolveField,
        SynapseOutputPathField,
    )
    help = (
        "Typed Python functions, callable from Elixir over gRPC.\n\n"
        "The goal `export-codegen` writes the contract, the `.proto`, the Python server and the "
        "Elixir client; `run` starts the server; `package` builds the server as a PEX and the "
        "client as a Mix package. Python code that imports a generated module, and Elixir code "
        "that names the Elixir module, depend on this target by that alone; `exunit_tests` and "
        "`elixir_script` that do so get the server booted."
    )


class SynapseArtefactsField(MultipleSourcesField):
    """What is generated beside Python and Elixir sources; exists only as output of generation."""

    uses_source_roots = False


def python_object(address: Address, module: SynapseModuleField, agents: SynapseAgentsField) -> str:
    """What a `synapse_service` bridges: its module, or an object in one."""
    if module.value is not None:
        return module.value
    modules = sorted({name.partition(":")[0] for name in agents.value or ()})
    if len(modules) != 1:
        found = f"agents of {', '.join(modules)}" if modules else "neither"
        raise InvalidTargetException(
            f"{address} must have a `module`, or `agents` of one module, and has {found}."
        )
    return modules[0]


def elixir_module(target: Target) -> str:
    """The Elixir module that a `synapse_service` generates."""
    bridged = python_object(target.address, target[SynapseModuleField], target[SynapseAgentsField])
    module = bridged.partition(":")[0]
    return target[SynapseElixirModuleField].value or names.elixir_module(module)


def stem(target: Target) -> str:
    """What the names of all files generated from a `synapse_service` begin with."""
    return names.stem(elixir_module(target))
