defmodule SynapseBridge.Channel.Connector do
  @moduledoc """
  The process of a channel: it keeps the channel connected, and calls wait here for a connection.

  For each server it has `pool_size` slots (`SynapseBridge.Channel.Slot`). Each is on its own: it has
  a connection that takes calls, or an attempt to make it, or a pause before the next attempt.
  Connections that finish their last calls live on beside that. The process is linked to all of them.
  A connection that is lost is replaced at once; after an attempt that fails, or when connections do
  not last a second, there is a pause (`SynapseBridge.Channel.Backoff`). Which servers there are may
  change, as resolvers say (`SynapseBridge.Channel.Resolver`).

  A call that finds no connection waits while there is a first attempt under way. Once all have
  failed, calls fail at once with the reason, until there is a connection again; those that
  `wait_for_ready` go on waiting.
  """

  use GenServer

  alias SynapseBridge.Channel.{
    Backoff,
    Balancer,
    Call,
    Connection,
    Health,
    Options,
    Resolver,
    Slot,
    Table,
    Waiting
  }

  alias SynapseBridge.{Status, Telemetry}
  alias SynapseBridge.Transport.Target

  require Logger

  # In milliseconds. Connections that end sooner count as failed attempts.
  @settled_after 1_000

  # `slots` is by id, `ids` by the process of the connection, `sources` by what they resolve: each is
  # a map of its process, its servers and its failure.
  @enforce_keys [:table]
  defstruct [:table, slots: %{}, ids: %{}, sources: %{}, waiting: %Waiting{}]

  @doc """
  Starts a channel with checked options; it connects on its own. `supervisor` is what else it is
  known by.
  """
  @spec start_link(Options.t(), supervisor :: pid() | nil) :: GenServer.on_start()
  def start_link(%Options{name: name} = options, supervisor \\ nil) do
    GenServer.start_link(__MODULE__, {options, supervisor}, if(name, do: [name: name], else: []))
  end

  @doc """
  A connection that takes calls. The caller waits for it if it may: see the moduledoc.
  """
  @spec checkout(Table.t(), wait_for_ready :: boolean(), Call.deadline()) ::
          {:ok, pid()} | {:error, Status.t()} | :timeout | :stopped
  def checkout(%Table{connector: connector} = table, wait_for_ready?, deadline) do
    timeout = deadline |> Call.remaining() |> Call.receive_timeout()

    with :ready <- GenServer.call(connector, {:checkout, wait_for_ready?, deadline}, timeout) do
      # It may have gone on the way to here.
      case Table.connection(table) do
        nil -> checkout(table, wait_for_ready?, deadline)
        connection -> {:ok, connection}
      end
    end
  catch
    :exit, {:timeout, _call} -> :timeout
    :exit, _reason -> :stopped
  end

  @impl true
  def init({options, supervisor}) do
    Process.flag(:trap_exit, true)
    Telemetry.detect()
    state = %__MODULE__{table: Table.register(options, supervisor)}
    {resolved, servers} = Enum.split_with(options.targets, &match?({:dns, _name}, &1.address))
    state = Enum.reduce(resolved, state, &resolve(&2, &1))
    state = Enum.reduce(managed(options), state, &put_source(&2, {:server, &1}, nil))
    {:ok, Enum.reduce(Enum.uniq(servers), state, &add(&2, &1))}
  end

  @impl true
  def handle_call({:checkout, wait?, deadline}, from, state) do
    cond do
      Table.ready?(state.table) ->
        {:reply, :ready, state}

      not wait? and not hopeful?(state) ->
        {:reply, {:error, unavailable(state)}, state}

      state.waiting.count < state.table.options.max_queue ->
        {:noreply, %{state | waiting: Waiting.add(state.waiting, from, wait?, deadline)}}

      true ->
        {:reply, {:error, queue_full(state)}, state}
    end
  end

  @impl true
  def handle_info({:connected, pid}, state) do
    with_slot(state, pid, fn slot ->
      since = System.monotonic_time(:millisecond)
      Table.note(state.table, pid, :target, to_string(slot.target))
      event(state, slot, :up, %{system_time: System.system_time()}, %{})

      case state.table.options.health_check do
        false ->
          ready(state, slot, pid, since)

        settings ->
          Health.start_link(state.table, pid, settings)
          put(state, %{slot | phase: {:checking, pid, since}})
      end
    end)
  end

  def handle_info({:health, pid, health}, state) do
    with_slot(state, pid, fn %{phase: {_phase, pid, since}} = slot ->
      case health do
        :serving -> ready(state, slot, pid, since)
        {:not_serving, text} -> not_serving(state, slot, pid, since, text)
      end
    end)
  end

  def handle_info({:draining, pid, text}, state) do
    with_slot(state, pid, &(state |> replace(&1, text) |> publish()))
  end

  def handle_info({:EXIT, pid, reason}, state) when is_map_key(state.ids, pid) do
    with_slot(state, pid, &(state |> replace(&1, text(reason)) |> publish()))
  end

  # Perhaps a resolver; else a connection that was draining, or what watched over one.
  def handle_info({:EXIT, pid, _reason}, state) do
    case Enum.find(state.sources, fn {_key, source} -> source.process == pid end) do
      {target, _source} -> {:noreply, resolve(state, target)}
      nil -> {:noreply, state}
    end
  end

  def handle_info({:connect, id, timer}, state) do
    case state.slots do
      %{^id => %{phase: {:pausing, ^timer}} = slot} -> {:noreply, connect(state, slot)}
      %{} -> {:noreply, state}
    end
  end

  def handle_info({:source, key, process}, state) do
    {:noreply, state |> endpoints(key, {:ok, []}) |> put_source(key, process)}
  end

  def handle_info({:endpoints, key, result}, state) when is_map_key(state.sources, key) do
    {:noreply, endpoints(state, key, result)}
  end

  # Messages that came too late.
  def handle_info(_message, state), do: {:noreply, state}

  @impl true
  def terminate(_reason, state), do: Table.unregister(state.table)

  # Connections that are not in a slot any more finish their last calls.
  defp with_slot(state, pid, fun) do
    case state.ids do
      %{^pid => id} -> {:noreply, fun.(Map.fetch!(state.slots, id))}
      %{} -> {:noreply, state}
    end
  end

  defp put(state, slot), do: %{state | slots: Map.put(state.slots, slot.id, slot)}

  # Servers that come and go

  defp resolve(state, target) do
    {:ok, resolver} = Resolver.start_link(target, state.table.options.resolve_interval)
    servers = get_in(state.sources, [target, :servers]) || []
    put_source(state, target, resolver, servers)
  end

  defp managed(%{server: nil}), do: []
  defp managed(%{server: server}), do: 1..server.count

  defp put_source(state, key, process, servers \\ []) do
    source = %{process: process, servers: servers, failure: nil}
    %{state | sources: Map.put(state.sources, key, source)}
  end

  # A server that has ended; it says so in the log itself.
  defp endpoints(state, {:server, _number} = key, {:error, text}) do
    state = endpoints(state, key, {:ok, []})
    put_in(state.sources[key].failure, text) |> turn_away()
  end

  # The addresses that were found before are better than none.
  defp endpoints(state, target, {:error, text}) do
    if state.sources[target].failure == nil,
      do: Logger.warning("#{target}: #{text}; trying again")

    put_in(state.sources[target].failure, text) |> turn_away()
  end

  defp endpoints(state, key, {:ok, servers}) do
    source = %{state.sources[key] | servers: servers, failure: nil}
    before = servers(state)
    state = %{state | sources: Map.put(state.sources, key, source)}
    now = servers(state)
    state = Enum.reduce(before -- now, state, &remove(&2, &1))
    state = Enum.reduce(now -- before, state, &add(&2, &1))
    publish(state)
  end

  defp servers(state) do
    static = Enum.reject(state.table.options.targets, &match?({:dns, _name}, &1.address))
    Enum.uniq(static ++ Enum.flat_map(state.sources, fn {_key, source} -> source.servers end))
  end

  defp add(state, target) do
    %{pool_size: size, balance: balance} = state.table.options

    Enum.reduce(1..size, state, fn number, state ->
      load = if balance == :least_loaded, do: Balancer.new_load()
      connect(state, %Slot{id: {number, target}, target: target, load: load})
    end)
  end

  defp remove(state, target) do
    {gone, slots} = Enum.split_with(state.slots, fn {_id, slot} -> slot.target == target end)
    pids = for {_id, slot} <- gone, pid = Slot.pid(slot), do: pid
    for {_id, slot} <- gone, do: down(state, slot, "the server is not there any more")
    for pid <- pids, do: Table.forget(state.table, pid)
    Enum.each(pids, &Connection.retire/1)
    %{state | slots: Map.new(slots), ids: Map.drop(state.ids, pids)}
  end

  # Connections

  defp connect(state, %{load: load} = slot) do
    load = load && Balancer.new_load()
    {:ok, pid} = Connection.start_link(state.table, slot.target, load)
    slot = %{slot | phase: {:connecting, pid}, load: load}
    put(%{state | ids: Map.put(state.ids, pid, slot.id)}, slot)
  end

  defp replace(state, %{phase: {:connecting, pid}} = slot, text) do
    pause(forget(state, pid), slot, text)
  end

  defp replace(state, %{phase: {_checking_or_ready, pid, since}} = slot, text) do
    state = forget(state, pid)
    down(state, slot, text)
    tell_owner(state, {:lost, slot.target})
    resolve_again(state)
    settled? = System.monotonic_time(:millisecond) - since >= @settled_after

    cond do
      settled? -> connect(state, %{slot | failures: 0})
      # Once at once, so that a server may restart whenever it likes; then it is a habit.
      slot.failures == 0 -> connect(state, %{slot | failures: 1})
      true -> pause(state, slot, text)
    end
  end

  defp forget(state, pid) do
    Table.withdraw(state.table, pid)
    Table.forget(state.table, pid)
    %{state | ids: Map.delete(state.ids, pid)}
  end

  defp resolve_again(state) do
    for {%Target{}, source} <- state.sources, do: Resolver.again(source.process)
  end

  defp pause(state, slot, text) do
    failures = slot.failures + 1
    delay = Backoff.delay(state.table.options.backoff, failures)
    resolve_again(state)

    warn(state, slot, "#{text}; trying again in #{delay} ms")

    timer = make_ref()
    Process.send_after(self(), {:connect, slot.id, timer}, delay)
    slot = %{slot | phase: {:pausing, timer}, failures: failures, failure: text}
    state |> put(slot) |> turn_away()
  end

  defp down(state, %{phase: {_checking_or_ready, _pid, since}} = slot, text) do
    passed = System.monotonic_time(:millisecond) - since
    duration = System.convert_time_unit(passed, :millisecond, :native)
    event(state, slot, :down, %{duration: duration}, %{reason: text})
  end

  defp down(_state, _slot, _text), do: :ok

  defp event(state, slot, name, measurements, metadata) do
    if Telemetry.listened?() do
      metadata =
        Map.merge(metadata, %{channel: Table.name(state.table), target: "#{slot.target}"})

      Telemetry.execute([:connection, name], measurements, metadata)
    end
  end

  # Once per outage; later attempts, and other connections, would say the same.
  defp warn(state, slot, text) do
    unless Enum.any?(state.slots, fn {_, s} -> s.target == slot.target and s.failure != nil end),
      do: Logger.warning("no connection to #{slot.target}: #{text}")
  end

  defp ready(state, slot, pid, since) do
    if slot.failure, do: Logger.info("connected to #{slot.target} again")
    tell_owner(state, {:serving, slot.target})
    state |> put(%{slot | phase: {:ready, pid, since}, failure: nil}) |> publish()
  end

  # The connection stays, and with it the calls that it has.
  defp not_serving(state, slot, pid, since, text) do
    Table.withdraw(state.table, pid)
    warn(state, slot, text)
    slot = %{slot | phase: {:checking, pid, since}, failure: text}
    state |> put(slot) |> publish() |> turn_away()
  end

  # A managed server wants to know.
  defp tell_owner(state, {_what, target} = message) do
    for {{:server, _number}, %{process: process, servers: [^target]}} <- state.sources,
        do: send(process, message)
  end

  defp publish(state) do
    ready = state.slots |> Enum.sort() |> Enum.map(&elem(&1, 1)) |> Enum.filter(&Slot.ready?/1)
    Table.publish(state.table, Enum.map(ready, &Slot.member/1))

    if ready == [],
      do: state,
      else: %{state | waiting: Waiting.answer(state.waiting, :ready)}
  end

  # Calls that wait

  # Whether a connection may come about without a pause.
  defp hopeful?(state) do
    Enum.any?(state.slots, fn {_id, slot} -> slot.failure == nil end) or
      Enum.any?(state.sources, fn {_, source} ->
        source.servers == [] and source.failure == nil
      end)
  end

  defp turn_away(state) do
    if hopeful?(state) do
      state
    else
      Table.put_failure(state.table, failure(state))
      %{state | waiting: Waiting.turn_away(state.waiting, {:error, unavailable(state)})}
    end
  end

  defp text({:shutdown, {:lost, text}}), do: text
  defp text(reason), do: "its process ended: " <> Exception.format_exit(reason)

  defp unavailable(state) do
    Status.local(
      :unavailable,
      "no connection to #{failure(state)}. " <>
        "It is tried again; wait_for_ready: true makes calls wait for it"
    )
  end

  # Each server, and why there is no connection to it.
  defp failure(state) do
    slots = for {_id, %{failure: text} = slot} when text != nil <- state.slots, do: slot
    sources = for {key, %{failure: text}} when text != nil <- state.sources, do: {key, text}
    sources = Enum.map(sources, fn {key, text} -> {name(state, key), text} end)

    slots
    |> Enum.uniq_by(& &1.target)
    |> Enum.map(&{&1.target, &1.failure})
    |> Kernel.++(sources)
    |> Enum.map_join("; ", fn {target, text} -> "#{target}: #{text}" end)
  end

  defp name(state, {:server, _number}), do: state.table.label
  defp name(_state, target), do: target

  defp queue_full(state) do
    Status.local(
      :resource_exhausted,
      "#{state.waiting.count} calls wait already for a connection to #{state.table.label}: " <>
        "make fewer calls at a time, or raise the channel's option max_queue"
    )
  end
end
