defmodule SynapseBridge.AgentPeer do
  @moduledoc "The server's side of the runs of `Agents.Support`, over a `SynapseBridge.ScriptedServer`."

  import ExUnit.Assertions
  import SynapseBridge.ScriptedServer, only: [read: 1, read_call: 1, write: 2]

  alias Agents.Support.Finished
  alias SynapseBridge.Wire

  @doc "A message as it goes over the wire."
  def bytes(%module{} = message), do: message |> module.encode() |> IO.iodata_to_binary()

  @doc "The beginning of a plain run: the call, and its request."
  def read_run(connection) do
    {id, _fields, message} = read_call(connection)
    {:ok, request} = Agents.SupportRunRequest.decode(message)
    {id, request}
  end

  @doc "The beginning of a session, after which the call stays open."
  def read_session(connection) do
    assert {:headers, id, fields} = read(connection)
    assert {:data, ^id, <<0, size::32, message::binary-size(size)>>, :more} = read(connection)
    {:ok, request} = Agents.SupportSessionRequest.decode(message)
    {id, Map.new(fields), request}
  end

  @doc "The next answer of a session."
  def read_answer(connection, id) do
    assert {:data, ^id, <<0, size::32, message::binary-size(size)>>, :more} = read(connection)
    # Later messages have an answer alone.
    first = bytes(%Agents.SupportSessionRequest{prompt: "", tools: []})
    {:ok, request} = Agents.SupportSessionRequest.decode(first <> message)
    request.answers
  end

  @doc "Answers a plain run."
  def answer(connection, id, result) do
    response = bytes(%Agents.SupportRunResponse{result: result})
    write(connection, Wire.response(id, response))
  end

  @doc "Begins the response of a run that streams."
  def head(connection, id), do: write(connection, Wire.response_headers(id))

  @doc "Sends an event."
  def tell(connection, id, event) do
    message = bytes(%Agents.SupportRunStreamResponse{result: event})
    write(connection, Wire.data(id, Wire.message(message)))
  end

  @doc "Sends the result, and ends the run."
  def finish(connection, id, result) do
    tell(connection, id, %Finished{result: result})
    write(connection, Wire.trailers(id))
  end

  @doc "Ends the run with a declared exception."
  def fail(connection, id, exception) do
    any = %SynapseBridge.Rpc.Any{
      type_url: "type.googleapis.com/agents.v1.UsageLimitExceeded",
      value: bytes(exception)
    }

    status = bytes(%SynapseBridge.Rpc.Status{code: 8, message: "too much", details: [any]})
    details = [{"grpc-status-details-bin", Base.encode64(status, padding: false)}]
    write(connection, Wire.trailers(id, "8", [{"grpc-message", "too much"} | details]))
  end
end
