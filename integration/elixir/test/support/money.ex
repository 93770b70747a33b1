defmodule Integration.Money do
  @moduledoc "An amount of money, which travels as cents."

  @behaviour SynapseBridge.Custom

  @enforce_keys [:cents]
  defstruct [:cents, currency: :eur]

  @type t :: %__MODULE__{cents: non_neg_integer(), currency: :eur}

  @impl true
  def to_wire(%__MODULE__{cents: cents}), do: {:ok, cents}
  def to_wire(_), do: {:error, "expected an amount of money"}

  @impl true
  def from_wire(cents), do: {:ok, %__MODULE__{cents: cents}}
end
