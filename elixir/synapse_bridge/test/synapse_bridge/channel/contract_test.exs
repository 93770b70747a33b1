defmodule SynapseBridge.Channel.ContractTest do
  use ExUnit.Case, async: true

  import ExUnit.CaptureLog
  import SynapseBridge.ScriptedServer, only: [accept_http2: 1, read_call: 1, write: 2]

  alias SynapseBridge.{Channel, Error, Rpc, ScriptedServer, Status, Telemetry, Wire}

  defmodule Client do
    use SynapseBridge.Client, service: "p.v1.PService", contract: "mine"

    rpc :same, "Same", Rpc.Duration, Rpc.Duration, fingerprint: "1"
    rpc :other, "Other", Rpc.Duration, Rpc.Duration, fingerprint: "2"
    rpc :gone, "Gone", Rpc.Duration, Rpc.Duration, fingerprint: "3"

    def other(opts), do: call(:other, %{}, opts)
    def same(opts), do: call(:same, %{}, opts)
    def gone(opts), do: call(:gone, %{}, opts)
  end

  @moduletag :capture_log
  @get "/synapse_bridge.v1.Contracts/Get"

  defp start(opts \\ []) do
    server = ScriptedServer.listen()
    opts = [target: server.target, backoff: [initial: 1, jitter: 0]] ++ opts
    channel = start_supervised!({Channel, opts}, id: make_ref())
    test = self()
    id = make_ref()

    handler = fn _, _, metadata, _ ->
      if metadata.channel == channel, do: send(test, {:stale, metadata})
    end

    :ok = Telemetry.attach(id, [[:synapse_bridge, :contract, :stale]], handler)
    on_exit(fn -> Telemetry.detach(id) end)
    {channel, server, accept_http2(server)}
  end

  defp async(channel, path, opts \\ []) do
    Task.async(fn -> Channel.unary(channel, path, "x", [client: Client] ++ opts) end)
  end

  defp answer_stale(
         connection,
         trailers \\ fn id -> [Wire.data(id, Wire.message("y")), Wire.trailers(id)] end
       ) do
    {id, _fields, "x"} = read_call(connection)
    fields = [{":status", "200"}, {"content-type", "application/grpc"}]

    write(connection, [
      Wire.headers(id, fields ++ [{"synapse-contract", "theirs"}]),
      trailers.(id)
    ])
  end

  # Answers the question for the contract.
  defp answer_get(connection, contract, methods) do
    {id, %{":path" => @get} = fields, request} = read_call(connection)
    assert {:ok, %{service: "p.v1.PService"}} = Rpc.ContractsGetRequest.decode(request)
    response = %Rpc.ContractsGetResponse{contract: contract, methods: methods}
    bytes = response |> Rpc.ContractsGetResponse.encode() |> IO.iodata_to_binary()
    write(connection, Wire.response(id, bytes))
    fields
  end

  defp answer(connection, path) do
    {id, %{":path" => ^path}, _message} = read_call(connection)
    write(connection, Wire.response(id, "y"))
  end

  test "a server that names no contract has the same one" do
    {channel, _server, connection} = start()
    call = async(channel, "/p.v1.PService/Same")
    answer(connection, "/p.v1.PService/Same")
    assert Task.await(call) == {:ok, "y", []}
    refute_received {:stale, _}
  end

  test "another contract is an event and a line in the log, once for a connection" do
    {channel, server, connection} = start()

    log =
      capture_log(fn ->
        for _ <- 1..2 do
          call = async(channel, "/p.v1.PService/Same")
          answer_stale(connection)
          assert {:ok, "y", [{"synapse-contract", "theirs"}]} = Task.await(call)
        end
      end)

    assert_receive {:stale, metadata}
    target = server.target

    assert %{client: Client, expected: "mine", served: "theirs", target: ^target} = metadata
    refute_received {:stale, _}
    assert log =~ "Client was generated from another contract (mine)"
    assert [_, _] = String.split(log, "another contract")

    ScriptedServer.abort(connection)
    connection = accept_http2(server)
    call = async(channel, "/p.v1.PService/Same", wait_for_ready: true)
    answer_stale(connection)
    Task.await(call)
    assert_receive {:stale, _}
  end

  test "so it is with calls that fail, and with streams" do
    for kind <- [:error, :stream] do
      {channel, _server, connection} = start()

      case kind do
        :error ->
          call = async(channel, "/p.v1.PService/Same")
          answer_stale(connection, &Wire.trailers(&1, "5"))
          assert {:error, %Status{code: 5}} = Task.await(call)

        :stream ->
          {:ok, stream} = Channel.open_stream(channel, "/p.v1.PService/S", "x", client: Client)
          answer_stale(connection, &Wire.trailers/1)
          assert {:done, [{"synapse-contract", "theirs"}]} = Channel.next(stream)
      end

      assert_receive {:stale, %{served: "theirs"}}
    end
  end

  test "calls of no client are not compared" do
    {channel, _server, connection} = start(on_stale: :error)
    call = Task.async(fn -> Channel.unary(channel, "/p.v1.PService/Same", "x") end)
    answer_stale(connection)
    assert {:ok, "y", _} = Task.await(call)
    refute_received {:stale, _}
  end

  describe "on_stale: :error" do
    test "asks once, and calls when the contract is the same" do
      {channel, _server, connection} = start(on_stale: :error)
      opts = [metadata: [{"x-user", "me"}]]
      call = async(channel, "/p.v1.PService/Other", opts)
      assert answer_get(connection, "mine", %{})["x-user"] == "me"
      answer(connection, "/p.v1.PService/Other")
      assert Task.await(call) == {:ok, "y", []}
      call = async(channel, "/p.v1.PService/Gone")
      answer(connection, "/p.v1.PService/Gone")
      assert Task.await(call) == {:ok, "y", []}
    end

    test "refuses methods that differ, says which, and calls the others" do
      {channel, server, connection} = start(on_stale: :error)
      call = Task.async(fn -> Client.other(channel: channel) end)
      answer_get(connection, "theirs", %{"Same" => "1", "Other" => "20", "New" => "4"})

      assert {:error, %Error{code: :failed_precondition, message: message}} = Task.await(call)
      assert message =~ "Client was generated from another version of p.v1.PService"
      assert message =~ "at #{server.target}: Gone is not there any more, Other has changed."
      refute message =~ "Same"

      assert {:error, %Error{code: :failed_precondition}} = Client.gone(channel: channel)
      call = async(channel, "/p.v1.PService/Same")
      answer(connection, "/p.v1.PService/Same")
      assert Task.await(call) == {:ok, "y", []}
      assert_receive {:stale, %{served: "theirs"}}
      refute_received {:stale, _}
    end

    test "takes a server that cannot be asked as it is" do
      {channel, _server, connection} = start(on_stale: :error)
      call = async(channel, "/p.v1.PService/Other")
      {id, %{":path" => @get}, _request} = read_call(connection)
      write(connection, [Wire.response_headers(id), Wire.trailers(id, "12")])
      answer(connection, "/p.v1.PService/Other")
      assert Task.await(call) == {:ok, "y", []}
    end

    test "asks every connection" do
      {channel, server, connection} = start(on_stale: :error)
      call = async(channel, "/p.v1.PService/Other")
      answer_get(connection, "theirs", %{})
      assert {:error, %Status{code: 9}} = Task.await(call)
      ScriptedServer.abort(connection)
      connection = accept_http2(server)
      call = async(channel, "/p.v1.PService/Other", wait_for_ready: true)
      answer_get(connection, "mine", %{})
      answer(connection, "/p.v1.PService/Other")
      assert Task.await(call) == {:ok, "y", []}
    end
  end
end
