defmodule SynapseBridge.FakeServer do
  @moduledoc """
  Programs that stand in for a Python server, as shell scripts, and what became of their processes.

  The other end of their port is played by the test (`SynapseBridge.ScriptedServer`).
  """

  import SynapseBridge.ScriptedServer, only: [read_call: 1, write: 2]

  alias SynapseBridge.{ScriptedServer, Wire}

  @health "/grpc.health.v1.Health/Check"

  # Takes the arguments apart as the real server does, and says that it listens at $PORT.
  @head """
  #!/bin/sh
  PATH=$PATH:/usr/bin:/bin
  for argument; do
    case $previous in --port-file) file=$argument;; esac
    previous=$argument
  done
  echo $$ >> pids
  listen() { echo "$PORT" > "$file.tmp"; mv "$file.tmp" "$file"; }
  """

  @doc """
  Options of a managed server that runs `script` in `folder`, where the pids of its processes are in
  the file `pids`. In the script, `listen` says that the server listens; `exec cat` runs until the end
  of standard input.
  """
  @spec options(Path.t(), ScriptedServer.t() | nil, String.t(), keyword()) :: keyword()
  def options(folder, server, script, opts \\ []) do
    path = Path.join(folder, "fake_server.sh")
    File.write!(path, @head <> script)
    File.chmod!(path, 0o755)
    env = [{"PORT", if(server, do: to_string(server.port), else: "none")}]

    Keyword.merge(
      [
        command: ["/bin/sh", path],
        cd: folder,
        listen: :tcp,
        env: env,
        backoff: [initial: 1, jitter: 0]
      ],
      opts
    )
  end

  @doc "Answers one health check."
  @spec answer_health(ScriptedServer.connection(), :serving | :not_serving) :: :ok
  def answer_health(connection, health) do
    {id, %{":path" => @health}, _everything} = read_call(connection)
    write(connection, Wire.response(id, <<8, if(health == :serving, do: 1, else: 2)>>))
  end

  @doc "Takes the next connection, and says that the server is healthy."
  @spec accept_healthy(ScriptedServer.t()) :: ScriptedServer.connection()
  def accept_healthy(server) do
    connection = ScriptedServer.accept_http2(server)
    answer_health(connection, :serving)
    connection
  end

  @doc "The pids of the processes that were started in `folder`, the first one first."
  @spec pids(Path.t()) :: [String.t()]
  def pids(folder) do
    case File.read(Path.join(folder, "pids")) do
      {:ok, text} -> String.split(text)
      {:error, :enoent} -> []
    end
  end

  @doc "Whether a process runs (proc(5)). One that waits to be buried does not."
  @spec running?(String.t()) :: boolean()
  def running?(pid) do
    case File.read("/proc/#{pid}/stat") do
      {:ok, stat} -> not (stat =~ ~r/\) Z /)
      {:error, _gone} -> false
    end
  end
end
