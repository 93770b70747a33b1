defmodule SynapseBridge.Server.Supervisor do
  @moduledoc """
  Supervises a channel and the servers that belong to it.

  The servers are stopped before the channel, so that calls under way may end in good order. The
  channel comes first again when it is started anew, and the servers with it.
  """

  use Supervisor

  alias SynapseBridge.Channel.{Connector, Options}
  alias SynapseBridge.Server

  @doc "Starts a channel whose options have a server."
  @spec start_link(Options.t()) :: Supervisor.on_start()
  def start_link(options), do: Supervisor.start_link(__MODULE__, options)

  @impl true
  def init(%Options{server: server} = options) do
    channel = %{id: Connector, start: {Connector, :start_link, [options, self()]}}
    servers = for number <- 1..server.count, do: {Server, {number, server, self()}}
    Supervisor.init([channel | servers], strategy: :rest_for_one)
  end
end
