defmodule SynapseBridge.Rpc.ContractsGetRequest do
  @moduledoc "Of `synapse_bridge.v1.Contracts/Get`: the full name of a service."
  use SynapseBridge.Message

  message do
    field :service, 1, :string, default: ""
  end
end

defmodule SynapseBridge.Rpc.ContractsGetResponse do
  @moduledoc """
  Of `synapse_bridge.v1.Contracts/Get`: the hash of the service's contract, and the fingerprint of
  each of its methods with the messages that it reaches.
  """
  use SynapseBridge.Message

  message do
    field :contract, 1, :string, default: ""
    field :methods, 2, {:map, :string, :string}, default: %{}
  end
end
