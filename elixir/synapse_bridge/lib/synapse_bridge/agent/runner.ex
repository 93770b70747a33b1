defmodule SynapseBridge.Agent.Runner do
  @moduledoc false
  # The process of one run that has its handlers carried out, and collects their answers.
  #
  # The process that reads the run's events hands requests over (`request/3`); the one that sends the
  # answers waits for them (`next/1`). Between them this one never waits, so that handlers start and
  # end while the others are busy. It ends with the process that reads, and its tasks with it: they
  # are children of a supervisor that is linked to it.

  use GenServer, restart: :temporary

  alias SynapseBridge.Agent.{Handler, Toolbox}
  alias SynapseBridge.Telemetry

  require Logger

  # `running` has a job for each task, by its reference; `waiting` those calls of tools that cannot run
  # yet; `answers` what has not been fetched, and `fetching` who waits for it.
  defstruct [
    :toolbox,
    :owner,
    :tasks,
    :traceparent,
    :fetching,
    running: %{},
    waiting: :queue.new(),
    answers: :queue.new()
  ]

  @typedoc "What is asked for: to carry out a tool, or to approve that Python does."
  @type kind :: :tool | :approval

  @doc "Starts the process for a run of the calling one."
  @spec start(Toolbox.t(), traceparent :: String.t() | nil) :: {:ok, pid()}
  def start(toolbox, traceparent) do
    callers = [self() | Process.get(:"$callers", [])]
    GenServer.start(__MODULE__, {toolbox, traceparent, self(), callers})
  end

  @doc "Hands a request of the server over."
  @spec request(pid(), kind(), struct()) :: :ok
  def request(runner, kind, request), do: GenServer.cast(runner, {kind, request})

  @doc "Waits for the next answer."
  @spec next(pid()) :: {atom(), map()}
  def next(runner), do: GenServer.call(runner, :next, :infinity)

  @doc "Ends the process. No handler runs when this returns."
  @spec stop(pid()) :: :ok
  def stop(runner) do
    GenServer.stop(runner, :shutdown)
  catch
    :exit, _already_gone -> :ok
  end

  @impl true
  def init({toolbox, traceparent, owner, callers}) do
    Process.put(:"$callers", callers)
    {:ok, tasks} = Task.Supervisor.start_link()

    {:ok,
     %__MODULE__{
       toolbox: toolbox,
       traceparent: traceparent,
       owner: Process.monitor(owner),
       tasks: tasks
     }}
  end

  @impl true
  def handle_call(:next, from, state), do: {:noreply, deliver(%{state | fetching: from})}

  @impl true
  def handle_cast({:approval, request}, state) do
    toolbox = state.toolbox
    job = %{request: request, kind: :approval, sequential: false}
    {:noreply, run(state, job, :infinity, fn -> Handler.approve(toolbox, request) end)}
  end

  def handle_cast({:tool, request}, state), do: {:noreply, state |> accept(request) |> admit()}

  @impl true
  def handle_info({ref, answer}, %{running: running} = state) when is_map_key(running, ref) do
    Process.demonitor(ref, [:flush])
    {:noreply, finish(state, ref, answer)}
  end

  def handle_info({:DOWN, owner, :process, _pid, _reason}, %{owner: owner} = state),
    do: {:stop, :shutdown, state}

  def handle_info({:DOWN, ref, :process, _pid, reason}, %{running: running} = state)
      when is_map_key(running, ref) do
    %{request: request, kind: kind} = running[ref]

    Logger.error(
      "the task of the tool #{request.tool_name} ended: #{Exception.format_exit(reason)}"
    )

    answer = if kind == :tool, do: Handler.failure(request.tool_name), else: Handler.denial()
    {:noreply, finish(state, ref, answer)}
  end

  def handle_info({:timeout, ref}, %{running: running} = state) when is_map_key(running, ref) do
    %{pid: pid, request: request} = running[ref]
    Process.demonitor(ref, [:flush])
    Task.Supervisor.terminate_child(state.tasks, pid)
    {:noreply, finish(state, ref, Handler.timeout(request.tool_name, state.toolbox.tool_timeout))}
  end

  # The answer or the time-out of a task that has ended in the other way meanwhile.
  def handle_info(_late, state), do: {:noreply, state}

  @impl true
  def terminate(_reason, state), do: Supervisor.stop(state.tasks, :shutdown)

  # A call of a tool waits its turn, unless it is answered already.
  defp accept(state, request) do
    with {tool, parameters} <- Toolbox.find(state.toolbox, request.tool_name),
         {:ok, arguments} <- Handler.arguments(parameters, request.args) do
      job = %{request: request, kind: :tool, sequential: tool.sequential}
      %{state | waiting: :queue.in({job, tool, arguments}, state.waiting)}
    else
      nil -> answer(state, request, Handler.unknown(request.tool_name))
      {_kind, _fields} = answer -> answer(state, request, answer)
    end
  end

  # Starts what may run, in the order in which it was asked for.
  defp admit(state) do
    with {:value, {job, tool, arguments}} <- :queue.peek(state.waiting),
         true <- room?(job, state) do
      context = %{tool_call_id: job.request.tool_call_id, tool_name: tool.name}

      %{state | waiting: :queue.drop(state.waiting)}
      |> run(job, state.toolbox.tool_timeout, fn -> Handler.call(tool, arguments, context) end)
      |> admit()
    else
      _nothing_or_no_room -> state
    end
  end

  defp room?(job, state) do
    tools = for {_ref, %{kind: :tool} = running} <- state.running, do: running.sequential

    cond do
      tools == [] -> true
      job.sequential or true in tools -> false
      # An atom is more than any number.
      true -> length(tools) < state.toolbox.max_concurrency
    end
  end

  defp run(%{traceparent: traceparent} = state, job, timeout, fun) do
    task =
      Task.Supervisor.async_nolink(
        state.tasks,
        fn ->
          Telemetry.put_traceparent(traceparent)
          fun.()
        end,
        shutdown: :brutal_kill
      )

    timer = if timeout != :infinity, do: Process.send_after(self(), {:timeout, task.ref}, timeout)
    job = Map.merge(job, %{pid: task.pid, timer: timer})
    %{state | running: Map.put(state.running, task.ref, job)}
  end

  defp finish(state, ref, answer) do
    {job, running} = Map.pop!(state.running, ref)
    if job.timer, do: Process.cancel_timer(job.timer)
    admit(answer(%{state | running: running}, job.request, answer))
  end

  defp answer(state, request, {kind, fields}) do
    answer = {kind, Map.put(fields, :tool_call_id, request.tool_call_id)}
    deliver(%{state | answers: :queue.in(answer, state.answers)})
  end

  defp deliver(%{fetching: nil} = state), do: state

  defp deliver(state) do
    case :queue.out(state.answers) do
      {{:value, answer}, answers} ->
        GenServer.reply(state.fetching, answer)
        %{state | fetching: nil, answers: answers}

      {:empty, _} ->
        state
    end
  end
end
