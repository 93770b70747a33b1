defmodule SynapseBridge.Channel.PoolTest do
  use ExUnit.Case, async: true

  import ExUnit.CaptureLog
  import SynapseBridge.Eventually

  import SynapseBridge.ScriptedServer,
    only: [accept: 1, accept_http2: 1, accept_http2: 2, read_call: 1, write: 2]

  alias SynapseBridge.{Channel, ScriptedServer, Status, Wire}
  alias SynapseBridge.Channel.Table

  @moduletag :capture_log

  defp start(opts) do
    opts = Keyword.merge([backoff: [initial: 1, jitter: 0]], opts)
    start_supervised!({Channel, opts}, id: make_ref())
  end

  # A channel to two servers, once both take calls. The second one has the first turn.
  defp start_with_two(opts \\ []) do
    servers = Enum.sort_by(for(_ <- 1..2, do: ScriptedServer.listen()), & &1.target)
    channel = start([targets: Enum.map(servers, & &1.target)] ++ opts)
    connections = Enum.map(servers, &accept_http2/1)
    wait_for(channel, 2)
    {channel, servers, connections}
  end

  defp wait_for(channel, count) do
    {:ok, table} = Table.fetch(channel)
    eventually(fn -> length(Table.connections(table)) == count end)
  end

  defp async(channel, request, opts \\ []) do
    Task.async(fn -> Channel.unary(channel, "/p.S/M", request, opts) end)
  end

  defp answer(connection, text) do
    {id, _fields, _message} = read_call(connection)
    write(connection, Wire.response(id, text))
  end

  test "servers take turns, and all are told the first one's name" do
    {channel, [server, _], [a, b]} = start_with_two()

    for _ <- 1..3, connection <- [b, a] do
      call = async(channel, "x")
      {id, %{":authority" => authority}, "x"} = read_call(connection)
      assert authority == server.target
      write(connection, Wire.response(id, "y"))
      assert Task.await(call) == {:ok, "y", []}
    end
  end

  test "pool_size is the number of connections to a server" do
    server = ScriptedServer.listen()
    channel = start(target: server.target, pool_size: 3)
    connections = for _ <- 1..3, do: accept_http2(server)
    wait_for(channel, 3)
    calls = for n <- 1..6, do: async(channel, "#{n}")
    for _ <- 1..2, connection <- connections, do: answer(connection, "y")
    assert Task.await_many(calls) == List.duplicate({:ok, "y", []}, 6)
  end

  test "the same server twice counts once" do
    server = ScriptedServer.listen()
    channel = start(targets: [server.target, server.target])
    accept_http2(server)
    wait_for(channel, 1)
    assert {:error, :timeout} = :gen_tcp.accept(server.socket, 0)
  end

  test "by load, a call goes to the server that has less to do" do
    {channel, _servers, connections} = start_with_two(balance: :least_loaded)
    first = async(channel, "first")
    {busy, id} = whose_call(connections)
    [idle] = connections -- [busy]

    for _ <- 1..5 do
      call = async(channel, "x")
      answer(idle, "y")
      assert Task.await(call) == {:ok, "y", []}
    end

    write(busy, Wire.response(id, "z"))
    assert Task.await(first) == {:ok, "z", []}
  end

  # Which of the connections has got a call; the reader of the other one ends with the test.
  defp whose_call(connections) do
    test = self()

    for {:gen_tcp, socket} = connection <- connections do
      :ok = :inet.setopts(socket, active: :once)
      {socket, connection}
    end

    assert_receive {:tcp, socket, bytes}
    for {:gen_tcp, other} <- connections, do: :ok = :inet.setopts(other, active: false)
    assert [{:headers, id, _fields} | _data] = Wire.client_frames(bytes)
    assert is_pid(test)
    {{:gen_tcp, socket}, id}
  end

  test "a call whose caller dies is no load any more" do
    {channel, _servers, connections} = start_with_two(balance: :least_loaded)
    first = async(channel, "first")
    {late, id} = whose_call(connections)
    Task.shutdown(first, :brutal_kill)
    assert ScriptedServer.read(late) == {:rst_stream, id, :cancel}

    calls = for _ <- 1..2, do: async(channel, "x")
    for connection <- connections, do: answer(connection, "y")
    assert Task.await_many(calls) == [{:ok, "y", []}, {:ok, "y", []}]
  end

  test "a server that is lost fails its calls only, at once; the others serve" do
    {channel, [a, _b], [to_a, to_b]} = start_with_two()
    on_b = async(channel, "b")
    {id, _fields, "b"} = read_call(to_b)
    on_a = async(channel, "a")
    {1, _fields, "a"} = read_call(to_a)
    ScriptedServer.stop_listening(a)
    ScriptedServer.abort(to_a)

    assert {:error, %Status{code: 14, message: message}} = Task.await(on_a)
    assert message =~ "the connection to #{a.target} was lost"
    write(to_b, Wire.response(id, "y"))
    assert Task.await(on_b) == {:ok, "y", []}

    for _ <- 1..3 do
      call = async(channel, "x")
      answer(to_b, "y")
      assert Task.await(call) == {:ok, "y", []}
    end

    # and back it comes
    a = ScriptedServer.listen(port: a.port)
    to_a = accept_http2(a)
    wait_for(channel, 2)
    calls = for _ <- 1..2, do: async(channel, "x")
    for connection <- [to_a, to_b], do: answer(connection, "y")
    assert Task.await_many(calls) == [{:ok, "y", []}, {:ok, "y", []}]
  end

  test "a server that shuts down in good order loses no call" do
    {channel, [a, _b], [to_a, to_b]} = start_with_two()
    on_b = async(channel, "b")
    {on_b_id, _fields, "b"} = read_call(to_b)
    on_a = async(channel, "a")
    {1, _fields, "a"} = read_call(to_a)
    ScriptedServer.stop_listening(a)
    write(to_a, [Wire.goaway(1, :no_error), Wire.ping("goaway!!")])
    assert ScriptedServer.read(to_a) == {:ping_ack, "goaway!!"}

    for _ <- 1..3 do
      call = async(channel, "x")
      answer(to_b, "y")
      assert Task.await(call) == {:ok, "y", []}
    end

    write(to_a, Wire.response(1, "a"))
    write(to_b, Wire.response(on_b_id, "b"))
    assert {Task.await(on_a), Task.await(on_b)} == {{:ok, "a", []}, {:ok, "b", []}}
    assert ScriptedServer.assert_closed(to_a) == []
  end

  test "while one server is out of reach and the other connects, calls wait for that" do
    [a, b] = for _ <- 1..2, do: ScriptedServer.listen()
    ScriptedServer.stop_listening(a)
    channel = start(targets: [a.target, b.target], backoff: [initial: 60_000])
    silent = accept(b)
    call = async(channel, "x")
    # the channel knows of both
    {:ok, table} = Table.fetch(channel)
    eventually(fn -> map_size(:sys.get_state(table.connector).ids) == 1 end)
    refute Task.yield(call, 0)
    ScriptedServer.abort(silent)

    assert {:error, %Status{code: 14, message: message}} = Task.await(call)
    assert message =~ "#{a.target}: connection refused"
    assert message =~ "#{b.target}: "
  end

  test "a server that refuses a stream gets the call again, or another server does" do
    {channel, _servers, [a, b]} = start_with_two()
    call = async(channel, "x")
    {1, _fields, "x"} = read_call(b)
    write(b, Wire.rst_stream(1, :refused_stream))
    {1, _fields, "x"} = read_call(a)
    write(a, Wire.response(1, "y"))
    assert Task.await(call) == {:ok, "y", []}
  end

  describe "a dns: target" do
    # The name has addresses of this machine, the servers the same port.
    defp named(addresses) do
      name = "pool-#{System.unique_integer([:positive])}.test"
      [first | others] = addresses
      first = ScriptedServer.listen(ip: first)
      servers = [first | Enum.map(others, &ScriptedServer.listen(ip: &1, port: first.port))]
      {name, "dns:#{name}:#{first.port}", servers}
    end

    defp point(name, addresses) do
      for address <- addresses, do: :ok = :inet_db.add_host(address, [String.to_charlist(name)])
      on_exit(fn -> for address <- addresses, do: :inet_db.del_host(address) end)
    end

    test "is a server at each address, with the name as authority" do
      addresses = [{127, 0, 1, 1}, {127, 0, 1, 2}]
      {name, target, servers} = named(addresses)
      point(name, addresses)
      channel = start(target: target)
      connections = Enum.map(servers, &accept_http2/1)
      wait_for(channel, 2)
      calls = for _ <- 1..2, do: async(channel, "x")

      for connection <- connections do
        {1, %{":authority" => authority}, "x"} = read_call(connection)
        assert "dns:" <> authority == target
        write(connection, Wire.response(1, "y"))
      end

      assert Task.await_many(calls) == [{:ok, "y", []}, {:ok, "y", []}]
    end

    test "follows the name: calls at an address that has gone are finished" do
      addresses = [{127, 0, 2, 1}, {127, 0, 2, 2}]
      {name, target, [a, b]} = named(addresses)
      point(name, [{127, 0, 2, 1}])
      channel = start(target: target, resolve_interval: 20)
      to_a = accept_http2(a)
      last = async(channel, "last")
      {1, _fields, "last"} = read_call(to_a)

      point(name, [{127, 0, 2, 2}])
      to_b = accept_http2(b)
      wait_for(channel, 2)
      :inet_db.del_host({127, 0, 2, 1})
      wait_for(channel, 1)
      call = async(channel, "x")
      answer(to_b, "y")
      assert Task.await(call) == {:ok, "y", []}
      write(to_a, Wire.response(1, "bye"))
      assert Task.await(last) == {:ok, "bye", []}
      assert ScriptedServer.assert_closed(to_a) == []
    end

    test "is looked up again when a connection is lost" do
      addresses = [{127, 0, 3, 1}, {127, 0, 3, 2}]
      {name, target, [a, b]} = named(addresses)
      point(name, [{127, 0, 3, 1}])
      channel = start(target: target, resolve_interval: 3_600_000)
      to_a = accept_http2(a)
      wait_for(channel, 1)
      :inet_db.del_host({127, 0, 3, 1})
      point(name, [{127, 0, 3, 2}])
      ScriptedServer.stop_listening(a)
      ScriptedServer.abort(to_a)
      to_b = accept_http2(b)
      call = async(channel, "x", wait_for_ready: true)
      answer(to_b, "y")
      assert Task.await(call) == {:ok, "y", []}
    end

    test "keeps the addresses that it had while the name does not resolve" do
      addresses = [{127, 0, 4, 1}]
      {name, target, [server]} = named(addresses)
      point(name, addresses)

      log =
        capture_log(fn ->
          channel = start(target: target, resolve_interval: 1)
          connection = accept_http2(server)
          :inet_db.del_host({127, 0, 4, 1})
          {:ok, table} = Table.fetch(channel)
          eventually(fn -> :sys.get_state(table.connector).sources |> failed?() end)
          call = async(channel, "x")
          answer(connection, "y")
          assert Task.await(call) == {:ok, "y", []}
        end)

      assert log =~ "#{target}: the host name \"#{name}\" does not resolve"
    end

    defp failed?(sources), do: Enum.any?(sources, fn {_key, source} -> source.failure != nil end)

    test "is followed also when the process that looks it up crashes" do
      addresses = [{127, 0, 5, 1}, {127, 0, 5, 2}]
      {name, target, [a, b]} = named(addresses)
      point(name, [{127, 0, 5, 1}])
      channel = start(target: target, resolve_interval: 3_600_000)
      accept_http2(a)
      wait_for(channel, 1)

      [{_key, %{process: resolver}}] =
        channel |> :sys.get_state() |> Map.get(:sources) |> Enum.to_list()

      point(name, [{127, 0, 5, 2}])
      Process.exit(resolver, :kill)
      accept_http2(b)
      wait_for(channel, 2)
    end

    test "that does not resolve makes calls unavailable, and says so" do
      channel = start(target: "dns:nowhere.invalid:1")
      assert {:error, %Status{code: 14, message: message}} = Channel.unary(channel, "/p.S/M", "x")
      assert message =~ ~s(the host name "nowhere.invalid" does not resolve)
    end
  end

  test "calls that wait for a stream on a server that is lost go to another" do
    [a, b] = servers = for _ <- 1..2, do: ScriptedServer.listen()
    channel = start(targets: Enum.map(servers, & &1.target))
    to_a = accept_http2(a, max_concurrent_streams: 1)
    to_b = accept_http2(b)
    wait_for(channel, 2)
    calls = for n <- 1..4, do: async(channel, "#{n}")
    {1, _fields, _message} = read_call(to_a)
    answer(to_b, "y")
    answer(to_b, "y")
    {:ok, table} = Table.fetch(channel)

    [process] =
      for {_n, %{target: t} = slot} <- :sys.get_state(table.connector).slots,
          to_string(t) == a.target,
          do: elem(slot.phase, 1)

    eventually(fn -> :sys.get_state(process).queued == 1 end)
    ScriptedServer.stop_listening(a)
    ScriptedServer.abort(to_a)
    answer(to_b, "y")

    assert [:error, :ok, :ok, :ok] =
             calls |> Task.await_many() |> Enum.map(&elem(&1, 0)) |> Enum.sort()
  end
end
