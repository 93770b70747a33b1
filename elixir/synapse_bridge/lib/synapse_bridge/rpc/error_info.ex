defmodule SynapseBridge.Rpc.ErrorInfo do
  @moduledoc """
  `google.rpc.ErrorInfo`: the cause of an error. A Synapse Bridge server gives the qualified name
  of the Python exception as `metadata["exception"]`.
  """
  use SynapseBridge.Message

  message do
    field :reason, 1, :string, default: "", doc: "The cause, in UPPER_SNAKE_CASE."
    field :domain, 2, :string, default: "", doc: "The full name of the service."
    field :metadata, 3, {:map, :string, :string}, default: %{}
  end
end
