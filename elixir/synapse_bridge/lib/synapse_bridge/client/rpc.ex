defmodule SynapseBridge.Client.Rpc do
  @moduledoc """
  What a client knows of one of its functions, as `Client.__synapse__(:rpcs)` returns it.

    * `:function` - the Elixir function;
    * `:path` - service and method as they go over the wire;
    * `:request`, `:response` - the modules of the messages;
    * `:result` - `:value` where the response has a `result`, `:none` where Python returns `None`;
    * `:channel` - the channel of calls that name no other;
    * `:contract` - the fingerprint of the contract that the client was generated from;
    * `:fingerprint` - that of this method and the messages it reaches;
    * `:stream` - what is a stream: the result (`:server`), an argument (`:client`), or both
      (`:bidi`);
    * `:streamed` - the argument that is one;
    * `:timeout` - the deadline of calls that have no other, in milliseconds;
    * `:idempotent` - whether a call may be made again that the server may have carried out;
    * `:errors` - the modules of declared exceptions, by the full names of their messages.
  """

  alias SynapseBridge.{Error, Status}

  @enforce_keys [:function, :path, :request, :response, :result, :channel, :contract]
  defstruct @enforce_keys ++
              [:fingerprint, :stream, :streamed, :timeout, idempotent: false, errors: %{}]

  @type t :: %__MODULE__{
          function: atom(),
          path: String.t(),
          request: module(),
          response: module(),
          result: :value | :none,
          channel: atom(),
          contract: String.t(),
          fingerprint: String.t() | nil,
          stream: nil | :server | :client | :bidi,
          streamed: atom(),
          timeout: pos_integer() | nil,
          idempotent: boolean(),
          errors: %{String.t() => module()}
        }

  @doc "The options of a call, as `SynapseBridge.Channel` takes them."
  @spec options(t(), keyword()) :: keyword()
  def options(rpc, options) do
    {metadata, options} = Keyword.pop(options, :metadata, [])
    options = if rpc.timeout, do: Keyword.put_new(options, :timeout, rpc.timeout), else: options
    options = if rpc.idempotent, do: Keyword.put_new(options, :idempotent, true), else: options
    metadata = [{"synapse-contract", rpc.contract} | Enum.to_list(metadata)]
    [{:client, rpc.channel}, {:metadata, metadata} | options]
  end

  @doc "What a call that failed returns: a declared exception, or `SynapseBridge.Error`."
  @spec error(t(), Status.t()) :: Exception.t()
  def error(rpc, status), do: Error.from_status(status, rpc.contract, rpc.errors)
end
