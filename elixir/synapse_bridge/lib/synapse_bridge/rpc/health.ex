defmodule SynapseBridge.Rpc.HealthCheckRequest do
  @moduledoc "`grpc.health.v1.HealthCheckRequest`: which service is meant; `\"\"` is the server as a whole."
  use SynapseBridge.Message

  message do
    field :service, 1, :string, default: ""
  end
end

defmodule SynapseBridge.Rpc.HealthCheckResponse do
  @moduledoc "`grpc.health.v1.HealthCheckResponse`: the number of a `ServingStatus`."
  use SynapseBridge.Message

  message do
    field :status, 1, :int64, default: 0
  end
end
