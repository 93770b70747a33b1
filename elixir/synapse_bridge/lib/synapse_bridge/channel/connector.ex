defmodule SynapseBridge.Channel.Connector do
  @moduledoc """
  The process of a channel: it keeps the channel connected, and calls wait here for a connection.

  It has at most one connection that takes calls, or one attempt to make it, or a pause before the
  next attempt; beside that any number of connections that finish their last calls. It is linked to
  all of them. A connection that is lost is replaced at once; after an attempt that fails, or when
  connections do not last a second, there is a pause (`SynapseBridge.Channel.Backoff`).

  A call that finds no connection waits for the first attempt. Once an attempt has failed, calls fail
  at once with the reason, until there is a connection again; those that `wait_for_ready` go on
  waiting.
  """

  use GenServer

  alias SynapseBridge.Channel.{Backoff, Call, Connection, Options, Table}
  alias SynapseBridge.Status

  require Logger

  # In milliseconds. Connections that end sooner count as failed attempts.
  @settled_after 1_000

  # `phase` is `{:connecting, pid}`, `{:connected, pid, since}` or `{:pausing, timer}`.
  @enforce_keys [:table]
  defstruct [:table, :phase, failures: 0, failure: nil, waiting: [], waiting_count: 0]

  @doc "Starts a channel with checked options; it connects on its own."
  @spec start_link(Options.t()) :: GenServer.on_start()
  def start_link(%Options{name: name} = options) do
    GenServer.start_link(__MODULE__, options, if(name, do: [name: name], else: []))
  end

  @doc """
  A connection that takes calls. The caller waits for it if it may: see the moduledoc.
  """
  @spec checkout(Table.t(), wait_for_ready :: boolean(), Call.deadline()) ::
          {:ok, pid()} | {:error, Status.t()} | :timeout | :stopped
  def checkout(%Table{connector: connector}, wait_for_ready?, deadline) do
    timeout = deadline |> Call.remaining() |> Call.receive_timeout()
    GenServer.call(connector, {:checkout, wait_for_ready?, deadline}, timeout)
  catch
    :exit, {:timeout, _call} -> :timeout
    :exit, _reason -> :stopped
  end

  @impl true
  def init(options) do
    Process.flag(:trap_exit, true)
    {:ok, connect(%__MODULE__{table: Table.register(options)})}
  end

  @impl true
  def handle_call({:checkout, _wait?, _deadline}, _from, %{phase: {:connected, pid, _}} = state) do
    {:reply, {:ok, pid}, state}
  end

  def handle_call({:checkout, wait?, deadline}, from, state) do
    cond do
      state.failure != nil and not wait? ->
        {:reply, {:error, unavailable(state)}, state}

      state.waiting_count < state.table.options.max_queue ->
        {:noreply, wait(state, from, wait?, deadline)}

      true ->
        {:reply, {:error, queue_full(state)}, state}
    end
  end

  @impl true
  def handle_info({:connected, pid}, %{phase: {:connecting, pid}} = state) do
    if state.failure, do: Logger.info("connected to #{target(state)} again")
    Table.publish(state.table, pid)

    for {from, _wait?, _deadline} <- Enum.reverse(state.waiting),
        do: GenServer.reply(from, {:ok, pid})

    phase = {:connected, pid, System.monotonic_time(:millisecond)}
    {:noreply, %{state | phase: phase, failure: nil, waiting: [], waiting_count: 0}}
  end

  def handle_info({:draining, pid, text}, %{phase: {:connected, pid, since}} = state) do
    {:noreply, replace(state, since, text)}
  end

  def handle_info({:EXIT, pid, reason}, %{phase: {:connected, pid, since}} = state) do
    Table.withdraw(state.table, pid)
    {:noreply, replace(state, since, text(reason))}
  end

  def handle_info({:EXIT, pid, reason}, %{phase: {:connecting, pid}} = state) do
    {:noreply, pause(state, text(reason))}
  end

  def handle_info({:connect, timer}, %{phase: {:pausing, timer}} = state) do
    {:noreply, connect(state)}
  end

  # The end of a connection that was draining, and messages that came too late.
  def handle_info(_message, state), do: {:noreply, state}

  @impl true
  def terminate(_reason, state), do: Table.unregister(state.table)

  defp connect(state) do
    {:ok, pid} = Connection.start_link(state.table)
    %{state | phase: {:connecting, pid}}
  end

  defp replace(state, since, text) do
    settled? = System.monotonic_time(:millisecond) - since >= @settled_after

    cond do
      settled? -> connect(%{state | failures: 0})
      # Once at once, so that a server may restart whenever it likes; then it is a habit.
      state.failures == 0 -> connect(%{state | failures: 1})
      true -> pause(state, text)
    end
  end

  defp pause(%{table: table} = state, text) do
    failures = state.failures + 1
    delay = Backoff.delay(table.options.backoff, failures)
    Table.put_failure(table, text)

    # Once per outage; later attempts would say the same.
    if state.failure == nil do
      Logger.warning("no connection to #{target(state)}: #{text}; trying again in #{delay} ms")
    end

    timer = make_ref()
    Process.send_after(self(), {:connect, timer}, delay)
    state = %{state | phase: {:pausing, timer}, failures: failures, failure: text}
    turn_away(state)
  end

  # Answers the calls that do not wait any longer, and forgets those that have given up.
  defp turn_away(state) do
    status = unavailable(state)

    waiting =
      for {from, wait?, deadline} = entry <- state.waiting,
          wait? or GenServer.reply(from, {:error, status}) != :ok,
          Call.remaining(deadline) != 0,
          do: entry

    %{state | waiting: waiting, waiting_count: length(waiting)}
  end

  defp wait(state, from, wait?, deadline) do
    waiting = [{from, wait?, deadline} | state.waiting]
    %{state | waiting: waiting, waiting_count: state.waiting_count + 1}
  end

  defp text({:shutdown, {:lost, text}}), do: text
  defp text(reason), do: "its process ended: " <> Exception.format_exit(reason)

  defp target(state), do: to_string(state.table.options.target)

  defp unavailable(state) do
    Status.local(
      :unavailable,
      "no connection to #{target(state)}: #{state.failure}. " <>
        "It is tried again; wait_for_ready: true makes calls wait for it"
    )
  end

  defp queue_full(state) do
    Status.local(
      :resource_exhausted,
      "#{state.waiting_count} calls wait already for a connection to #{target(state)}: " <>
        "make fewer calls at a time, or raise the channel's option max_queue"
    )
  end
end
