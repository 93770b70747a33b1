defmodule SynapseBridge.Channel.Exchange do
  @moduledoc """
  A streaming call that was opened, as the process that opened it holds it.

  What the server sends comes to that process as messages, and only that process can use the value.
  The server may send ahead as far as the stream's window goes; the window moves on as `next/1` is
  called, because that says that what came before has been dealt with.
  """

  alias SynapseBridge.Channel.{Call, Streams}
  alias SynapseBridge.Status
  alias SynapseBridge.Transport.{Messages, Metadata, Response}

  # Of 1 MiB that the server may send ahead: seldom enough that acknowledging costs nothing, often
  # enough that the server does not stop in between.
  @acknowledge_after 131_072
  # Of a response that is not gRPC, for the error.
  @shown 100

  @enforce_keys [:connection, :ref, :call, :again, :messages]
  defstruct [:connection, :ref, :call, :again, :messages, :head, taken: 0, wrong: ""]

  @typedoc """
    * `connection`, `ref`, `call` - as `SynapseBridge.Channel.Call.exchange/2` has opened it
    * `again` - what it takes to make the call again; opaque here
    * `messages` - the beginning of the next message
    * `head` - HTTP status and headers, once they have come
    * `taken` - bytes that the connection has not been told to be dealt with
    * `wrong` - the beginning of a body whose HTTP status says that it is not gRPC
  """
  @type t :: %__MODULE__{
          connection: pid(),
          ref: reference(),
          call: Call.t(),
          again: term(),
          messages: Messages.t() | Status.t(),
          head: {pos_integer(), Metadata.t()} | nil,
          taken: non_neg_integer(),
          wrong: binary()
        }

  @typedoc """
  The end of a call. `:retry` only comes if no message has: the server has not worked on the call.
  """
  @type ending ::
          {:done, trailers :: Metadata.t()}
          | {:error, Status.t()}
          | {:retry, :refused | :unprocessed}
          | {:down, reason :: term()}
          | :timeout

  @doc "The exchange of a call that was opened."
  @spec new(pid(), reference(), Call.t(), max_size :: pos_integer(), again :: term()) :: t()
  def new(connection, ref, call, max_size, again) do
    messages = %Messages{max_size: max_size}
    %__MODULE__{connection: connection, ref: ref, call: call, again: again, messages: messages}
  end

  @doc """
  Waits for what comes next: messages, or the end, after which nothing is left of the call.

  The others are monitors of processes that are to be heard of as well: the end of one is returned as
  `:stopped`, and the call goes on.
  """
  @spec next(t(), reference() | nil, reference() | nil) ::
          {:messages, [binary(), ...], t()}
          | {:stopped, reference(), reason :: term(), t()}
          | ending()
  def next(%__MODULE__{messages: %Status{} = status} = exchange, _one, _other) do
    cancel(exchange)
    {:error, status}
  end

  def next(%__MODULE__{} = exchange, one, other) do
    exchange |> acknowledge() |> wait(one, other)
  end

  defp acknowledge(%{taken: taken} = exchange) when taken < @acknowledge_after, do: exchange

  defp acknowledge(%{taken: taken, ref: ref} = exchange) do
    Streams.ask(exchange.connection, ref, {:acknowledge, taken})
    %{exchange | taken: 0}
  end

  defp wait(%{ref: ref, call: call} = exchange, one, other) do
    receive do
      {^ref, {:data, bytes, size}} -> data(exchange, bytes, size, one, other)
      {^ref, {:headers, head}} -> wait(%{exchange | head: head}, one, other)
      {^ref, {:end, trailers}} -> close(exchange, ended(exchange, trailers))
      {^ref, {:retry, reason}} -> close(exchange, retry(exchange, reason))
      {^ref, ending} -> close(exchange, ending)
      {:DOWN, ^ref, :process, _connection, reason} -> close(exchange, {:down, reason})
      {:DOWN, ^one, :process, _pid, reason} -> {:stopped, one, reason, exchange}
      {:DOWN, ^other, :process, _pid, reason} -> {:stopped, other, reason, exchange}
    after
      call.deadline |> Call.remaining() |> Call.receive_timeout() ->
        cancel(exchange)
        :timeout
    end
  end

  defp data(%{head: {200, _headers}} = exchange, bytes, size, one, other) do
    {messages, rest} = Messages.take(exchange.messages, bytes)
    exchange = %{exchange | messages: rest, taken: exchange.taken + size}
    if messages == [], do: next(exchange, one, other), else: {:messages, messages, exchange}
  end

  defp data(exchange, bytes, size, one, other) do
    wrong = exchange.wrong <> bytes
    wrong = binary_part(wrong, 0, min(byte_size(wrong), @shown))
    next(%{exchange | wrong: wrong, taken: exchange.taken + size}, one, other)
  end

  # A server that has answered has worked on the call, whatever it says.
  defp retry(%{head: nil}, reason), do: {:retry, reason}
  defp retry(_exchange, reason), do: {:error, Response.failure(reason)}

  defp ended(%{messages: messages, wrong: wrong} = exchange, trailers) do
    rest = if wrong == "", do: messages.parts, else: [wrong]
    with {:ok, trailers} <- Response.ended(exchange.head, rest, trailers), do: {:done, trailers}
  end

  defp close(%{ref: ref}, ending) do
    Process.demonitor(ref, [:flush])
    Call.flush(ref)
    ending
  end

  @doc "Ends the call, whatever its state: the server is told, and nothing more comes of it."
  @spec cancel(t()) :: :ok
  def cancel(%__MODULE__{connection: connection, ref: ref}), do: Call.close(connection, ref)
end
