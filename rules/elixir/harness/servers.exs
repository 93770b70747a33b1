defmodule Harness.Servers do
  @moduledoc """
  Boots the servers that a program or test talks to, each on a free loopback port, and connects
  their clients.

  A server's standard input is a pipe from this VM. It ends however this VM ends, and the server,
  started with `--exit-with-parent`, ends with it. What a server prints goes to standard error,
  each line marked with the client module's name.
  """

  @boot_timeout 60_000

  @doc """
  Starts one server per `"Client=command server"` and returns when all are connected.

  If one ends before it listens, or takes too long, says so and halts with status 1.
  """
  def start(servers) do
    chroot = Path.dirname(__DIR__)
    parent = self()

    booting =
      for {server, number} <- Enum.with_index(servers) do
        [client, command] = String.split(server, "=", parts: 2)
        port_file = Path.join(chroot, "__port_#{number}__")
        File.rm(port_file)
        {pid, _ref} = spawn_monitor(fn -> run(client, command, port_file, chroot, parent) end)
        {pid, client}
      end

    children =
      for {pid, client} <- booting do
        receive do
          {:listening, ^pid, port} ->
            {Module.concat([client]), target: "127.0.0.1:#{port}"}

          {:DOWN, _ref, :process, ^pid, {:ended, status}} ->
            fail("The server of #{client} ended with status #{status} before it listened.")

          {:DOWN, _ref, :process, ^pid, reason} ->
            fail("The server of #{client} could not be started: #{inspect(reason)}")
        after
          @boot_timeout ->
            fail("The server of #{client} did not listen within #{div(@boot_timeout, 1000)} s.")
        end
      end

    {:ok, _supervisor} = Supervisor.start_link(children, strategy: :one_for_one)
    :ok
  end

  defp fail(message) do
    IO.puts(:stderr, message)
    System.halt(1)
  end

  defp run(client, command, port_file, chroot, parent) do
    [executable | arguments] = String.split(command, " ")

    port =
      Port.open({:spawn_executable, Path.join(chroot, executable)}, [
        :binary,
        :exit_status,
        :stderr_to_stdout,
        line: 65_536,
        cd: chroot,
        args: arguments ++ ["--port", "0", "--port-file", port_file, "--exit-with-parent"]
      ])

    await_port(port, client, port_file, parent)
    relay(port, client)
  end

  # The server renames its complete port file into place, so a file that is there can be read.
  defp await_port(port, client, port_file, parent) do
    case File.read(port_file) do
      {:ok, number} ->
        send(parent, {:listening, self(), String.trim(number)})

      {:error, :enoent} ->
        relay_within(port, client, 20)
        await_port(port, client, port_file, parent)
    end
  end

  defp relay(port, client), do: relay_within(port, client, :infinity) && relay(port, client)

  defp relay_within(port, client, timeout) do
    receive do
      {^port, {:data, {_, "listening on " <> _}}} -> true
      {^port, {:data, {_, line}}} -> IO.puts(:stderr, "[#{client}] #{line}") == :ok
      {^port, {:exit_status, status}} -> ended(client, status)
    after
      timeout -> true
    end
  end

  defp ended(client, status) do
    IO.puts(:stderr, "[#{client}] ended with status #{status}")
    exit({:ended, status})
  end
end
