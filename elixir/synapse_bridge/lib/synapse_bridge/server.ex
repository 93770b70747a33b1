defmodule SynapseBridge.Server do
  @moduledoc """
  A Python server in the supervision tree, started and stopped with the channel to it.

      children = [{MyPythonAgent, server: [pex: "dist/my_python_agent.pex"]}]

  The options are those of `:server` in `SynapseBridge.Channel`. Each of `count` servers has a process
  of its own, which

    * starts the program, with `--listen` or `--host`, `--port` and `--port-file`, and with
      `--exit-with-parent` and `--grace`, followed by `args`;
    * lets calls go to it when it listens, and its health service says that it is serving;
    * writes every line that it prints to `Logger`, with `synapse_server` and `os_pid` as metadata;
    * starts it again when it has ended, at once if it ran for ten seconds, else after a pause
      that grows (`backoff`). In the meantime calls go to the other servers; when there is none, they
      fail at once with `:unavailable` and the last lines that the server printed. That goes on for
      as long as it takes, and does not count as a restart for any supervisor;
    * stops it in good order: no new calls, SIGTERM, time for the calls under way (`stop_timeout`),
      then SIGKILL.

  The server's standard input is a pipe that ends with the BEAM, so that it does not outlive a BEAM
  that is killed either.
  """

  use GenServer

  alias SynapseBridge.Channel.{Backoff, Table}
  alias SynapseBridge.Server.{Options, Program}
  alias SynapseBridge.Telemetry
  alias SynapseBridge.Transport.Target

  require Logger

  # In milliseconds: how often it is looked whether the server listens.
  @look 20
  # A server that ran for so long was not in a loop of crashes.
  @settled_after 10_000
  # Lines that an error quotes.
  @last_lines 10
  # For a process to vanish after SIGKILL.
  @last_wait 5_000
  # How often it is looked whether a program that was asked to end has ended.
  @look_for_end 200
  # How long after the loss of a connection that is done.
  @end_shows_after 2_000

  defstruct [
    :key,
    :options,
    :connector,
    :channel,
    :folder,
    :program,
    :target,
    :started,
    :timer,
    attempt: 0,
    failures: 0,
    ready?: false,
    lost: nil,
    part: "",
    lines: []
  ]

  @doc false
  def child_spec({number, options, _channel} = arguments) do
    %{
      id: {__MODULE__, number},
      start: {__MODULE__, :start_link, [arguments]},
      shutdown: options.stop_timeout + 2 * @last_wait
    }
  end

  @doc false
  def start_link(arguments), do: GenServer.start_link(__MODULE__, arguments)

  @doc "What a server is called in messages."
  @spec label(map()) :: String.t()
  def label(%{command: command}) do
    name = command |> Enum.reject(&String.starts_with?(&1, "-")) |> List.last()
    "the server #{Path.basename(name)}"
  end

  @impl true
  def init({number, options, channel}) do
    Process.flag(:trap_exit, true)
    {:ok, %Table{connector: connector} = table} = Table.fetch(channel)
    key = {:server, number}
    send(connector, {:source, key, self()})
    folder = Options.make_folder()
    state = %__MODULE__{key: key, options: options, connector: connector, folder: folder}
    state = %{state | channel: Table.name(table)}
    {:ok, state, {:continue, :start}}
  end

  @impl true
  def handle_continue(:start, state), do: {:noreply, start(state)}

  @impl true
  def handle_info({port, {:data, data}}, %{program: %{port: port}} = state) do
    {:noreply, print(state, data)}
  end

  def handle_info({port, {:exit_status, status}}, %{program: %{port: port}} = state) do
    {:noreply, ended(state, exit_text(status))}
  end

  def handle_info({:timeout, timer, event}, %{timer: timer} = state) do
    {:noreply, timeout(event, %{state | timer: nil})}
  end

  def handle_info({:serving, target}, %{target: target, ready?: false} = state) do
    Logger.info("#{label(state.options)} is ready at #{target}", metadata(state))
    event(state, :ready, %{duration: duration(state)}, %{target: "#{target}"})
    {:noreply, %{cancel_timer(state) | ready?: true}}
  end

  # The end of the program is only known when nothing it has started holds its output open any more.
  # So where a connection is lost it is looked whether the program runs; one that was killed may seem
  # to for a moment longer.
  def handle_info({:lost, target}, %{target: target, ready?: true} = state) do
    {:noreply, timeout(:look_for_end, %{state | lost: now()})}
  end

  # A port that was closed, and messages that came too late.
  def handle_info(_message, state), do: {:noreply, state}

  defp start(%{options: options} = state) do
    state = %{
      state
      | attempt: state.attempt + 1,
        started: now(),
        ready?: false,
        part: "",
        lines: []
    }

    case Program.start(arguments(state), env(options), options.cd) do
      {:ok, program} ->
        state = %{state | program: program}
        event(state, :start, %{system_time: System.system_time()}, %{})
        later(state, @look, :look)

      {:error, text} ->
        ended(state, text)
    end
  end

  defp arguments(%{options: options} = state) do
    grace = Float.to_string(options.stop_timeout * 0.8 / 1000)
    fixed = ["--exit-with-parent", "--grace", grace]
    options.command ++ listen(state) ++ fixed ++ options.args
  end

  defp listen(%{options: %{listen: :unix}} = state), do: ["--listen", "unix:" <> socket(state)]

  defp listen(state),
    do: ["--host", "127.0.0.1", "--port", "0", "--port-file", socket(state)]

  # A new name each time: what an earlier server has left must not look like this one.
  defp socket(state), do: Path.join(state.folder, "#{state.attempt}")

  # What Python prints is to come when it is printed.
  defp env(options), do: [{"PYTHONUNBUFFERED", "1"} | options.env.()]

  # Whether it listens; after that it is for the channel to find out whether it is healthy.
  defp timeout(:look, state) do
    case target(state) do
      nil ->
        if now() - state.started > state.options.start_timeout,
          do: too_slow(state),
          else: later(state, @look, :look)

      target ->
        tell(state, {:ok, [target]})
        left = max(state.options.start_timeout - (now() - state.started), 1)
        later(%{state | target: target}, left, :too_slow)
    end
  end

  defp timeout(:too_slow, state), do: too_slow(state)
  defp timeout(:start, state), do: start(state)

  defp timeout(:look_for_end, state) do
    cond do
      not Program.running?(state.program) -> kill_rest(state)
      now() - state.lost < @end_shows_after -> later(state, @look_for_end, :look_for_end)
      true -> state
    end
  end

  # Its exit status comes when they are gone.
  defp kill_rest(state) do
    Program.kill(state.program)
    state
  end

  defp target(%{options: %{listen: :unix}} = state) do
    path = socket(state)
    {:ok, target} = Target.parse("unix:" <> path)
    if File.exists?(path), do: target
  end

  defp target(state) do
    with {:ok, text} <- File.read(socket(state)),
         {:ok, target} <- Target.parse("127.0.0.1:" <> String.trim(text)) do
      target
    else
      _not_yet -> nil
    end
  end

  defp too_slow(state) do
    state = kill(state)
    ended(state, "it was not ready within start_timeout, #{state.options.start_timeout} ms")
  end

  defp ended(%{options: options} = state, why) do
    state = cancel_timer(state)
    settled? = state.ready? and now() - state.started >= @settled_after
    failures = if settled?, do: 1, else: state.failures + 1
    pause = if settled?, do: 0, else: Backoff.delay(options.backoff, failures)
    tell(state, {:error, "#{why}; it is started again in #{pause} ms" <> quote_lines(state)})

    event(state, :down, %{duration: duration(state)}, %{reason: why})

    Logger.error(
      "#{label(options)}: #{why}; starting it again in #{pause} ms",
      metadata(state)
    )

    later(%{state | program: nil, target: nil, failures: failures}, pause, :start)
  end

  defp event(state, name, measurements, metadata) do
    if Telemetry.listened?() do
      metadata =
        Map.merge(metadata, %{
          channel: state.channel,
          server: label(state.options),
          os_pid: state.program && state.program.os_pid,
          attempt: state.attempt
        })

      Telemetry.execute([:server, name], measurements, metadata)
    end
  end

  defp duration(state),
    do: System.convert_time_unit(now() - state.started, :millisecond, :native)

  defp exit_text(status) when status > 128, do: "it was ended by signal #{status - 128}"
  defp exit_text(status), do: "it has ended with exit status #{status}"

  defp quote_lines(%{lines: []}), do: ""

  defp quote_lines(state) do
    ". The last it printed: " <> (state.lines |> Enum.reverse() |> Enum.join("\n"))
  end

  defp tell(state, result), do: send(state.connector, {:endpoints, state.key, result})

  defp print(state, {:noeol, part}), do: %{state | part: state.part <> part} |> flush_long()

  defp print(state, {:eol, part}) do
    line = valid(state.part <> part)

    if level = state.options.log_level, do: Logger.log(level, line, metadata(state))
    %{state | part: "", lines: Enum.take([line | state.lines], @last_lines)}
  end

  # A line without an end must not grow for ever.
  defp flush_long(%{part: part} = state) when byte_size(part) < 65_536, do: state
  defp flush_long(state), do: print(state, {:eol, ""})

  defp valid(line) do
    if String.valid?(line), do: line, else: inspect(line, binaries: :as_strings)
  end

  defp metadata(%{options: options, program: program}) do
    [synapse_server: label(options), os_pid: program && program.os_pid]
  end

  @impl true
  def terminate(_reason, state) do
    tell(state, {:error, "it is being stopped"})

    if state.program do
      Program.terminate(state.program)
      await_end(state, now() + state.options.stop_timeout)
    end

    File.rm_rf(state.folder)
  end

  # What it prints at the end is worth as much as anything before. It may have ended while something
  # that it has started holds its output open.
  defp await_end(%{program: program} = state, until) do
    case next_print(state, min(max(until - now(), 0), @look_for_end)) do
      {:printed, state} ->
        await_end(state, until)

      {:ended, state} ->
        state

      :silence ->
        if now() < until and Program.running?(program),
          do: await_end(state, until),
          else: kill(state)
    end
  end

  defp kill(%{program: program} = state) do
    Program.kill(program)
    await_last(state)
  end

  defp await_last(state) do
    case next_print(state, @last_wait) do
      {:printed, state} -> await_last(state)
      {:ended, state} -> state
      :silence -> state
    end
  end

  defp next_print(%{program: %{port: port}} = state, timeout) do
    receive do
      {^port, {:data, data}} -> {:printed, print(state, data)}
      {^port, {:exit_status, _status}} -> {:ended, state}
    after
      timeout -> :silence
    end
  end

  defp later(state, time, event) do
    %{cancel_timer(state) | timer: :erlang.start_timer(time, self(), event)}
  end

  defp cancel_timer(%{timer: nil} = state), do: state

  defp cancel_timer(%{timer: timer} = state) do
    _ = :erlang.cancel_timer(timer)
    %{state | timer: nil}
  end

  defp now, do: System.monotonic_time(:millisecond)
end
