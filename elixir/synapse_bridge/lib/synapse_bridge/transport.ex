defmodule SynapseBridge.Transport do
  @moduledoc """
  What carries the calls of generated clients.

  `SynapseBridge.Channel` does unless something else is asked for. There is one more,
  `SynapseBridge.Transport.GRPC`, over the library `grpc`:

      children = [{MyPythonAgent, target: "localhost:50051", transport: SynapseBridge.Transport.GRPC}]

  Generated code knows none of them. A transport is a module with the callbacks below. Messages are
  bytes to it; the client writes and reads them.
  """

  alias SynapseBridge.{Channel, Status, Violation}
  alias SynapseBridge.Transport.{Metadata, Response}

  @typedoc "What a call names its channel by: a name, a pid, or what the transport itself has."
  @type channel :: term()

  @typedoc "A streaming call, as the process that opened it holds it."
  @type exchange :: struct()

  @typedoc """
  How the process that goes through a streamed argument ends:

    * `:normal` - after the last item;
    * `{:shutdown, reason}` - because the call has ended;
    * `{:invalid, violations}` - an item does not fit its type;
    * `{:too_large, size}` - an item has more bytes than a message can have;
    * `{:raised, kind, reason, stacktrace}` - so did the argument.
  """
  @type produced ::
          :normal
          | {:shutdown, term()}
          | {:invalid, [Violation.t(), ...]}
          | {:too_large, size :: pos_integer()}
          | {:raised, :error | :exit | :throw, term(), Exception.stacktrace()}

  @doc "A child of a supervisor that keeps a channel, with the transport's options."
  @callback child_spec(keyword()) :: Supervisor.child_spec()

  @doc """
  Calls the method at `path` (`"/package.Service/Method"`) with an encoded message; the options are
  those of `t:SynapseBridge.Channel.call_option/0`.
  """
  @callback unary(channel(), path :: String.t(), request :: iodata(), keyword()) ::
              Response.result()

  @doc """
  Opens a call that streams. `request` is the one encoded message, or `{:stream, first}` where
  messages follow; `first` is `nil` if the first one does too.
  """
  @callback open_stream(
              channel(),
              path :: String.t(),
              request :: iodata() | {:stream, first :: iodata() | nil},
              keyword()
            ) :: {:ok, exchange()} | {:error, Status.t()}

  @doc """
  Starts a process that sends what `encode` makes of each item and its index, and ends as
  `t:produced/0` says, or with the call.
  """
  @callback produce(
              exchange(),
              Enumerable.t(),
              encode ::
                (term(), non_neg_integer() ->
                   {:ok, iodata()} | {:invalid, [Violation.t(), ...]})
            ) :: {pid(), monitor :: reference()}

  @doc """
  Waits for the next messages, or the end of the call, after which nothing is left of it. The others
  are monitors of processes that the caller wants to hear of too.
  """
  @callback next(exchange(), reference() | nil, reference() | nil) ::
              {:messages, [binary(), ...], exchange()}
              | {:stopped, reference(), reason :: term(), exchange()}
              | {:done, trailers :: Metadata.t()}
              | {:error, Status.t()}

  @doc "Whether the process that carries the call is there."
  @callback alive?(exchange()) :: boolean()

  @doc "Ends a call, whatever its state: the server is told, and nothing more comes of it."
  @callback cancel(exchange()) :: :ok

  @doc """
  A child of a supervisor. The option `:transport` says what is to carry the calls; the others are for
  that.
  """
  @spec child_spec(keyword()) :: Supervisor.child_spec()
  def child_spec(options) do
    {transport, options} = Keyword.pop(options, :transport, Channel)
    loaded!(transport).child_spec(options)
  end

  @doc "The transport of a channel, and what it knows the channel by."
  @spec find(term()) :: {module(), channel()}
  def find(%{__struct__: GRPC.Channel} = channel),
    do: {loaded!(SynapseBridge.Transport.GRPC), channel}

  def find(channel) do
    # The built-in one does not register: it looks up the same name in its own way.
    case :persistent_term.get({__MODULE__, channel}, nil) do
      nil -> {Channel, channel}
      found -> found
    end
  end

  @doc "Lets calls on `channel`, a name or a pid, go through `transport`."
  @spec register(atom() | pid(), module(), channel()) :: :ok
  def register(channel, transport, known_by),
    do: :persistent_term.put({__MODULE__, channel}, {transport, known_by})

  @doc "Takes back what `register/3` did."
  @spec unregister(atom() | pid()) :: boolean()
  def unregister(channel), do: :persistent_term.erase({__MODULE__, channel})

  defp loaded!(transport) do
    if is_atom(transport) and Code.ensure_loaded?(transport) and
         function_exported?(transport, :open_stream, 4) do
      transport
    else
      raise ArgumentError, "channel option :transport: " <> missing(transport)
    end
  end

  defp missing(SynapseBridge.Transport.GRPC) do
    "SynapseBridge.Transport.GRPC is only there where the runtime was compiled with the library " <>
      "grpc: add {:grpc, \"~> 1.0\"} to your dependencies, set SYNAPSE_BRIDGE_GRPC=hex, and run " <>
      "mix deps.get and mix deps.compile synapse_bridge --force"
  end

  defp missing(other),
    do: "expected a module with the callbacks of SynapseBridge.Transport, got #{inspect(other)}"
end
