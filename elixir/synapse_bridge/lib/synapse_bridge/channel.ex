defmodule SynapseBridge.Channel do
  @moduledoc """
  A supervised channel to a gRPC server, and calls on it.

      children = [
        {SynapseBridge.Channel, name: Greeter, target: "localhost:50051"}
      ]

  ## Options

  #{SynapseBridge.Channel.Options.docs()}

  A wrong option raises an `ArgumentError` when the channel starts. So does the name of a host that does
  not resolve, unless the target is a `dns:` one or the channel has `wait_for_ready: true`.

  ## When things fail

  Starting a channel does not wait for a server: it connects in the background, and again whenever
  a connection is lost, with growing pauses while that fails.

    * While no server is in reach, a call fails at once with `:unavailable` and the reason. With
      `wait_for_ready: true` it waits for a connection until its deadline. A call made during the
      first attempt waits for the outcome of that attempt in any case.
    * When a connection is lost, the calls on it, and no others, fail with `:unavailable`. The server
      may or may not have carried them out, so only idempotent ones are made again
      (`SynapseBridge.Channel.Retry`).
    * A call that the server cannot have seen (it was still waiting here), or has said that it did
      not work on (GOAWAY, REFUSED_STREAM), is sent again unnoticed, up to four times.
    * A server that closes a connection in good order (GOAWAY), or says that it is not healthy
      (`health_check`), gets no new calls on it and finishes the ones it has, while new calls take
      another connection.
    * When the server takes no more calls at once, further ones wait here, up to `max_queue`, for as
      long as their deadline allows.
    * A server that breaks the protocol loses the connection, not more. If the processes of a channel
      crash, calls under way end with `:unavailable` and the supervisor starts the channel anew.

  A deadline covers waiting, connecting and the call itself. The server is told the time that is
  left, and told to stop when it is over (`:deadline_exceeded`), or when the calling process has died,
  which is noticed within a tenth of a second. So a call is cancelled by ending its process, with
  `Task.shutdown/2` for example.
  """

  @behaviour SynapseBridge.Transport

  alias SynapseBridge.Channel.{
    Attempt,
    Call,
    CallMetadata,
    Connector,
    Exchange,
    Options,
    Producer,
    Resolver,
    Retry,
    Streaming,
    Table
  }

  alias SynapseBridge.{Server, Status, Telemetry}
  alias SynapseBridge.Transport.{Metadata, Request, Response}

  @typedoc """
    * `:timeout` - milliseconds or `:infinity`; the channel's `:timeout` by default
    * `:metadata` - pairs of a lower-case key and a value; keys that end in `-bin` have any bytes as
      value, others printable ASCII
    * `:wait_for_ready` - whether to wait for a server that is out of reach; the channel's by default
    * `:credentials` - in the place of the channel's
    * `:idempotent` - whether the call may be made again that the server may have carried out
    * `:traceparent` - the trace that the call belongs to (`SynapseBridge.Telemetry`)
    * `:client` - the module of the generated client, for events and for comparing contracts
  """
  @type call_option ::
          {:timeout, non_neg_integer() | :infinity}
          | {:metadata, Metadata.t()}
          | {:wait_for_ready, boolean()}
          | {:credentials, {:bearer, String.t() | (() -> String.t())}}
          | {:idempotent, boolean()}
          | {:traceparent, String.t()}
          | {:client, module()}

  @doc "A child of a supervisor, with the options above."
  @impl true
  @spec child_spec(keyword()) :: Supervisor.child_spec()
  def child_spec(opts) do
    spec = %{
      id: opts[:name] || __MODULE__,
      start: {__MODULE__, :start_link, [Options.seal(opts)]}
    }

    if opts[:server], do: Map.merge(spec, %{type: :supervisor, shutdown: :infinity}), else: spec
  end

  @doc "Starts a channel with the options above."
  @spec start_link(keyword()) :: GenServer.on_start()
  def start_link(opts) do
    options = Options.new!(opts)

    with {:error, text} <- Resolver.check(options.targets, options.wait_for_ready),
         do: raise(ArgumentError, "channel option #{named(opts)}: #{text}")

    if options.server == nil,
      do: Connector.start_link(options),
      else: Server.Supervisor.start_link(options)
  end

  defp named(opts), do: if(opts[:target], do: ":target", else: ":targets")

  @doc """
  Calls the method at `path` (`"/package.Service/Method"`) with an encoded message, and returns the
  encoded response with the trailing metadata.

  Metadata that is not allowed gives `:invalid_argument`; an unknown option raises.
  """
  @impl true
  @spec unary(atom() | pid(), path :: String.t(), request :: iodata(), [call_option()]) ::
          Response.result()
  def unary(channel, path, request, opts \\ []) do
    with {:ok, body} <- body(request),
         {:ok, table, call, wait?} <- prepare(channel, path, body, :timeout, opts) do
      # Those who listen may take their time.
      if Telemetry.listened?() do
        call = %{call | fresh: nil}
        Telemetry.call(table, path, call, opts, &repeated(table, &1, wait?, opts))
      else
        table |> repeated(call, wait?, opts) |> elem(0)
      end
    end
  end

  # With how often it was made again.
  defp repeated(table, call, wait?, opts) do
    case retries(table, opts) do
      false -> {Attempt.run(table, call, wait?), 0}
      settings -> Retry.run(settings, call, &Attempt.run(table, &1, wait?))
    end
  end

  defp retries(table, opts), do: Options.given(opts, :idempotent, false) and table.options.retry

  @doc """
  Opens a streaming call of the method at `path`. `request` is the one encoded message, or
  `{:stream, first}` where messages follow (`SynapseBridge.Channel.Streams.ask/3`); `first` is `nil` if
  the first one does too.

  Options and errors as for `unary/4`; but without `:timeout` the deadline is the channel's
  `:stream_timeout`. The calling process receives with `next/2`.
  """
  @impl true
  @spec open_stream(
          atom() | pid(),
          path :: String.t(),
          request :: iodata() | {:stream, first :: iodata() | nil},
          [call_option()]
        ) :: {:ok, Exchange.t()} | {:error, Status.t()}
  def open_stream(channel, path, request, opts \\ []) do
    {stream, request} =
      case request do
        {:stream, first} -> {:more, first}
        request -> {:last, request}
      end

    with {:ok, body} <- body(request),
         {:ok, table, call, wait?} <- prepare(channel, path, body, :stream_timeout, opts) do
      call = %{call | stream: stream, fresh: nil}
      span = if Telemetry.listened?(), do: Telemetry.start_call(table, path, call, opts)
      Streaming.open(table, call, wait?, span, retries(table, opts))
    end
  end

  @doc """
  Waits for the next messages of a streaming call, or for its end. After `:done` and `:error` nothing
  is left of the call.

  The others are monitors of processes that the caller wants to hear of too: `{:stopped, monitor,
  reason, exchange}` says that one has ended. A call may be made again unnoticed
  (`SynapseBridge.Channel.Streaming`).
  """
  @impl true
  @spec next(Exchange.t(), reference() | nil, reference() | nil) ::
          {:messages, [binary(), ...], Exchange.t()}
          | {:stopped, reference(), reason :: term(), Exchange.t()}
          | {:done, trailers :: Metadata.t()}
          | {:error, Status.t()}
  def next(%Exchange{} = exchange, one \\ nil, other \\ nil),
    do: Streaming.next(exchange, one, other)

  @doc """
  Starts a process that goes through `items` and sends the messages that `encode` makes of them, as
  `c:SynapseBridge.Transport.produce/3` says.
  """
  @impl true
  @spec produce(Exchange.t(), Enumerable.t(), Producer.encode()) ::
          {pid(), monitor :: reference()}
  def produce(%Exchange{connection: connection, ref: ref}, items, encode),
    do: Producer.start(connection, ref, items, encode)

  @doc "Whether the connection of a streaming call is there."
  @impl true
  @spec alive?(Exchange.t()) :: boolean()
  def alive?(%Exchange{connection: connection}), do: Process.alive?(connection)

  @doc "Ends a streaming call, whatever its state: the server is told, and nothing more comes of it."
  @impl true
  @spec cancel(Exchange.t()) :: :ok
  defdelegate cancel(exchange), to: Streaming

  defp body(nil), do: {:ok, ""}

  defp body(request) do
    with {:error, size} <- Request.body(request), do: {:error, request_too_large(size)}
  end

  defp prepare(channel, path, body, timeout, opts) do
    Options.call!(opts)

    with {:ok, table} <- Table.fetch(channel),
         {:ok, metadata} <- opts |> Options.given(:metadata, []) |> Metadata.encode(),
         %{options: options} = table,
         {:ok, metadata} <-
           CallMetadata.complete(metadata, options, opts, &Options.exposed/1) do
      {metadata, metadata_size} = Request.metadata(metadata)
      timeout = Options.given(opts, :timeout, Map.fetch!(options, timeout))

      call = %Call{
        caller: self(),
        client: Options.given(opts, :client, nil),
        path: path,
        metadata: metadata,
        list_size: Call.list_size(table, path) + metadata_size,
        body: body,
        allowed: timeout,
        deadline: Call.deadline(timeout),
        fresh: timeout
      }

      {:ok, table, call, Options.given(opts, :wait_for_ready, options.wait_for_ready)}
    else
      :error -> {:error, Attempt.not_running(channel)}
      {:error, text} -> {:error, Status.local(:invalid_argument, text)}
      {:denied, text} -> {:error, Status.local(:unauthenticated, text)}
    end
  end

  defp request_too_large(size) do
    Status.local(:resource_exhausted, "the request has #{size} bytes; gRPC allows 4 GiB")
  end
end
