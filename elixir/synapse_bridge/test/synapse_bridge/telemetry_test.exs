defmodule SynapseBridge.TelemetryTest do
  # Handlers hear of all channels, so each looks for its own.
  use ExUnit.Case, async: true

  import ExUnit.CaptureLog
  import SynapseBridge.Eventually
  import SynapseBridge.ScriptedServer, only: [accept_http2: 1, read_call: 1, write: 2]

  alias SynapseBridge.{Channel, ScriptedServer, Telemetry, Wire}

  @moduletag :capture_log
  @traceparent "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

  # Sends the events of the channel `name` to the test.
  defp listen(name, events) do
    id = make_ref()
    events = for event <- events, do: [:synapse_bridge | event]
    :ok = Telemetry.attach(id, events, &__MODULE__.handle/4, {self(), name})
    on_exit(fn -> Telemetry.detach(id) end)
    id
  end

  def handle(event, measurements, metadata, {test, name}) do
    if metadata[:channel] == name, do: send(test, {event, measurements, metadata})
  end

  # The name of a channel, and a function that starts it and returns its server.
  defp start do
    server = ScriptedServer.listen()
    name = :"telemetry#{System.unique_integer([:positive])}"
    opts = [name: name, target: server.target, backoff: [initial: 1, jitter: 0]]

    start = fn ->
      start_supervised!({Channel, opts})
      server
    end

    {name, start}
  end

  defp async(channel, opts \\ []) do
    Task.async(fn -> Channel.unary(channel, "/p.S/M", "x", opts) end)
  end

  test "a call has a start and a stop, in the process that makes it" do
    {name, start} = start()
    listen(name, [[:call, :start], [:call, :stop]])
    server = start.()
    connection = accept_http2(server)
    call = async(name, client: MyClient)
    {id, _fields, "x"} = read_call(connection)
    metadata = %{channel: name, path: "/p.S/M", client: MyClient, stream: false}
    assert_receive {[:synapse_bridge, :call, :start], %{system_time: _}, ^metadata}
    write(connection, Wire.response(id, "y"))
    assert Task.await(call) == {:ok, "y", []}
    stop = Map.put(metadata, :code, :ok)
    assert_receive {[:synapse_bridge, :call, :stop], %{duration: duration, retries: 0}, ^stop}
    assert duration > 0
  end

  test "a call that fails has its code" do
    {name, start} = start()
    listen(name, [[:call, :stop]])
    start.()
    assert {:error, _} = Channel.unary(name, "/p.S/M", "x", timeout: 0)
    assert_receive {[:synapse_bridge, :call, :stop], _, %{code: :deadline_exceeded}}
  end

  test "a stream has them too, also when it is left" do
    {name, start} = start()
    listen(name, [[:call, :start], [:call, :stop]])
    server = start.()
    connection = accept_http2(server)
    {:ok, stream} = Channel.open_stream(name, "/p.S/M", "x")
    assert_receive {[:synapse_bridge, :call, :start], _, %{stream: true}}
    {id, _fields, "x"} = read_call(connection)
    write(connection, [Wire.response_headers(id), Wire.trailers(id)])
    assert {:done, []} = Channel.next(stream)
    assert_receive {[:synapse_bridge, :call, :stop], %{duration: _}, %{stream: true, code: :ok}}

    {:ok, stream} = Channel.open_stream(name, "/p.S/M", "x")
    Channel.cancel(stream)
    assert_receive {[:synapse_bridge, :call, :stop], _, %{code: :cancelled}}
  end

  test "connections come up and go down" do
    {name, start} = start()
    listen(name, [[:connection, :up], [:connection, :down]])
    server = start.()
    connection = accept_http2(server)
    target = server.target
    assert_receive {[_, _, :up], %{system_time: _}, %{channel: ^name, target: ^target}}
    ScriptedServer.abort(connection)
    assert_receive {[_, _, :down], %{duration: _}, %{target: ^target, reason: reason}}
    assert is_binary(reason)
  end

  test "a handler that fails is detached, and the call goes on" do
    {name, start} = start()
    id = make_ref()

    :ok =
      Telemetry.attach(
        id,
        [[:synapse_bridge, :call, :start]],
        fn _, _, metadata, _ -> if metadata.channel == name, do: raise("broken handler") end
      )

    server = start.()
    connection = accept_http2(server)

    log =
      capture_log(fn ->
        call = async(name)
        {stream, _fields, "x"} = read_call(connection)
        write(connection, Wire.response(stream, "y"))
        assert Task.await(call) == {:ok, "y", []}
      end)

    assert log =~ "is detached" and log =~ "broken handler"
    assert Telemetry.detach(id) == {:error, :not_found}
  end

  test "an id is used once" do
    id = listen(:nobody, [[:call, :stop]])
    handler = fn _, _, _, _ -> :ok end
    assert Telemetry.attach(id, [[:x]], handler) == {:error, :already_exists}
  end

  describe "traceparent" do
    setup do
      {name, start} = start()
      server = start.()
      %{channel: name, connection: accept_http2(server)}
    end

    defp sent(connection, call) do
      {id, fields, "x"} = read_call(connection)
      write(connection, Wire.response(id, "y"))
      assert Task.await(call) == {:ok, "y", []}
      fields["traceparent"]
    end

    test "is sent where a call has one", %{channel: channel, connection: connection} do
      assert sent(connection, async(channel)) == nil
      assert sent(connection, async(channel, traceparent: @traceparent)) == @traceparent
    end

    test "is sent where the process has one", %{channel: channel, connection: connection} do
      call =
        Task.async(fn ->
          assert Telemetry.put_traceparent(@traceparent) == nil
          result = Channel.unary(channel, "/p.S/M", "x")
          assert Telemetry.put_traceparent(nil) == @traceparent
          assert Telemetry.traceparent() == nil
          result
        end)

      assert sent(connection, call) == @traceparent
    end

    test "has to be one", %{channel: channel} do
      for wrong <- ["", "00-xyz", :trace] do
        assert_raise ArgumentError, ~r/expected a traceparent like/, fn ->
          Channel.unary(channel, "/p.S/M", "x", traceparent: wrong)
        end

        assert_raise ArgumentError, fn -> Telemetry.put_traceparent(wrong) end
      end
    end
  end

  test "managed servers start, get ready, and go down" do
    name = :"telemetry#{System.unique_integer([:positive])}"
    listen(name, [[:server, :start], [:server, :ready], [:server, :down]])
    folder = Path.join(System.tmp_dir!(), "#{name}")
    File.mkdir!(folder)
    on_exit(fn -> File.rm_rf!(folder) end)
    server = ScriptedServer.listen()
    options = SynapseBridge.FakeServer.options(folder, server, "listen; exec cat")
    channel = start_supervised!({Channel, name: name, server: options}, restart: :temporary)
    SynapseBridge.FakeServer.accept_healthy(server)
    label = "the server fake_server.sh"
    assert_receive {[_, _, :start], %{system_time: _}, %{attempt: 1, os_pid: pid, server: ^label}}
    assert_receive {[_, _, :ready], %{duration: _}, %{attempt: 1, os_pid: ^pid, target: _}}, 5_000
    System.cmd("/bin/sh", ["-c", "kill -9 #{pid}"])
    assert_receive {[_, _, :down], %{duration: _}, %{os_pid: ^pid, reason: reason}}, 5_000
    assert reason == "it was ended by signal 9"
    assert_receive {[_, _, :start], _, %{attempt: 2}}, 5_000
    eventually(fn -> Process.alive?(channel) end)
  end
end
