defmodule SynapseBridge.Bytes do
  @moduledoc """
  Python's `bytes`, where any value may stand (`Any`, `object`).

  A plain binary is a string there, and has to be valid UTF-8.

      MyAgent.store(%{"name" => "logo", "png" => %SynapseBridge.Bytes{data: png}})
  """

  @enforce_keys [:data]
  defstruct [:data]

  @type t :: %__MODULE__{data: binary()}
end
