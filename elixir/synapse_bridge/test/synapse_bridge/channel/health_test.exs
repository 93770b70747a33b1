defmodule SynapseBridge.Channel.HealthTest do
  use ExUnit.Case, async: true

  import SynapseBridge.Eventually
  import SynapseBridge.FakeServer, only: [answer_health: 2]
  import SynapseBridge.ScriptedServer, only: [accept_http2: 1, read_call: 1, write: 2]

  alias SynapseBridge.{Channel, ScriptedServer, Status, Wire}
  alias SynapseBridge.Channel.Table

  @moduletag :capture_log
  @health "/grpc.health.v1.Health/Check"
  # Tests want many checks, or only the first one.
  @often [interval: 10, timeout: 10_000]
  @once [interval: 3_600_000]

  defp start(servers, health_check) do
    opts = [targets: Enum.map(servers, & &1.target), health_check: health_check]
    start_supervised!({Channel, opts ++ [backoff: [initial: 1, jitter: 0]]})
  end

  defp async(channel, opts \\ []) do
    Task.async(fn -> Channel.unary(channel, "/p.S/M", "x", opts) end)
  end

  defp ready(channel) do
    {:ok, table} = Table.fetch(channel)
    length(Table.connections(table))
  end

  # Answers calls and health checks as they come, until a call was among them.
  defp answer(connection, text) do
    case read_call(connection) do
      {id, %{":path" => @health}, _request} ->
        write(connection, Wire.response(id, <<8, 1>>))
        answer(connection, text)

      {id, %{":path" => "/p.S/M"}, _request} ->
        write(connection, Wire.response(id, text))
    end
  end

  test "a server gets calls once it says that it serves" do
    server = ScriptedServer.listen()
    channel = start([server], @once)
    call = async(channel)
    connection = accept_http2(server)
    answer_health(connection, :serving)
    answer(connection, "y")
    assert Task.await(call) == {:ok, "y", []}
  end

  test "the service is the one that was named" do
    server = ScriptedServer.listen()
    start([server], service: "p.v1.PService")
    connection = accept_http2(server)
    assert {_id, %{":path" => @health}, request} = read_call(connection)
    assert request =~ "p.v1.PService"
  end

  test "checks show the channel's credentials" do
    server = ScriptedServer.listen()
    opts = [target: server.target, health_check: @once, credentials: {:bearer, "t0ken"}]
    start_supervised!({Channel, opts})
    connection = accept_http2(server)

    assert {_id, %{":path" => @health, "authorization" => "Bearer t0ken"}, _} =
             read_call(connection)
  end

  test "a server that does not serve gets no calls; the others do" do
    servers = [a, b] = for _ <- 1..2, do: ScriptedServer.listen()
    channel = start(servers, @once)
    to_a = accept_http2(a)
    to_b = accept_http2(b)
    answer_health(to_a, :not_serving)
    answer_health(to_b, :serving)
    eventually(fn -> ready(channel) == 1 end)

    for _ <- 1..3 do
      call = async(channel)
      answer(to_b, "b")
      assert Task.await(call) == {:ok, "b", []}
    end
  end

  test "without one that serves, calls fail at once, and say so" do
    server = ScriptedServer.listen()
    channel = start([server], @once)
    connection = accept_http2(server)
    call = async(channel)
    answer_health(connection, :not_serving)
    assert {:error, %Status{code: 14, message: message}} = Task.await(call)
    assert message =~ "#{server.target}: its health service says NOT_SERVING"
    assert {:error, %Status{code: 14}} = Channel.unary(channel, "/p.S/M", "x")
  end

  test "a server that stops serving finishes its calls, and comes back when it serves again" do
    server = ScriptedServer.listen()
    channel = start([server], @often)
    connection = accept_http2(server)
    answer_health(connection, :serving)
    call = async(channel)
    {id, connection} = call_among_checks(connection)
    answer_health(connection, :not_serving)
    eventually(fn -> ready(channel) == 0 end)
    write(connection, Wire.response(id, "y"))
    assert Task.await(call) == {:ok, "y", []}

    patient = async(channel, wait_for_ready: true)
    answer(connection, "z")
    assert Task.await(patient) == {:ok, "z", []}
  end

  defp call_among_checks(connection) do
    case read_call(connection) do
      {id, %{":path" => @health}, _request} ->
        write(connection, Wire.response(id, <<8, 1>>))
        call_among_checks(connection)

      {id, %{":path" => "/p.S/M"}, "x"} ->
        {id, connection}
    end
  end

  test "checks that fail count when several follow each other" do
    server = ScriptedServer.listen()
    channel = start([server], [failures: 2] ++ @often)
    connection = accept_http2(server)
    answer_health(connection, :serving)

    fail = fn ->
      {id, %{":path" => @health}, _request} = read_call(connection)
      write(connection, [Wire.response_headers(id), Wire.trailers(id, "13")])
    end

    fail.()
    answer_health(connection, :serving)
    assert ready(channel) == 1
    fail.()
    fail.()
    eventually(fn -> ready(channel) == 0 end)
    answer_health(connection, :serving)
    eventually(fn -> ready(channel) == 1 end)
  end

  test "a server without health service is taken to be healthy" do
    server = ScriptedServer.listen()
    channel = start([server], @once)
    connection = accept_http2(server)
    {id, %{":path" => @health}, _request} = read_call(connection)
    write(connection, [Wire.response_headers(id), Wire.trailers(id, "12")])
    call = async(channel)
    answer(connection, "y")
    assert Task.await(call) == {:ok, "y", []}
  end
end
