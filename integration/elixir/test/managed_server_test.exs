defmodule ManagedServerTest do
  # Which Python, and which generated server, is in the variables; see managed_server_test.py.
  use ExUnit.Case, async: true

  @moduletag built_in: "the library starts no servers"
  # Python servers start one after the other, on a machine that may be busy.
  @moduletag timeout: 240_000

  import Integration.Eventually

  @moduletag :capture_log
  @alice %{name: "Alice", age: 30}
  @greeting "Hello, Alice! You are 30 years old."

  defp command, do: [System.fetch_env!("SYNAPSE_PYTHON"), System.fetch_env!("SYNAPSE_SERVER")]

  defp start(server, opts \\ []) do
    server = Keyword.put_new(server, :command, command())
    name = :"channel#{System.unique_integer([:positive])}"
    spec = MyPythonAgent.child_spec([server: server, name: name] ++ opts)
    {name, start_supervised!(spec, restart: :temporary)}
  end

  # The pids of the Python processes.
  defp pids(supervisor) do
    for {{SynapseBridge.Server, _number}, process, _, _} <- Supervisor.which_children(supervisor),
        %{program: %{os_pid: pid}} <- [:sys.get_state(process)],
        do: pid
  end

  defp running?(pid) do
    case File.read("/proc/#{pid}/stat") do
      {:ok, stat} -> not (stat =~ ~r/\) Z /)
      {:error, _gone} -> false
    end
  end

  defp kill(pid), do: {_, 0} = System.cmd("sh", ["-c", "kill -9 #{pid}"])

  for listen <- [:unix, :tcp] do
    @listen listen
    test "a call waits until the server is there, on #{listen}, and it goes with the channel" do
      {channel, supervisor} = start(listen: @listen)
      assert MyPythonAgent.process_data(@alice, channel: channel) == {:ok, @greeting}
      assert [pid] = pids(supervisor)
      assert running?(pid)
      Supervisor.stop(supervisor)
      refute running?(pid)
    end
  end

  test "several servers; one that is killed fails its calls only, and comes back" do
    {channel, supervisor} = start([count: 2, backoff: [initial: 10]], balance: :round_robin)
    assert eventually(fn -> length(Enum.uniq(pids(supervisor))) == 2 end)
    [first, second] = pids(supervisor)
    {:ok, table} = SynapseBridge.Channel.Table.fetch(channel)
    assert eventually(fn -> length(SynapseBridge.Channel.Table.connections(table)) == 2 end)
    kill(first)

    assert eventually(fn -> match?([_], SynapseBridge.Channel.Table.connections(table)) end)

    for _ <- 1..20,
        do: assert(MyPythonAgent.process_data(@alice, channel: channel) == {:ok, @greeting})

    assert eventually(fn -> length(SynapseBridge.Channel.Table.connections(table)) == 2 end)
    assert second in pids(supervisor)
    refute first in pids(supervisor)
  end

  # Calls without a pause while `disturb` runs; returns what is not a greeting.
  defp failures_while(channel, opts, disturb) do
    stop = :atomics.new(1, [])
    opts = [channel: channel] ++ opts

    callers = for _ <- 1..8, do: Task.async(fn -> call_until(stop, opts, []) end)
    disturb.()
    :atomics.put(stop, 1, 1)
    callers |> Task.await_many(60_000) |> Enum.concat()
  end

  defp call_until(stop, opts, failures) do
    failures =
      case MyPythonAgent.process_data(@alice, opts) do
        {:ok, @greeting} -> failures
        failure -> [failure | failures]
      end

    if :atomics.get(stop, 1) == 1, do: failures, else: call_until(stop, opts, failures)
  end

  # Each server in turn, and the next one when this one is back.
  defp in_turn(supervisor, table, signal) do
    for pid <- pids(supervisor) do
      {_, 0} = System.cmd("sh", ["-c", "kill -s #{signal} #{pid}"])
      assert eventually(fn -> pid not in pids(supervisor) and length(pids(supervisor)) == 2 end)
      assert eventually(fn -> length(SynapseBridge.Channel.Table.connections(table)) == 2 end)
    end
  end

  test "servers that are replaced in turn lose no call" do
    {channel, supervisor} = start(count: 2, backoff: [initial: 10])
    {:ok, table} = SynapseBridge.Channel.Table.fetch(channel)
    assert eventually(fn -> length(SynapseBridge.Channel.Table.connections(table)) == 2 end)
    assert failures_while(channel, [], fn -> in_turn(supervisor, table, "TERM") end) == []
  end

  test "servers that are killed in turn lose no idempotent call" do
    {channel, supervisor} = start(count: 2, backoff: [initial: 10])
    {:ok, table} = SynapseBridge.Channel.Table.fetch(channel)
    assert eventually(fn -> length(SynapseBridge.Channel.Table.connections(table)) == 2 end)
    opts = [idempotent: true]
    assert failures_while(channel, opts, fn -> in_turn(supervisor, table, "KILL") end) == []
  end

  test "a server that cannot start says why, in every call" do
    {channel, _supervisor} = start(args: ["--no-such-option"])

    assert {:error, %SynapseBridge.Error{code: :unavailable, message: message}} =
             MyPythonAgent.process_data(@alice, channel: channel)

    assert message =~ "it has ended with exit status 2"
    assert message =~ "unrecognized arguments: --no-such-option"
  end

  test "a BEAM that is killed takes its server with it" do
    paths = Enum.flat_map(:code.get_path(), &["-pa", to_string(&1)])

    code = """
    server = [command: #{inspect(command())}]
    {:ok, supervisor} = Supervisor.start_link([{MyPythonAgent, server: server}], strategy: :one_for_one)
    {:ok, _} = MyPythonAgent.process_data(#{inspect(@alice)})
    [{_, channel, _, _}] = Supervisor.which_children(supervisor)
    for {{SynapseBridge.Server, 1}, process, _, _} <- Supervisor.which_children(channel),
        do: IO.puts("python \#{:sys.get_state(process).program.os_pid}")
    Process.sleep(:infinity)
    """

    beam =
      Port.open({:spawn_executable, System.find_executable("elixir")}, [
        :binary,
        :stderr_to_stdout,
        args: paths ++ ["-e", code]
      ])

    {:os_pid, beam_pid} = Port.info(beam, :os_pid)
    python = python_pid(beam, "")
    assert running?(python)
    kill(beam_pid)
    assert eventually(fn -> not running?(python) end)
  end

  defp python_pid(beam, printed) do
    case Regex.run(~r/^python (\d+)$/m, printed) do
      [_, pid] ->
        pid

      nil ->
        receive do
          {^beam, {:data, data}} -> python_pid(beam, printed <> data)
        after
          30_000 -> flunk("the other BEAM did not start a server; it printed:\n#{printed}")
        end
    end
  end
end
