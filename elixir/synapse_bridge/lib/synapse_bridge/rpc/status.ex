defmodule SynapseBridge.Rpc.Status do
  @moduledoc """
  `google.rpc.Status`: what a failed call carries in `grpc-status-details-bin`.
  """
  use SynapseBridge.Message

  message do
    field :code, 1, :int64, default: 0
    field :message, 2, :string, default: ""
    field :details, 3, {:list, {:message, SynapseBridge.Rpc.Any}}, default: []
  end
end
