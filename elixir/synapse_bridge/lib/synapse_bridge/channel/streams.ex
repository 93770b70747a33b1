defmodule SynapseBridge.Channel.Streams do
  @moduledoc """
  The streaming calls that a connection has open, each with what has to end with it.

  The caller of a stream is monitored, and its deadline is watched here as well, because the caller
  may be busy with what it has got. The process that produces a streamed argument is stopped when its
  call ends, however that happens.
  """

  alias SynapseBridge.Channel.Call
  alias SynapseBridge.HTTP2.{Connection, Frame}

  defmodule Entry do
    @moduledoc false
    @enforce_keys [:id, :monitor]
    defstruct [:id, :monitor, :timer, :producer]
  end

  @type t :: %{reference() => %Entry{}}

  @doc """
  Adds a call that was opened on the stream `id`. The calling process gets `{{:stream, ref}, …}` as
  its `:DOWN` when the caller dies, and `{:stream, ref, :expired}` at the deadline.
  """
  @spec put(t(), Call.t(), Frame.stream_id()) :: t()
  def put(streams, %Call{ref: ref, caller: caller, deadline: deadline}, id) do
    monitor = :erlang.monitor(:process, caller, tag: {:stream, ref})
    Map.put(streams, ref, %Entry{id: id, monitor: monitor, timer: timer(ref, deadline)})
  end

  defp timer(_ref, :infinity), do: nil

  defp timer(ref, deadline) do
    time = deadline |> Call.remaining() |> Call.receive_timeout()
    Process.send_after(self(), {:stream, ref, :expired}, time)
  end

  @typedoc """
  What can be asked of a call:

    * `{:acknowledge, size}` - to let the server send so many more bytes
    * `{:send, data, last}` - to send a part of the request; nothing comes after the `:last` one
    * `{:produce, pid}` - that the process ends with the call; at once if the call has ended. It gets
      `{ref, {:sent, size}}` when so many bytes of the request have been written
    * `:cancel` - to end it, and to tell the server
  """
  @type action ::
          {:acknowledge, pos_integer()}
          | {:send, binary(), :more | :last}
          | {:produce, pid()}
          | :cancel

  @doc "Asks `connection` to do something for a call. If that has ended, nothing happens."
  @spec ask(pid(), reference(), action()) :: :ok
  def ask(connection, ref, action) do
    send(connection, {:stream, ref, action})
    :ok
  end

  @doc "Does what was asked, except to cancel."
  @spec act(t(), Connection.t(), reference(), action()) :: {t(), Connection.t(), iodata()}
  def act(streams, http2, ref, {:acknowledge, size}) do
    {http2, out} = Connection.acknowledge(http2, id(streams, ref), size)
    {streams, http2, out}
  end

  def act(streams, http2, ref, {:send, data, last}) do
    {http2, out, events} = Connection.send(http2, id(streams, ref), data, last)
    Enum.each(events, &deliver(streams, &1))
    {streams, http2, out}
  end

  def act(streams, http2, ref, {:produce, producer}) do
    case streams do
      %{^ref => entry} ->
        {%{streams | ref => %{entry | producer: producer}}, http2, []}

      %{} ->
        stop(producer)
        {streams, http2, []}
    end
  end

  @doc "The stream of a call."
  @spec id(t(), reference()) :: Frame.stream_id() | nil
  def id(streams, ref) do
    case streams do
      %{^ref => %{id: id}} -> id
      %{} -> nil
    end
  end

  @doc "Passes an event on: to the caller, or to the producer what has been sent for it."
  @spec deliver(t(), Connection.event()) :: :ok
  def deliver(_streams, {:data, ref, bytes, size}), do: tell(ref, ref, {:data, bytes, size})
  def deliver(_streams, {:headers, ref, head}), do: tell(ref, ref, {:headers, head})

  def deliver(streams, {:sent, ref, size}) do
    case streams do
      %{^ref => %{producer: producer}} when producer != nil -> tell(producer, ref, {:sent, size})
      %{} -> :ok
    end
  end

  defp tell(receiver, ref, message) do
    send(receiver, {ref, message})
    :ok
  end

  @doc "Forgets a call that has ended, or that is no streaming call."
  @spec delete(t(), reference()) :: t()
  def delete(streams, ref) do
    case streams do
      %{^ref => entry} ->
        Process.demonitor(entry.monitor, [:flush])
        if entry.timer, do: Process.cancel_timer(entry.timer, async: true, info: false)
        if entry.producer, do: stop(entry.producer)
        Map.delete(streams, ref)

      %{} ->
        streams
    end
  end

  defp stop(producer), do: Process.exit(producer, {:shutdown, :call_ended})
end
