defmodule SynapseBridge.Channel.Streams do
  @moduledoc """
  The streaming calls that a connection has open, each with what has to end with it.

  The caller of a stream is monitored, and its deadline is watched here as well, because the caller
  may be busy with what it has got. The process that produces a streamed argument is stopped when its
  call ends, however that happens.
  """

  alias SynapseBridge.Channel.Call
  alias SynapseBridge.HTTP2.Frame

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

  @doc "Makes `producer` end with the call, at once if that has ended already."
  @spec put_producer(t(), reference(), pid()) :: t()
  def put_producer(streams, ref, producer) do
    case streams do
      %{^ref => entry} ->
        %{streams | ref => %{entry | producer: producer}}

      %{} ->
        stop(producer)
        streams
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

  @doc "Tells the producer of a call that `size` bytes of what it has sent are on their way."
  @spec report_sent(t(), reference(), pos_integer()) :: :ok
  def report_sent(streams, ref, size) do
    case streams do
      %{^ref => %{producer: producer}} when producer != nil ->
        send(producer, {ref, {:sent, size}})

      %{} ->
        :none
    end

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
