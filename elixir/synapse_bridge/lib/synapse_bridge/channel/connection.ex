defmodule SynapseBridge.Channel.Connection do
  @moduledoc """
  The process of one connection: it connects once, carries calls, and ends with the connection.

  Callers send it their calls directly and get one message each; those of streams get a message for
  each packet that has something for them. What waits in the mailbox to be sent is written together,
  up to 32 of it at a time; what arrives is handled as it comes. The protocol itself is a value,
  `SynapseBridge.HTTP2.Connection`.

  Its life, as `SynapseBridge.Channel.Connector` sees it:

    * `{:connected, pid}` once the server's SETTINGS have arrived
    * `{:draining, pid, text}` when the server wants no more calls; those under way are finished
    * its exit, `{:shutdown, {:lost, text}}`, in every ordinary case

  However it ends, each of its calls is answered first. A call in its mailbox that it never looked at
  gets the `:DOWN`, and its caller knows that it can try again.

  A call ends early by its deadline or by the death of its caller, and the server is told through
  RST_STREAM(CANCEL). Deadlines are the caller's task. Callers of streams are monitored. A monitor for
  each unary call would cost all calls, and few callers die: so dead ones are looked for every 40 ms,
  among the calls that were there the last time already.
  """

  use GenServer, restart: :temporary

  alias SynapseBridge.Channel.{Admission, Balancer, Call, Failure, Keepalive, Streams, Table}
  alias SynapseBridge.HTTP2.{Connection, ErrorCode, Frame}
  alias SynapseBridge.Transport.{Response, Socket, Target, TLS}

  @batch 32
  # Twice this is how long the server goes on at most for a caller that is dead.
  @sweep_interval 40
  @ping Frame.ping("keepaliv")

  # In words: room for a packet full of responses and what becomes of them, so that garbage is not
  # collected in the middle of it. Saves a quarter of the CPU time of a call for half a megabyte.
  @memory [min_heap_size: 50_000, min_bin_vheap_size: 200_000]
  # Of a message on the wire, before the message itself.
  @prefix_size 5

  @enforce_keys [:table, :target, :connector]
  defstruct [
    :table,
    :target,
    :load,
    :connector,
    :socket,
    :http2,
    :settings_timer,
    # Ids of streams: those below it have been swept before. `nil` while there is nothing to sweep.
    :swept,
    streams: %{},
    closing: "no call was left on it",
    queue: :queue.new(),
    queued: 0,
    taken: 0,
    keepalive: nil,
    reserve: 0,
    answered: 0
  ]

  @typedoc "The process's state; `SynapseBridge.Channel.Admission` works on it as well."
  @type t :: %__MODULE__{}

  @doc """
  Starts a process, linked to the caller, that connects to `target` as the channel's options say.
  With a `load`, it notes there how many of its calls are over.
  """
  @spec start_link(Table.t(), Target.t(), Balancer.load() | nil) :: {:ok, pid()}
  def start_link(%Table{} = table, target, load \\ nil) do
    state = %__MODULE__{table: table, target: target, load: load, connector: self()}
    GenServer.start_link(__MODULE__, state, spawn_opt: @memory)
  end

  @doc "Lets the connection finish the calls that it has, and then end."
  @spec retire(pid()) :: :retire
  def retire(connection), do: send(connection, :retire)

  @impl true
  def init(state), do: {:ok, state, {:continue, :connect}}

  @impl true
  def handle_continue(:connect, state) do
    %{tls: tls, connect_timeout: timeout} = options = state.table.options
    started = System.monotonic_time(:millisecond)

    case Socket.connect(state.target, tls, certificate_host(options), timeout) do
      {:ok, socket} ->
        # From here on there are calls to answer when the channel is stopped.
        Process.flag(:trap_exit, true)
        elapsed = System.monotonic_time(:millisecond) - started
        timer = Process.send_after(self(), :no_settings, max(timeout - elapsed, 0))
        open(%{state | socket: socket, settings_timer: timer})

      {:error, text} ->
        lost(state, text)
    end
  end

  # The authority is "host" or "host:port"; a certificate knows no ports.
  defp certificate_host(%{authority: nil}), do: nil
  defp certificate_host(%{authority: authority}), do: authority |> String.split(":") |> hd()

  defp open(state) do
    %{max_response_size: body, max_metadata_size: fields} = state.table.options
    {http2, out} = Connection.new(max_body: body + @prefix_size, max_header_list_size: fields)
    state = %{state | http2: http2}

    with :ok <- Socket.send(state.socket, out), :ok <- Socket.activate(state.socket) do
      {:noreply, state}
    else
      {:error, text} -> lost(state, text)
    end
  end

  @impl true
  def handle_info(%Call{} = call, state) do
    now = System.monotonic_time(:millisecond)
    {state, out} = Admission.take(call, sweeping(state), [], now)
    {state, out} = take_waiting(state, out, now, @batch - 1)
    write(state, out)
  end

  def handle_info({:stream, ref, action}, state) do
    {state, out} = act(action, ref, state, [])
    {state, out} = take_waiting(state, out, System.monotonic_time(:millisecond), @batch - 1)
    write(state, out)
  end

  # The caller has died.
  def handle_info({{:stream, ref}, _monitor, :process, _caller, _reason}, state),
    do: handle_info({:stream, ref, :cancel}, state)

  def handle_info({tag, socket, data}, %{socket: {_module, socket}} = state)
      when tag in [:tcp, :ssl] do
    {http2, out, events} = Connection.receive(state.http2, data)
    state = %{state | http2: http2, keepalive: Keepalive.heard(state.keepalive)}
    state = Enum.reduce(events, state, &event/2)
    {state, out} = if state.queued == 0, do: {state, out}, else: Admission.release(state, out)
    write(state, out)
  end

  def handle_info({tag, socket}, %{socket: {_module, socket}} = state)
      when tag in [:tcp_passive, :ssl_passive] do
    case Socket.activate(state.socket) do
      :ok -> {:noreply, state}
      {:error, text} -> lost(state, text)
    end
  end

  def handle_info({tag, socket}, %{socket: {_module, socket}} = state)
      when tag in [:tcp_closed, :ssl_closed] do
    lost(state, Socket.explain(:closed))
  end

  def handle_info({tag, socket, reason}, %{socket: {_module, socket}} = state)
      when tag in [:tcp_error, :ssl_error],
      do: lost(state, Socket.explain(reason))

  def handle_info({:cancel, ref}, state), do: cancel(state, cancelled([ref]))

  def handle_info(:sweep, %{http2: http2, queued: 0} = state)
      when map_size(http2.streams) == map_size(state.streams) do
    {:noreply, %{state | swept: nil}}
  end

  def handle_info(:sweep, %{http2: http2} = state) do
    Process.send_after(self(), :sweep, @sweep_interval)
    queued = state.queue |> :queue.to_list() |> Enum.map(&{&1.ref, &1.caller})
    calls = queued ++ Connection.owners_below(http2, state.swept)
    state = %{state | swept: http2.next_id}
    cancel(state, for({ref, caller} <- calls, not Process.alive?(caller), do: ref))
  end

  def handle_info(:keepalive, %{http2: http2} = state) do
    case Keepalive.tick(state.keepalive, map_size(http2.streams) > 0 or state.queued > 0) do
      {:dead, silence} -> lost(state, "the server did not answer a PING within #{silence} ms")
      {:wait, keepalive, time} -> write(keep_alive(state, {keepalive, time}), [])
      {:ping, keepalive, time} -> write(keep_alive(state, {keepalive, time}), @ping)
    end
  end

  # Before the SETTINGS there are no calls to finish.
  def handle_info(:retire, %{http2: %{phase: :open}} = state) do
    {state, out} = Admission.release(%{state | http2: %{state.http2 | phase: :draining}}, [])
    write(state, out)
  end

  def handle_info(:retire, %{http2: %{phase: :starting}} = state), do: lost(state, state.closing)

  def handle_info(:no_settings, %{http2: %{phase: :starting}} = state) do
    lost(state, "the server did not answer with HTTP/2 SETTINGS in time")
  end

  # Late messages of timers and of a socket that is closed.
  def handle_info(_message, state), do: {:noreply, state}

  defp sweeping(%{swept: nil} = state) do
    Process.send_after(self(), :sweep, @sweep_interval)
    %{state | swept: state.http2.next_id}
  end

  defp sweeping(state), do: state

  defp take_waiting(state, out, _now, 0), do: {state, out}

  defp take_waiting(state, out, now, count) do
    receive do
      %Call{} = call ->
        {state, out} = Admission.take(call, sweeping(state), out, now)
        take_waiting(state, out, now, count - 1)

      {:stream, ref, action} ->
        {state, out} = act(action, ref, state, out)
        take_waiting(state, out, now, count - 1)
    after
      0 -> {state, out}
    end
  end

  # What is asked of a streaming call. It may have ended already: then nothing happens.
  defp act(:expired, ref, state, out) do
    send(ref, {ref, :timeout})
    act(:cancel, ref, state, out)
  end

  defp act(:cancel, ref, %{streams: streams} = state, out) when is_map_key(streams, ref) do
    {http2, reset} = Connection.reset(state.http2, Streams.id(streams, ref))

    Admission.release(%{state | http2: http2, streams: Streams.delete(streams, ref)}, [
      out | reset
    ])
  end

  defp act(:cancel, ref, state, out), do: {Admission.leave(state, &(&1 == ref)), out}

  defp act(action, ref, state, out) do
    {streams, http2, frames} = Streams.act(state.streams, state.http2, ref, action)
    {%{state | streams: streams, http2: http2}, [out | frames]}
  end

  defp event({:response, {ref, _caller}, head, body, trailers}, state) do
    Call.answer(ref, Response.result(head, body, trailers))
    Admission.answered(state)
  end

  defp event(event, state) when elem(event, 0) in [:headers, :data, :sent] do
    Streams.deliver(state.streams, event)
    state
  end

  defp event({:end, ref, trailers}, state) do
    Call.answer(ref, {:end, trailers})
    Admission.answered(%{state | streams: Streams.delete(state.streams, ref)})
  end

  defp event({:failed, owner, reason}, state) do
    ref = ref(owner)
    Call.answer(ref, failure(reason))
    state = %{state | streams: Streams.delete(state.streams, ref)}
    if reason == :refused, do: Admission.refused(state), else: state
  end

  defp event(:ready, %{table: table} = state) do
    _ = Process.cancel_timer(state.settings_timer)
    send(state.connector, {:connected, self()})
    keep_alive(state, Keepalive.new(table.options.keepalive, Table.complaints(table)))
  end

  defp event({:goaway, code, text}, state) do
    if code == :enhance_your_calm and text == "too_many_pings", do: Table.complain(state.table)
    text = if text == "", do: "", else: ": " <> inspect(text)
    Admission.drain(state, "the server is closing it (GOAWAY, #{ErrorCode.label(code)}#{text})")
  end

  defp event({:closed, _code, text}, state), do: %{state | closing: text}

  defp failure(reason) when reason in [:refused, :unprocessed], do: {:retry, reason}
  defp failure(reason), do: {:error, Response.failure(reason)}

  defp ref({ref, _caller}), do: ref
  defp ref(ref), do: ref

  defp keep_alive(state, nil), do: state

  defp keep_alive(state, {keepalive, time}) do
    Process.send_after(self(), :keepalive, time)
    %{state | keepalive: keepalive}
  end

  # Also takes other cancellations that wait, as each means a walk over all streams.
  defp cancelled(refs) do
    receive do
      {:cancel, ref} -> cancelled([ref | refs])
    after
      0 -> refs
    end
  end

  defp cancel(state, []), do: {:noreply, state}

  defp cancel(state, refs) do
    refs = Map.from_keys(refs, true)
    {http2, out} = Connection.cancel(state.http2, &is_map_key(refs, ref(&1)))
    state = Admission.leave(%{state | http2: http2}, &is_map_key(refs, &1))
    {state, out} = Admission.release(state, out)
    write(state, out)
  end

  defp write(state, out) do
    if state.load,
      do:
        Balancer.put_over(state.load, state.taken - state.queued - map_size(state.http2.streams))

    sent = if out == [], do: :ok, else: Socket.send(state.socket, out)

    case sent do
      {:error, text} when state.http2.phase != :closed ->
        lost(state, text)

      _sent ->
        if Connection.finished?(state.http2),
          do: lost(state, state.closing),
          else: {:noreply, state}
    end
  end

  defp lost(%{http2: %{phase: :starting}} = state, text),
    do: stop(state, text <> hint(state, text))

  defp lost(state, text), do: stop(state, text)

  defp stop(state, text), do: {:stop, {:shutdown, {:lost, text}}, state}

  # A server that ends a connection before it has said anything of HTTP/2 seldom says why.
  defp hint(_state, "TLS: " <> _explained), do: ""

  defp hint(%{socket: {:ssl, _}}, _text), do: "; " <> TLS.wants_certificate()
  defp hint(_state, _text), do: "; it may want TLS (tls: true)"

  @impl true
  def terminate(_reason, %{http2: nil}), do: :ok

  def terminate(reason, state) do
    Table.withdraw(state.table, self())
    status = Failure.lost(state.target, reason)
    for owner <- Connection.owners(state.http2), do: Call.answer(ref(owner), {:error, status})
    Admission.turn_away(state)
    unless match?({:shutdown, {:lost, _text}}, reason), do: say_goodbye(state)
    Socket.close(state.socket)
  end

  defp say_goodbye(state), do: Socket.send(state.socket, Frame.goaway(:no_error, ""))
end
