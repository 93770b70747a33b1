defmodule Integration.Server do
  @moduledoc """
  The Python server under test.

  The driver runs it and says in `SYNAPSE_TARGET` where it listens. It obeys the commands below,
  which reach it over the line protocol that `servers.py` describes, at `SYNAPSE_CONTROL`.
  """

  @doc "Where the server listens: `host:port`."
  def target, do: System.fetch_env!("SYNAPSE_TARGET")

  @doc """
  The options of a channel to the server, over what `SYNAPSE_TRANSPORT` names: `grpc`, or the built-in
  transport.
  """
  def channel(options \\ []) do
    case System.get_env("SYNAPSE_TRANSPORT", "") do
      "" -> [target: target()] ++ options
      "grpc" -> [target: target(), transport: SynapseBridge.Transport.GRPC] ++ options
    end
  end

  @doc "Kills the server without warning. It is dead when this returns."
  def kill, do: "ok" = ask("kill")

  @doc "Starts the server again at the same address. It is ready when this returns."
  def start, do: "ok" = ask("start")

  @doc "Asks the server to stop (SIGTERM). It is gone when this returns."
  def stop, do: "ok" = ask("stop")

  @doc "Lets the server hang (SIGSTOP): its connections stay open, and nothing moves."
  def pause, do: "ok" = ask("pause")

  @doc "Lets the server go on."
  def resume, do: "ok" = ask("resume")

  @doc "Whether the server's log holds `text`, a part of one line."
  def logged?(text), do: ask("logged " <> text) == "yes"

  @doc "Has the proxy before the server do something, and returns what it says."
  def proxy(command), do: ask("proxy " <> command)

  @doc """
  Asks the model of the server's agents, and returns what it says: `openai_stub.py` describes that.
  """
  def model(command), do: ask("model " <> command)

  defp ask(command) do
    [host, port] = "SYNAPSE_CONTROL" |> System.fetch_env!() |> String.split(":")
    options = [:binary, packet: :line, active: false]
    {:ok, socket} = :gen_tcp.connect(String.to_charlist(host), String.to_integer(port), options)
    :ok = :gen_tcp.send(socket, [command, "\n"])
    {:ok, answer} = :gen_tcp.recv(socket, 0, 70_000)
    :gen_tcp.close(socket)
    String.trim(answer)
  end
end
