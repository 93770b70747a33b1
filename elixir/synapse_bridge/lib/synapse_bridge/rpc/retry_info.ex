defmodule SynapseBridge.Rpc.RetryInfo do
  @moduledoc """
  `google.rpc.RetryInfo`: how long to wait before the next try.
  """
  use SynapseBridge.Message

  message do
    field :retry_delay, 1, {:nullable, {:message, SynapseBridge.Rpc.Duration}}, default: nil
  end
end
