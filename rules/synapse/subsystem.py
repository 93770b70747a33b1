"""Options of the Synapse backend."""

from __future__ import annotations

from pants.engine.addresses import UnparsedAddressInputs
from pants.option.option_types import StrListOption
from pants.option.subsystem import Subsystem


class Synapse(Subsystem):
    options_scope = "synapse"
    help = "The Synapse Bridge: Elixir clients for Python functions (the `synapse_service` target)."

    tool = StrListOption(
        default=["//src/synapse_bridge/__main__.py"],
        help=(
            "Addresses of what makes `python -m synapse_bridge` work: its first-party sources, or "
            "the `python_requirement` of the `synapse_bridge` distribution. It has to be in the "
            "same resolve as the services."
        ),
    )
    elixir_runtime = StrListOption(
        default=["//elixir/synapse_bridge"],
        help=(
            "Addresses of the Elixir runtime, which generated clients are written on: an "
            "`elixir_sources` target. It becomes a dependency of every `synapse_service`."
        ),
    )

    @property
    def tool_addresses(self) -> UnparsedAddressInputs:
        return self._addresses("tool", self.tool)

    @property
    def elixir_runtime_addresses(self) -> UnparsedAddressInputs:
        return self._addresses("elixir_runtime", self.elixir_runtime)

    def _addresses(self, option: str, values: tuple[str, ...]) -> UnparsedAddressInputs:
        return UnparsedAddressInputs(
            values,
            owning_address=None,
            description_of_origin=f"the option `[{self.options_scope}].{option}`",
        )
