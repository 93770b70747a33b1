defmodule SynapseBridge.Channel.RetryTest do
  use ExUnit.Case, async: true

  import SynapseBridge.Eventually
  import SynapseBridge.ScriptedServer, only: [accept_http2: 1, read_call: 1, write: 2]

  alias SynapseBridge.{Channel, Rpc, ScriptedServer, Status, Wire}

  @moduletag :capture_log
  @retry [initial: 1, jitter: 0, max_attempts: 3]

  defp start(retry \\ @retry) do
    server = ScriptedServer.listen()
    opts = [target: server.target, retry: retry, backoff: [initial: 1, jitter: 0]]
    channel = start_supervised!({Channel, opts}, id: make_ref())
    {channel, server, accept_http2(server)}
  end

  defp async(channel, opts) do
    Task.async(fn -> Channel.unary(channel, "/p.S/M", "x", opts) end)
  end

  # Answers the next call with an error, and returns its fields.
  defp fail(connection, code, more \\ []) do
    {id, fields, "x"} = read_call(connection)

    write(connection, [Wire.response_headers(id), Wire.trailers(id, "#{Status.code(code)}", more)])

    fields
  end

  test "an idempotent call that the server fails is made again, and says so" do
    {channel, _server, connection} = start()
    call = async(channel, idempotent: true)
    refute Map.has_key?(fail(connection, :unavailable), "grpc-previous-rpc-attempts")
    assert fail(connection, :unavailable)["grpc-previous-rpc-attempts"] == "1"
    {id, %{"grpc-previous-rpc-attempts" => "2"}, "x"} = read_call(connection)
    write(connection, Wire.response(id, "y"))
    assert Task.await(call) == {:ok, "y", []}
  end

  test "an idempotent call on a connection that is lost is made again" do
    {channel, server, connection} = start()
    call = async(channel, idempotent: true)
    {1, _fields, "x"} = read_call(connection)
    ScriptedServer.abort(connection)
    connection = accept_http2(server)
    {1, _fields, "x"} = read_call(connection)
    write(connection, Wire.response(1, "y"))
    assert Task.await(call) == {:ok, "y", []}
  end

  test "an idempotent call that takes long is not made a second time beside it" do
    {channel, _server, connection} = start()
    call = async(channel, idempotent: true)
    {id, _fields, "x"} = read_call(connection)
    # Fifty times the pause before another attempt.
    refute Task.yield(call, 50)
    ScriptedServer.assert_silent(connection)
    write(connection, Wire.response(id, "y"))
    assert Task.await(call) == {:ok, "y", []}
    ScriptedServer.assert_silent(connection)
  end

  test "after max_attempts the last error is the result" do
    {channel, _server, connection} = start()
    call = async(channel, idempotent: true)
    for n <- 1..3, do: fail(connection, :unavailable, [{"grpc-message", "#{n}"}])
    assert {:error, %Status{code: 14, message: "3"}} = Task.await(call)
    ScriptedServer.assert_silent(connection)
  end

  for {title, opts, code} <- [
        {"that is not idempotent", [], :unavailable},
        {"with another error", [idempotent: true], :internal},
        {"that says it is not", [idempotent: false], :unavailable}
      ] do
    @opts opts
    @code code
    test "a call #{title} is made once" do
      {channel, _server, connection} = start()
      call = async(channel, @opts)
      fail(connection, @code)
      assert {:error, %Status{}} = Task.await(call)
      ScriptedServer.assert_silent(connection)
    end
  end

  test "retry: false makes every call once" do
    {channel, _server, connection} = start(false)
    call = async(channel, idempotent: true)
    fail(connection, :unavailable)
    assert {:error, %Status{code: 14}} = Task.await(call)
    ScriptedServer.assert_silent(connection)
  end

  test "other codes may be named" do
    {channel, _server, connection} = start([codes: [:aborted]] ++ @retry)
    call = async(channel, idempotent: true)
    fail(connection, :aborted)
    fail(connection, :unavailable)
    assert {:error, %Status{code: 14}} = Task.await(call)
  end

  defp retry_info(milliseconds) do
    delay = %Rpc.Duration{nanos: milliseconds * 1_000_000}
    info = Rpc.RetryInfo.encode(%Rpc.RetryInfo{retry_delay: delay})
    any = %Rpc.Any{type_url: "type.googleapis.com/google.rpc.RetryInfo", value: bytes(info)}
    status = Rpc.Status.encode(%Rpc.Status{code: 14, message: "later", details: [any]})
    [{"grpc-status-details-bin", Base.encode64(bytes(status))}]
  end

  defp bytes(iodata), do: IO.iodata_to_binary(iodata)

  test "a pause that the server asks for is kept" do
    {channel, _server, connection} = start()
    call = async(channel, idempotent: true)
    # Before the pause can begin, so that it does not seem shorter than it was.
    asked = System.monotonic_time(:millisecond)
    fail(connection, :unavailable, retry_info(60))
    {id, _fields, "x"} = read_call(connection)
    assert System.monotonic_time(:millisecond) - asked >= 55
    write(connection, Wire.response(id, "y"))
    assert Task.await(call) == {:ok, "y", []}
  end

  test "a pause that ends after the deadline is not begun" do
    {channel, _server, connection} = start()
    call = async(channel, idempotent: true, timeout: 30_000)
    {id, _fields, "x"} = read_call(connection)
    info = retry_info(40_000)
    write(connection, [Wire.response_headers(id), Wire.trailers(id, "14", info)])
    assert {:error, %Status{code: 14}} = Task.await(call)
    ScriptedServer.assert_silent(connection)
  end

  describe "an idempotent call that streams its results" do
    # All results, and how the call ended.
    defp collect(channel, opts, request \\ "x") do
      Task.async(fn ->
        with {:ok, exchange} <- Channel.open_stream(channel, "/p.S/M", request, opts),
             do: collect_from(exchange, [])
      end)
    end

    defp collect_from(exchange, results) do
      case Channel.next(exchange) do
        {:messages, messages, exchange} -> collect_from(exchange, results ++ messages)
        {:done, _trailers} -> {results, :done}
        {:error, status} -> {results, Status.name(status.code)}
      end
    end

    defp send_messages(connection, id, messages) do
      write(connection, Wire.response_headers(id))
      for message <- messages, do: write(connection, Wire.data(id, Wire.message(message)))
    end

    test "is made again until there is a result, and says so" do
      {channel, _server, connection} = start()
      call = collect(channel, idempotent: true)
      refute Map.has_key?(fail(connection, :unavailable), "grpc-previous-rpc-attempts")
      {id, %{"grpc-previous-rpc-attempts" => "1"}, "x"} = read_call(connection)
      send_messages(connection, id, ["a", "b"])
      write(connection, Wire.trailers(id))
      assert Task.await(call) == {["a", "b"], :done}
    end

    test "is made again when its connection is lost before that" do
      {channel, server, connection} = start()
      call = collect(channel, idempotent: true)
      {id, _fields, "x"} = read_call(connection)
      send_messages(connection, id, [])
      ScriptedServer.abort(connection)
      connection = accept_http2(server)
      {id, %{"grpc-previous-rpc-attempts" => "1"}, "x"} = read_call(connection)
      send_messages(connection, id, ["a"])
      write(connection, Wire.trailers(id))
      assert Task.await(call) == {["a"], :done}
    end

    test "fails after a result, as that could come twice" do
      {channel, _server, connection} = start()
      call = collect(channel, idempotent: true)
      {id, _fields, "x"} = read_call(connection)
      send_messages(connection, id, ["a"])
      write(connection, Wire.trailers(id, "14"))
      assert Task.await(call) == {["a"], :unavailable}
      ScriptedServer.assert_silent(connection)
    end

    test "ends with the last error after max_attempts" do
      {channel, _server, connection} = start()
      call = collect(channel, idempotent: true)
      for _ <- 1..3, do: fail(connection, :unavailable)
      assert Task.await(call) == {[], :unavailable}
      ScriptedServer.assert_silent(connection)
    end

    test "waits for no longer than its deadline" do
      {channel, _server, connection} = start()
      call = collect(channel, idempotent: true, timeout: 30_000)
      fail(connection, :unavailable, retry_info(40_000))
      assert Task.await(call) == {[], :unavailable}
      ScriptedServer.assert_silent(connection)
    end

    test "is not made again for a process that has died in the pause" do
      {channel, _server, connection} = start()
      other = spawn(fn -> Process.sleep(:infinity) end)

      call =
        Task.async(fn ->
          monitor = Process.monitor(other)
          {:ok, exchange} = Channel.open_stream(channel, "/p.S/M", "x", idempotent: true)
          assert {:stopped, ^monitor, :killed, exchange} = Channel.next(exchange, monitor)
          Channel.cancel(exchange)
        end)

      fail(connection, :unavailable, retry_info(20_000))
      # The call on the wire is over: what comes now comes in the pause.
      {:ok, table} = Channel.Table.fetch(channel)
      [process] = Channel.Table.connections(table)
      eventually(fn -> :sys.get_state(process).streams == %{} end)
      Process.exit(other, :kill)
      assert Task.await(call) == :ok
      ScriptedServer.assert_silent(connection)
    end

    for {title, opts, request} <- [
          {"that is not idempotent", [], "x"},
          {"with a streamed argument", [idempotent: true], {:stream, "x"}}
        ] do
      @opts opts
      @request request
      test "but not one #{title}" do
        {channel, _server, connection} = start()
        call = collect(channel, @opts, @request)
        {:headers, id, _fields} = ScriptedServer.read(connection)
        write(connection, [Wire.response_headers(id), Wire.trailers(id, "14")])
        assert Task.await(call) == {[], :unavailable}
      end
    end
  end
end
