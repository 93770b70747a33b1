defmodule SynapseBridge.Client.Rpc do
  @moduledoc """
  What a client knows of one of its functions, as `Client.__synapse__(:rpcs)` returns it.

    * `:function` - the Elixir function;
    * `:path` - service and method as they go over the wire;
    * `:request`, `:response` - the modules of the messages;
    * `:result` - `:value` where the response has a `result`, `:none` where Python returns `None`;
    * `:channel` - the channel of calls that name no other;
    * `:contract` - the fingerprint of the contract that the client was generated from.
  """

  @enforce_keys [:function, :path, :request, :response, :result, :channel, :contract]
  defstruct @enforce_keys

  @type t :: %__MODULE__{
          function: atom(),
          path: String.t(),
          request: module(),
          response: module(),
          result: :value | :none,
          channel: atom(),
          contract: String.t()
        }
end
