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
    Call,
    CallMetadata,
    Connector,
    Contract,
    Exchange,
    Options,
    Producer,
    Resolver,
    Retry,
    Table
  }

  alias SynapseBridge.{Server, Status, Telemetry}
  alias SynapseBridge.Transport.{Metadata, Request, Response}

  # For a call that nobody takes.
  @most_attempts 5
  # The longest pause before the second attempt after REFUSED_STREAM, in milliseconds.
  @first_pause 10

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
      if Telemetry.listened?(),
        do: Telemetry.call(table, path, call, opts, &repeated(table, &1, wait?, opts)),
        else: table |> repeated(call, wait?, opts) |> elem(0)
    end
  end

  # With how often it was made again.
  defp repeated(table, call, wait?, opts) do
    case Options.given(opts, :idempotent, false) and table.options.retry do
      false -> {once(table, call, wait?), 0}
      settings -> Retry.run(settings, call, &once(table, &1, wait?))
    end
  end

  defp once(table, call, wait?) do
    table
    |> attempt(call, wait?, Table.connection(table), @most_attempts)
    |> result(table, call)
  end

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
      call = %{call | stream: stream}
      span = if Telemetry.listened?(), do: Telemetry.start_call(table, path, call, opts)
      open_stream(table, call, wait?, Table.connection(table), @most_attempts, span)
    end
  end

  defp open_stream(table, call, wait?, connection, attempts, span) do
    with {:opened, connection, ref} <- attempt(table, call, wait?, connection, attempts) do
      size = table.options.max_response_size
      {:ok, Exchange.new(connection, ref, call, size, {table, wait?, attempts - 1, span})}
    end
    |> result(table, call)
    |> ended(span)
  end

  @doc """
  Waits for the next messages of a streaming call, or for its end. After `:done` and `:error` nothing
  is left of the call.

  The others are monitors of processes that the caller wants to hear of too: `{:stopped, monitor,
  reason, exchange}` says that one has ended. A call without further messages that the server has not
  worked on is made again unnoticed.
  """
  @impl true
  @spec next(Exchange.t(), reference() | nil, reference() | nil) ::
          {:messages, [binary(), ...], Exchange.t()}
          | {:stopped, reference(), reason :: term(), Exchange.t()}
          | {:done, trailers :: Metadata.t()}
          | {:error, Status.t()}
  def next(%Exchange{call: call} = exchange, one \\ nil, other \\ nil) do
    {table, wait?, attempts, span} = exchange.again

    case Exchange.next(exchange, one, other) do
      {:retry, reason} when call.stream == :last and attempts > 0 ->
        if reason == :refused, do: pause(call, @most_attempts - attempts)

        with {:ok, exchange} <- open_stream(table, call, wait?, nil, attempts, span),
             do: next(exchange, one, other)

      {:retry, reason} ->
        ended({:error, Call.not_retried(reason)}, span)

      {:down, reason} ->
        ended({:error, connection_crashed(table, reason)}, span)

      {:error, %Status{code: 1} = status} ->
        call |> cancelled(status) |> result(table, call) |> ended(span)

      event ->
        event |> noticed(table, exchange.connection, call) |> result(table, call) |> ended(span)
    end
  end

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
  def cancel(%Exchange{again: {_table, _wait?, _attempts, span}} = exchange) do
    Exchange.cancel(exchange)
    if span, do: Telemetry.stop_call(span, :cancelled, 0)
    :ok
  end

  defp ended(event, nil), do: event

  defp ended(event, span) do
    case event do
      {:done, _trailers} -> Telemetry.stop_call(span, :ok, 0)
      {:error, status} -> Telemetry.stop_call(span, Status.name(status.code), 0)
      _goes_on -> :ok
    end

    event
  end

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
      {head, head_size} = Table.head(table, path)
      {metadata, metadata_size} = Request.metadata(metadata)
      timeout = Options.given(opts, :timeout, Map.fetch!(options, timeout))

      call = %Call{
        caller: self(),
        client: Options.given(opts, :client, nil),
        path: path,
        head: head,
        metadata: metadata,
        list_size: head_size + metadata_size,
        body: body,
        allowed: timeout,
        deadline: Call.deadline(timeout)
      }

      {:ok, table, call, Options.given(opts, :wait_for_ready, options.wait_for_ready)}
    else
      :error -> {:error, not_running(channel)}
      {:error, text} -> {:error, Status.local(:invalid_argument, text)}
      {:denied, text} -> {:error, Status.local(:unauthenticated, text)}
    end
  end

  defp result(:timeout, table, call), do: {:error, deadline_exceeded(table, call.allowed)}

  defp result(:stopped, table, _call),
    do: {:error, not_running(table.options.name || table.connector)}

  defp result(result, _table, _call), do: result

  defp attempt(table, call, wait?, nil, attempts) do
    with {:ok, connection} <- Connector.checkout(table, wait?, call.deadline) do
      attempt(table, call, wait?, connection, attempts)
    end
  end

  defp attempt(table, call, wait?, connection, attempts) do
    case exchange(table, connection, call) do
      {:ok, _message, []} = result -> result
      {:retry, reason} -> attempt_again(table, call, wait?, reason, attempts)
      {:down, reason} -> connection_died(table, call, wait?, reason, attempts)
      {:error, %Status{code: 1} = status} -> cancelled(call, status)
      result -> noticed(result, table, connection, call)
    end
  end

  defp exchange(%{options: %{on_stale: :error}} = table, connection, %{client: client} = call)
       when client != nil do
    with :ok <- Contract.admit(table, connection, call), do: Call.exchange(connection, call)
  end

  defp exchange(_table, connection, call), do: Call.exchange(connection, call)

  defp noticed(result, table, connection, call) do
    case result do
      {:ok, _message, trailers} -> Contract.notice(table, connection, call, trailers)
      {:done, trailers} -> Contract.notice(table, connection, call, trailers)
      {:error, status} -> Contract.notice(table, connection, call, status.trailers)
      _other -> :ok
    end

    result
  end

  # Nothing was sent, or the server has not worked on the call: trying again does no harm.
  defp attempt_again(table, call, wait?, reason, attempts) when attempts > 1 do
    if reason == :refused, do: pause(call, @most_attempts - attempts)
    attempt(table, call, wait?, nil, attempts - 1)
  end

  defp attempt_again(_table, _call, _wait?, reason, _attempts) do
    {:error, Call.not_retried(reason)}
  end

  # A server refuses what is too much at this moment; a random pause spreads the next attempts.
  defp pause(call, earlier) do
    longest = @first_pause * Integer.pow(2, earlier)
    longest |> :rand.uniform() |> min(Call.remaining(call.deadline)) |> Process.sleep()
  end

  # A connection answers all calls that it knows of before it ends in good order, so it did not know
  # of this one.
  defp connection_died(table, call, wait?, reason, attempts)
       when reason in [:noproc, :normal, :shutdown] or elem(reason, 0) == :shutdown do
    attempt_again(table, call, wait?, :unsent, attempts)
  end

  defp connection_died(table, _call, _wait?, reason, _attempts) do
    {:error, connection_crashed(table, reason)}
  end

  defp connection_crashed(table, reason) do
    Status.local(
      :unavailable,
      "the process of the connection to #{table.label} ended during the call: " <>
        Exception.format_exit(reason)
    )
  end

  # A server that enforces the deadline may be a little faster than our own clock.
  defp cancelled(call, status) do
    if Call.remaining(call.deadline) == 0, do: :timeout, else: {:error, status}
  end

  defp not_running(channel) do
    Status.local(
      :unavailable,
      "the channel #{inspect(channel)} is not running: start it in a supervision tree, " <>
        "or give the call the channel that is"
    )
  end

  defp request_too_large(size) do
    Status.local(:resource_exhausted, "the request has #{size} bytes; gRPC allows 4 GiB")
  end

  defp deadline_exceeded(table, timeout) do
    text =
      case Table.failure(table) do
        nil -> "no response of #{table.label} within #{timeout} ms"
        text -> "no connection to #{table.label} within #{timeout} ms: #{text}"
      end

    Status.local(:deadline_exceeded, text)
  end
end
