defmodule SynapseBridge.Channel.Streaming do
  @moduledoc """
  Streaming calls, made again as long as nobody has noticed them.

  A call whose request is one message is made again unnoticed when no server has worked on it, like a
  unary one. An idempotent one is made again also after an error (`SynapseBridge.Channel.Retry`), but
  only until its first message was taken: what comes after that could come twice.
  """

  alias SynapseBridge.Channel.{Attempt, Call, Exchange, Retry, Table}
  alias SynapseBridge.{Status, Telemetry}
  alias SynapseBridge.Transport.Metadata

  @enforce_keys [:table, :call, :wait?, :span, :left, :settings]
  defstruct @enforce_keys ++ [retries: 0]

  @typedoc """
  What it takes to make a call again: the `call` as it was first, how many attempts are `left` while
  no server works on it, and the `settings` of retries, `false` when there are to be none any more.
  """
  @type t :: %__MODULE__{
          table: Table.t(),
          call: Call.t(),
          wait?: boolean(),
          span: term(),
          left: Attempt.left(),
          settings: map() | false,
          retries: non_neg_integer()
        }

  @typep event ::
           {:messages, [binary(), ...], Exchange.t()}
           | {:stopped, reference(), reason :: term(), Exchange.t()}
           | {:done, trailers :: Metadata.t()}
           | {:error, Status.t()}

  @doc "Opens a call. `span` is that of its events; `settings` are those of retries."
  @spec open(Table.t(), Call.t(), boolean(), span :: term(), settings :: map() | false) ::
          {:ok, Exchange.t()} | {:error, Status.t()}
  def open(table, %Call{stream: stream} = call, wait?, span, settings) do
    again = %__MODULE__{
      table: table,
      call: call,
      wait?: wait?,
      span: span,
      left: if(stream == :last, do: Attempt.more(), else: 0),
      settings: stream == :last and settings
    }

    open(again)
  end

  defp open(again) do
    call = Retry.counted(again.call, again.retries)

    case again.table |> Attempt.run(call, again.wait?) |> opened(call, again) do
      {:error, status} ->
        case pause(again, status) do
          {:ok, pause} ->
            Process.sleep(pause)
            open(%{again | retries: again.retries + 1})

          :no ->
            ended({:error, status}, again)
        end

      opened ->
        opened
    end
  end

  defp opened({:opened, connection, ref}, call, again) do
    {:ok, Exchange.new(connection, ref, call, again.table.options.max_response_size, again)}
  end

  defp opened({:error, _status} = error, _call, _again), do: error

  @doc "What comes next, as `c:SynapseBridge.Transport.next/3` says."
  @spec next(Exchange.t(), reference() | nil, reference() | nil) :: event()
  def next(%Exchange{again: again} = exchange, one, other) do
    case Exchange.next(exchange, one, other) do
      {:messages, messages, exchange} -> {:messages, messages, noticed(exchange)}
      {:stopped, _monitor, _reason, _exchange} = event -> event
      {:retry, reason} when again.left > 0 -> once_more(exchange, reason, one, other)
      ending -> ending(ending, exchange, one, other)
    end
  end

  # From now on an error is the caller's.
  defp noticed(%{again: %{settings: false}} = exchange), do: exchange

  defp noticed(%{again: again} = exchange),
    do: %{exchange | again: %{again | settings: false}}

  defp once_more(%{again: again, call: call}, reason, one, other) do
    outcome = Attempt.again(again.table, call, again.wait?, reason, again.left)

    case opened(outcome, call, %{again | left: again.left - 1}) do
      {:ok, exchange} -> next(exchange, one, other)
      {:error, status} -> ended({:error, status}, again)
    end
  end

  defp ending(ending, %{again: again} = exchange, one, other) do
    event = Attempt.ended(ending, again.table, exchange.connection, exchange.call)

    with {:error, status} <- event, {:ok, pause} <- pause(again, status) do
      repeat(exchange, pause, one, other)
    else
      _over -> ended(event, again)
    end
  end

  # A pause may be long, and whoever waits for the call may be gone after it.
  defp repeat(%{again: again} = exchange, pause, one, other) do
    receive do
      {:DOWN, ^one, :process, _pid, reason} -> {:stopped, one, reason, exchange}
      {:DOWN, ^other, :process, _pid, reason} -> {:stopped, other, reason, exchange}
    after
      pause ->
        again = %{again | retries: again.retries + 1, left: Attempt.more()}
        with {:ok, exchange} <- open(again), do: next(exchange, one, other)
    end
  end

  defp pause(%{settings: false}, _status), do: :no

  defp pause(again, status),
    do: Retry.pause(again.settings, status, again.call, again.retries + 1)

  @doc "Ends a call, whatever its state: the server is told, and nothing more comes of it."
  @spec cancel(Exchange.t()) :: :ok
  def cancel(%Exchange{again: again} = exchange) do
    Exchange.cancel(exchange)
    if again.span, do: Telemetry.stop_call(again.span, :cancelled, again.retries)
    :ok
  end

  defp ended(event, %{span: nil}), do: event

  defp ended(event, %{span: span, retries: retries}) do
    case event do
      {:done, _trailers} -> Telemetry.stop_call(span, :ok, retries)
      {:error, status} -> Telemetry.stop_call(span, Status.name(status.code), retries)
    end

    event
  end
end
