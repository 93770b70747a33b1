defmodule ManagedServerTest do
  # Which Python, and which generated server, is in the variables; see managed_server_test.py.
  use ExUnit.Case, async: true

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
