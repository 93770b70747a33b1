defmodule SynapseBridge.Channel.Admission do
  @moduledoc """
  Which calls a connection sends now, which wait, and which it sends away.

  A call goes out if the server takes one more stream, and else waits in a queue of bounded length, all
  kinds of call in one order. The functions take the state of `SynapseBridge.Channel.Connection`, of
  which they change `http2`, `streams`, `queue`, `queued`, `taken`, `reserve` and `answered`.

  grpcio counts a stream for some time after its response, and near its limit it refuses those that
  take its place. So each refusal leaves one stream more free, `reserve` of them in all, and many
  answers one less.
  """

  alias SynapseBridge.Channel.{Call, Failure, Streams, Table}
  alias SynapseBridge.HTTP2.Connection
  alias SynapseBridge.Transport.Request

  @answers_per_refusal 500

  @typep state :: SynapseBridge.Channel.Connection.t()

  @doc """
  Takes a call from the mailbox at the time `now`, and adds to `out` what there is to write.
  """
  @spec take(Call.t(), state(), iodata(), now :: integer()) :: {state(), iodata()}
  def take(call, state, out, now)

  # It was in the mailbox for so long that its caller has given up. An integer is less than :infinity.
  def take(%{deadline: deadline}, state, out, now) when deadline <= now, do: {count(state), out}

  def take(call, state, out, _now) do
    %{http2: http2} = state = count(state)

    cond do
      room?(state) -> send_call(call, state, out)
      http2.phase == :draining -> refuse(call, state, out, {:retry, :unsent})
      state.queued < state.table.options.max_queue -> enqueue(call, state, out)
      true -> refuse(call, state, out, {:error, queue_full(state)})
    end
  end

  defp queue_full(state),
    do: Failure.queue_full(state.queued, state.http2.settings.max_concurrent_streams)

  defp count(%{load: nil} = state), do: state
  defp count(state), do: %{state | taken: state.taken + 1}

  # `reserve` streams stay free, but never all of them.
  defp room?(%{http2: http2, reserve: 0}), do: Connection.available(http2) > 0

  defp room?(%{http2: http2, reserve: reserve}) do
    available = Connection.available(http2)
    available > reserve or (available > 0 and http2.streams == %{})
  end

  defp refuse(call, state, out, answer) do
    Call.answer(call.ref, answer)
    {state, out}
  end

  defp enqueue(call, state, out) do
    {%{state | queue: :queue.in(call, state.queue), queued: state.queued + 1}, out}
  end

  defp send_call(call, %{http2: http2} = state, out) do
    limit = http2.settings.max_header_list_size

    if call.list_size > limit do
      refuse(call, state, out, {:error, Failure.metadata_too_large(call, limit)})
    else
      {head, _list_size} = state.table.head
      {path, size} = Request.path(call.path)
      size = byte_size(head) + size + byte_size(call.timeout) + byte_size(call.metadata)
      {state, frames} = open(call, [head, path, call.timeout | call.metadata], size, state)

      state =
        if state.http2.phase == :open, do: state, else: drain(state, "its stream ids are used up")

      {state, [out | frames]}
    end
  end

  defp open(%{stream: nil} = call, block, size, state) do
    owner = {call.ref, call.caller}
    {http2, frames} = Connection.open(state.http2, owner, block, size, call.body)
    {%{state | http2: http2}, frames}
  end

  defp open(%{ref: ref} = call, block, size, state) do
    {http2, id, frames} = Connection.open_stream(state.http2, ref, block, size)
    streams = Streams.put(state.streams, call, id)
    send(ref, {ref, :opened})
    {streams, http2, data} = Streams.act(streams, http2, ref, {:send, call.body, call.stream})
    {%{state | http2: http2, streams: streams}, [frames | data]}
  end

  @doc "Sends calls from the queue, as far as the server takes more."
  @spec release(state(), iodata()) :: {state(), iodata()}
  def release(%{queued: 0} = state, out), do: {state, out}

  def release(%{http2: http2} = state, out) do
    cond do
      room?(state) ->
        {{:value, call}, queue} = :queue.out(state.queue)
        state = %{state | queue: queue, queued: state.queued - 1}
        {state, out} = send_queued(call, Call.remaining(call.deadline), state, out)
        release(state, out)

      http2.phase == :open ->
        {state, out}

      true ->
        {turn_away(state), out}
    end
  end

  # The time in the queue counts.
  defp send_queued(_call, 0, state, out), do: {state, out}

  defp send_queued(call, time, state, out) do
    {timeout, _size} = Request.timeout(time)
    send_call(%{call | timeout: timeout}, state, out)
  end

  @doc "Sends the calls in the queue back to their callers, who may try another connection."
  @spec turn_away(state()) :: state()
  def turn_away(state) do
    for call <- :queue.to_list(state.queue), do: Call.answer(call.ref, {:retry, :unsent})
    %{state | queue: :queue.new(), queued: 0}
  end

  @doc "Takes the calls out of the queue whose references satisfy `leaves?`."
  @spec leave(state(), (reference() -> boolean())) :: state()
  def leave(%{queued: 0} = state, _leaves?), do: state

  def leave(state, leaves?) do
    queue = :queue.filter(&(not leaves?.(&1.ref)), state.queue)
    %{state | queue: queue, queued: :queue.len(queue)}
  end

  @doc "The server has refused a call, as one too many."
  @spec refused(state()) :: state()
  def refused(state), do: %{state | reserve: state.reserve + 1, answered: 0}

  @doc "The server has answered a call."
  @spec answered(state()) :: state()
  def answered(%{reserve: 0} = state), do: state

  def answered(%{answered: answered} = state) when answered < @answers_per_refusal do
    %{state | answered: answered + 1}
  end

  def answered(state), do: %{state | reserve: state.reserve - 1, answered: 0}

  @doc "Takes no more calls, for the reason in `text`."
  @spec drain(state(), String.t()) :: state()
  def drain(state, text) do
    # First: a caller that is sent away must not come back.
    Table.withdraw(state.table, self())
    send(state.connector, {:draining, self(), text})
    state
  end
end
