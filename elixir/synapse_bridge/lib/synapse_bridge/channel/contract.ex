defmodule SynapseBridge.Channel.Contract do
  @moduledoc """
  Whether the server at the other end has the contract that a generated client was made from.

  With each call a client sends the hash of its contract as `synapse-contract`. A server with another
  one answers with its own under that name, in the headers of the response. That is an event
  (`SynapseBridge.Telemetry`) and a line in the log, once for each connection and client.

  A channel with `on_stale: :error` asks the server before the first call of a client on a connection
  (`synapse_bridge.v1.Contracts/Get`), and refuses the methods that differ: the server would read the
  arguments as something else. Methods that are the same are called. A server that cannot be asked is
  taken as it is.
  """

  alias SynapseBridge.Channel.{Call, Probe, Table}
  alias SynapseBridge.Rpc.{ContractsGetRequest, ContractsGetResponse}
  alias SynapseBridge.{Status, Telemetry}

  require Logger

  @header "synapse-contract"
  @path "/synapse_bridge.v1.Contracts/Get"
  @unimplemented Status.code(:unimplemented)
  # In milliseconds.
  @timeout 5_000

  @doc "Tells of a response whose metadata names another contract than the client's."
  @spec notice(Table.t(), connection :: pid(), Call.t(), [{binary(), binary()}]) :: :ok
  def notice(_table, _connection, %{client: nil}, _metadata), do: :ok

  def notice(table, connection, %{client: client}, metadata) do
    with {_header, served} <- List.keyfind(metadata, @header, 0),
         do: tell(table, connection, client, served)

    :ok
  end

  defp tell(table, connection, client, served) do
    expected = client.__synapse__(:contract)

    if served != expected and Table.note(table, connection, {:stale, client}, served) do
      target = Table.noted(table, connection, :target)

      Logger.warning(
        "#{inspect(client)} was generated from another contract (#{expected}) than the server at " <>
          "#{target} has (#{served}): generate it again, or update the server"
      )

      Telemetry.execute([:contract, :stale], %{system_time: System.system_time()}, %{
        channel: Table.name(table),
        target: target,
        client: client,
        expected: expected,
        served: served
      })
    end
  end

  @doc "Whether the call may be made on the connection."
  @spec admit(Table.t(), connection :: pid(), Call.t()) :: :ok | {:error, Status.t()}
  def admit(table, connection, %{client: client} = call) do
    differing =
      with nil <- Table.noted(table, connection, {:differing, client}),
           do: ask(table, connection, call)

    case differing do
      %{} when is_map_key(differing, call.path) ->
        {:error, refusal(table, connection, client, differing)}

      _none ->
        :ok
    end
  end

  # The methods that differ, by path, and how. What the server could not say is asked again.
  defp ask(table, connection, %{client: client} = call) do
    service = client.__synapse__(:service)
    request = ContractsGetRequest.encode(%ContractsGetRequest{service: service})

    case Probe.unary(table, connection, @path, request, timeout(call), call) do
      {:ok, bytes, _trailers} -> answered(table, connection, client, bytes)
      {:error, %Status{code: @unimplemented}} -> note(table, connection, client, %{})
      _unknown -> %{}
    end
  end

  defp timeout(%{deadline: deadline}), do: min(Call.remaining(deadline), @timeout)

  defp answered(table, connection, client, bytes) do
    case ContractsGetResponse.decode(bytes) do
      {:ok, %{contract: served, methods: methods}} ->
        tell(table, connection, client, served)
        same? = served == client.__synapse__(:contract)
        differing = if same?, do: %{}, else: compare(client.__synapse__(:rpcs), methods)
        note(table, connection, client, differing)

      {:error, _violations} ->
        %{}
    end
  end

  defp note(table, connection, client, differing) do
    Table.note(table, connection, {:differing, client}, differing)
    differing
  end

  @doc "The methods that are not what the client expects: their paths, and how they differ."
  @spec compare([SynapseBridge.Client.Rpc.t()], methods :: %{String.t() => String.t()}) ::
          %{String.t() => :changed | :gone}
  def compare(rpcs, methods) do
    for %{path: path, fingerprint: fingerprint} <- rpcs,
        how = difference(fingerprint, methods[method(path)]),
        into: %{},
        do: {path, how}
  end

  defp difference(_fingerprint, nil), do: :gone
  defp difference(same, same), do: nil
  defp difference(_fingerprint, _served), do: :changed

  defp method(path), do: path |> String.split("/") |> List.last()

  defp refusal(table, connection, client, differing) do
    texts =
      for {path, how} <- Enum.sort(differing),
          do:
            "#{method(path)} #{if how == :gone, do: "is not there any more", else: "has changed"}"

    Status.local(
      :failed_precondition,
      "#{inspect(client)} was generated from another version of #{client.__synapse__(:service)} " <>
        "than the one at #{Table.noted(table, connection, :target)}: #{Enum.join(texts, ", ")}. " <>
        "Nothing was sent; generate the client again, or update the server"
    )
  end
end
