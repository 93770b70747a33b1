defmodule SynapseBridge.Rpc.DebugInfo do
  @moduledoc """
  `google.rpc.DebugInfo`: the Python traceback, from a server that runs with `--debug`.
  """
  use SynapseBridge.Message

  message do
    field :stack_entries, 1, {:list, :string}, default: []
    field :detail, 2, :string, default: ""
  end
end
