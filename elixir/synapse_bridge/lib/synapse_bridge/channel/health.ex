defmodule SynapseBridge.Channel.Health do
  @moduledoc """
  Watches over the server at the other end of one connection, by `grpc.health.v1.Health/Check`.

  A process that ends with the connection. The one who started it gets
  `{:health, connection, :serving | {:not_serving, text}}` after the first check, and when that has
  changed. `NOT_SERVING` counts at once; checks that fail count when as many as `:failures` of them
  follow each other, or with the first one of all. A server without health service is taken to be
  healthy, as gRPC's health checking protocol wants it.
  """

  alias SynapseBridge.Channel.{Probe, Table}
  alias SynapseBridge.Rpc.{HealthCheckRequest, HealthCheckResponse}
  alias SynapseBridge.Status

  @path "/grpc.health.v1.Health/Check"
  @serving 1
  @states %{0 => "UNKNOWN", 2 => "NOT_SERVING", 3 => "SERVICE_UNKNOWN"}
  @unimplemented Status.code(:unimplemented)

  @options [
    service: [
      type: :text,
      default: "",
      doc: "the service to ask about; the empty name is the server as a whole."
    ],
    interval: [
      type: :positive,
      default: 5_000,
      doc: "between two checks, in milliseconds; a tenth of it while the server is not serving."
    ],
    timeout: [type: :positive, default: 2_000, doc: "of a check, in milliseconds."],
    failures: [
      type: :positive,
      default: 3,
      doc: "how many checks have to fail in a row before the server counts as not serving."
    ]
  ]

  @doc false
  def options, do: @options

  @doc "Starts a process, linked to the caller, with the channel's option `health_check`."
  @spec start_link(Table.t(), connection :: pid(), settings :: map()) :: pid()
  def start_link(table, connection, settings) do
    state = %{
      table: table,
      connection: connection,
      settings: settings,
      request: HealthCheckRequest.encode(%HealthCheckRequest{service: settings.service}),
      owner: self(),
      told: nil,
      failed: 0
    }

    spawn_link(fn ->
      Process.monitor(connection)
      loop(state)
    end)
  end

  defp loop(%{settings: settings} = state) do
    case check(state) do
      :gone ->
        :ok

      {:failed, text} ->
        failed = state.failed + 1
        serving? = match?({:told, :serving}, state.told) and failed < settings.failures
        state = %{state | failed: failed}
        state |> tell(if(serving?, do: :serving, else: {:not_serving, text})) |> pause()

      result ->
        %{state | failed: 0} |> tell(result) |> pause()
    end
  end

  defp tell(%{told: {:told, result}} = state, result), do: state

  defp tell(state, result) do
    send(state.owner, {:health, state.connection, result})
    %{state | told: {:told, result}}
  end

  defp pause(%{settings: %{interval: interval}} = state) do
    serving? = state.told == {:told, :serving}

    receive do
      {:DOWN, _ref, :process, _connection, _reason} -> :ok
    after
      if(serving?, do: interval, else: max(div(interval, 10), 1)) -> loop(state)
    end
  end

  defp check(%{settings: settings} = state) do
    case Probe.unary(state.table, state.connection, @path, state.request, settings.timeout) do
      {:ok, bytes, _trailers} -> serving(HealthCheckResponse.decode(bytes))
      {:error, %Status{code: @unimplemented}} -> :serving
      {:error, status} -> {:failed, "its health check fails: #{Status.name(status.code)}"}
      {:retry, :unsent} -> :gone
      {:retry, _refused} -> {:failed, "it refuses health checks"}
      :timeout -> {:failed, "no answer to a health check within #{settings.timeout} ms"}
      {:down, _reason} -> :gone
    end
  end

  defp serving({:ok, %{status: @serving}}), do: :serving

  defp serving({:ok, %{status: status}}),
    do: {:not_serving, "its health service says #{@states[status] || status}"}

  defp serving({:error, _violations}), do: {:failed, "its health service answers nonsense"}
end
