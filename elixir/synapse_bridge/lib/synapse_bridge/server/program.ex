defmodule SynapseBridge.Server.Program do
  @moduledoc """
  A program that runs outside, as long as the process that has started it.

  Its standard input is a pipe that nobody writes to and that ends with the BEAM, however that ends:
  a server that is told to `--exit-with-parent` ends then too. What it prints on standard output and
  standard error comes as messages of a `Port`.
  """

  # A longer line comes in parts.
  @line 4096

  @enforce_keys [:port, :os_pid]
  defstruct [:port, :os_pid]

  @type t :: %__MODULE__{port: port(), os_pid: pos_integer() | nil}

  @doc "Starts a program; `env` has the variables that it gets beside those of the BEAM."
  @spec start([String.t()], env :: [{String.t(), String.t() | nil}], cd :: Path.t() | nil) ::
          {:ok, t()} | {:error, String.t()}
  def start([path | arguments], env, cd) do
    env = for {name, value} <- env, do: {to_charlist(name), value != nil && to_charlist(value)}

    port =
      Port.open(
        {:spawn_executable, path},
        [:binary, :exit_status, :stderr_to_stdout, :hide, line: @line, args: arguments, env: env] ++
          if(cd, do: [cd: cd], else: [])
      )

    # None, if it has ended already; its status is on its way.
    os_pid = with {:os_pid, os_pid} <- Port.info(port, :os_pid), do: os_pid
    {:ok, %__MODULE__{port: port, os_pid: os_pid}}
  rescue
    error in ErlangError ->
      {:error, "it cannot be started: #{:file.format_error(error.original)}"}
  end

  @doc "Whether the program itself runs, whatever has become of what it has started."
  @spec running?(t()) :: boolean()
  def running?(%__MODULE__{os_pid: os_pid}), do: signal("0", "#{os_pid}") == 0

  @doc "Asks the program to end (SIGTERM)."
  @spec terminate(t()) :: :ok
  def terminate(%__MODULE__{os_pid: os_pid}) do
    _ = signal("TERM", "#{os_pid}")
    :ok
  end

  @doc "Ends the program, and what it has started in its process group (SIGKILL)."
  @spec kill(t()) :: :ok
  def kill(%__MODULE__{os_pid: os_pid}) do
    _ = signal("KILL", "-#{os_pid}")
    _ = signal("KILL", "#{os_pid}")
    :ok
  end

  defp signal(_name, whom) when whom in ["", "-"], do: 1

  # The BEAM has no function for it. A shell is everywhere, and `kill` is part of it.
  defp signal(name, whom) do
    {_text, status} =
      System.cmd("/bin/sh", ["-c", "kill -s #{name} -- #{whom}"], stderr_to_stdout: true)

    status
  end
end
