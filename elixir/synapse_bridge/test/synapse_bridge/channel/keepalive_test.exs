defmodule SynapseBridge.Channel.KeepaliveTest do
  use ExUnit.Case, async: true

  import SynapseBridge.ScriptedServer, only: [accept_http2: 1, read: 1, read_call: 1, write: 2]

  alias SynapseBridge.{Channel, ScriptedServer, Status, Wire}
  alias SynapseBridge.Channel.Keepalive

  @moduletag :capture_log

  defp start(keepalive) do
    server = ScriptedServer.listen()
    opts = [target: server.target, keepalive: keepalive, backoff: [initial: 1, jitter: 0]]
    channel = start_supervised!({Channel, opts})
    {channel, server, accept_http2(server)}
  end

  defp async(channel, opts \\ []) do
    Task.async(fn -> Channel.unary(channel, "/p.S/M", "x", opts) end)
  end

  test "a silent server is asked while there are calls, and lost without an answer" do
    {channel, server, connection} = start(interval: 10, timeout: 1_500)
    call = async(channel)
    read_call(connection)

    assert {:ping, opaque} = read(connection)
    write(connection, Wire.ping_ack(opaque))

    assert {:ping, _unanswered} = read(connection)
    assert {:error, %Status{code: 14, message: message}} = Task.await(call)
    assert message =~ "the server did not answer a PING within 1500 ms"

    connection = accept_http2(server)
    call = async(channel, wait_for_ready: true)
    {id, _fields, "x"} = read_call(connection)
    write(connection, Wire.response(id, "y"))
    assert Task.await(call) == {:ok, "y", []}
  end

  test "without calls it is asked only where that is wanted" do
    {_channel, _server, connection} = start(interval: 10, timeout: 10_000, without_calls: true)
    assert {:ping, _opaque} = read(connection)
  end

  test "a server that complains is asked half as often from then on" do
    {channel, server, connection} = start(interval: 20, timeout: 10_000, without_calls: true)
    assert {:ping, _opaque} = read(connection)
    write(connection, Wire.goaway(0, :enhance_your_calm, "too_many_pings"))
    connection = accept_http2(server)
    assert {:ping, _opaque} = read(connection)
    {:ok, table} = Channel.Table.fetch(channel)
    [process] = Channel.Table.connections(table)
    assert :sys.get_state(process).keepalive.interval == 40
  end

  describe "by itself" do
    @settings %{interval: 100, timeout: 10, without_calls: false}

    test "is off unless asked for" do
      assert Keepalive.new(false, 0) == nil
      assert Keepalive.heard(nil) == nil
      assert SynapseBridge.Channel.Options.new!(target: "a:1").keepalive == false

      assert %{interval: 300_000, timeout: 20_000, without_calls: false} =
               SynapseBridge.Channel.Options.new!(target: "a:1", keepalive: true).keepalive
    end

    test "waits while something is heard, or nothing is under way" do
      {keepalive, 100} = Keepalive.new(@settings, 0)
      assert {:wait, keepalive, 100} = keepalive |> Keepalive.heard() |> Keepalive.tick(true)
      assert {:wait, keepalive, 100} = Keepalive.tick(keepalive, false)
      assert {:ping, keepalive, 10} = Keepalive.tick(keepalive, true)
      assert {:wait, _, 100} = keepalive |> Keepalive.heard() |> Keepalive.tick(true)
      assert {:dead, 10} = Keepalive.tick(keepalive, true)
    end

    test "doubles with each complaint, up to a day" do
      assert {_, 400} = Keepalive.new(@settings, 2)
      assert {_, 86_400_000} = Keepalive.new(@settings, 1_000)
    end
  end
end
