defmodule SynapseBridge.Client.Session do
  @moduledoc false
  # A call of a function that streams, in the process that makes it: values in, values out.

  alias SynapseBridge.Client.Rpc
  alias SynapseBridge.{Error, Status, Transport}

  @enforce_keys [:rpc, :transport, :exchange]
  defstruct [:rpc, :transport, :exchange, :producer, :owner, :failure]

  @type t :: %__MODULE__{
          rpc: Rpc.t(),
          transport: module(),
          exchange: Transport.exchange(),
          producer: {pid(), reference()} | nil,
          owner: reference() | nil,
          failure: Exception.t() | nil
        }

  @typedoc "A call that was checked: `items` is what there is to stream, `nil` if nothing."
  @type prepared :: {Rpc.t(), request :: struct(), items :: Enumerable.t() | nil, keyword()}

  @doc "Makes the call. `owner` monitors a process that the call is to end with."
  @spec open(prepared(), owner :: reference() | nil) :: {:ok, t()} | {:error, Exception.t()}
  def open({rpc, request, items, options}, owner \\ nil) do
    {channel, options} = Keyword.pop(options, :channel, rpc.channel)
    {transport, channel} = Transport.find(channel)
    options = Rpc.options(rpc, options)

    case transport.open_stream(channel, rpc.path, message(rpc, request), options) do
      {:ok, exchange} ->
        session = %__MODULE__{rpc: rpc, transport: transport, exchange: exchange, owner: owner}
        {:ok, produce(session, items)}

      {:error, status} ->
        {:error, Rpc.error(rpc, status)}
    end
  end

  defp message(%{streamed: nil} = rpc, request), do: rpc.request.encode(request)

  # Where the stream is the only parameter, each message has an item.
  defp message(rpc, request) do
    case rpc.request.__synapse__(:fields) do
      [_streamed] -> {:stream, nil}
      _fields -> {:stream, rpc.request.encode(request)}
    end
  end

  defp produce(%{rpc: %{streamed: nil}} = session, _items), do: session

  defp produce(%{rpc: rpc} = session, items) do
    producer = session.transport.produce(session.exchange, items, &rpc.request.__item__/2)
    %{session | producer: producer}
  end

  @doc """
  Waits for the next items, or for the end of the call, after which nothing is left of it.

  What the streamed argument has raised is raised again, once the call is cancelled.
  """
  @spec next(t()) ::
          {:items, [term(), ...], t()} | :done | {:error, Exception.t()} | :owner_down
  def next(%__MODULE__{failure: nil, owner: owner} = session) do
    case session.transport.next(session.exchange, monitor(session), owner) do
      {:messages, messages, exchange} ->
        decode(messages, [], %{session | exchange: exchange})

      {:stopped, ^owner, _reason, _exchange} ->
        close(session)
        :owner_down

      {:stopped, _producer, reason, exchange} ->
        stopped(reason, %{session | exchange: exchange, producer: nil})

      {:done, _trailers} ->
        stop_producer(session)
        :done

      {:error, status} ->
        stop_producer(session)
        {:error, Rpc.error(session.rpc, status)}
    end
  end

  def next(%__MODULE__{failure: failure} = session) do
    close(session)
    {:error, failure}
  end

  defp monitor(%{producer: nil}), do: nil
  defp monitor(%{producer: {_pid, monitor}}), do: monitor

  # Items before one that cannot be read are not lost.
  defp decode([message | messages], items, %{rpc: rpc} = session) do
    case {rpc.response.decode(message), rpc.result} do
      {{:ok, %{result: item}}, :value} -> decode(messages, [item | items], session)
      {{:ok, _empty}, :none} -> decode(messages, [nil | items], session)
      {{:error, violations}, _result} -> undecodable(violations, items, session)
    end
  end

  defp decode([], items, session), do: {:items, Enum.reverse(items), session}

  defp undecodable(violations, items, session) do
    session = %{session | failure: Error.undecodable(violations)}
    if items == [], do: next(session), else: {:items, Enum.reverse(items), session}
  end

  defp stopped(:normal, session), do: next(session)
  # The connection has stopped it, and says why to the call itself.
  defp stopped({:shutdown, _reason}, session), do: next(session)

  defp stopped({:raised, kind, reason, stacktrace}, session) do
    close(session)
    :erlang.raise(kind, reason, stacktrace)
  end

  defp stopped(reason, session) do
    if session.transport.alive?(session.exchange) do
      close(session)
      {:error, failure(reason)}
    else
      # It died with the connection's process, and that is what the call is told.
      next(session)
    end
  end

  defp failure({:invalid, violations}), do: Error.invalid_item(violations)

  defp failure({:too_large, size}) do
    :resource_exhausted
    |> Status.local("an item of the streamed argument has #{size} bytes; gRPC allows 4 GiB")
    |> Error.from_status()
  end

  defp failure(reason) do
    text = "the process that read the streamed argument ended: "
    Error.from_status(Status.local(:cancelled, text <> Exception.format_exit(reason)))
  end

  @doc "Ends the call: the server is told."
  @spec close(t()) :: :ok
  def close(session) do
    session.transport.cancel(session.exchange)
    stop_producer(session)
  end

  defp stop_producer(%{producer: nil}), do: :ok

  defp stop_producer(%{producer: {producer, monitor}}) do
    Process.exit(producer, :kill)
    Process.demonitor(monitor, [:flush])
    :ok
  end
end
