defmodule SynapseBridge.Rpc.Duration do
  @moduledoc """
  `google.protobuf.Duration`: a span of time.
  """
  use SynapseBridge.Message

  message do
    field :seconds, 1, :int64, default: 0
    field :nanos, 2, :int64, default: 0, doc: "Billionths of a second, of the sign of `seconds`."
  end
end
