defmodule SynapseBridge.Channel.LifecycleTest do
  use ExUnit.Case, async: true

  import ExUnit.CaptureLog

  import SynapseBridge.ScriptedServer,
    only: [accept: 1, accept_http2: 1, accept_http2: 2, read: 1, read_call: 1, write: 2]

  alias SynapseBridge.{Channel, ScriptedServer, Status, Wire}
  alias SynapseBridge.Channel.Table

  @moduletag :capture_log
  # A connection that ends at once counts as failed; tests do not want to wait a second for the next.
  @fast [initial: 1, jitter: 0]

  setup do
    %{server: ScriptedServer.listen()}
  end

  defp start(server, opts \\ []) do
    opts = Keyword.merge([target: server.target, backoff: @fast], opts)
    start_supervised!({Channel, opts}, id: make_ref())
  end

  defp async(channel, request, opts \\ []) do
    Task.async(fn -> Channel.unary(channel, "/p.S/M", request, opts) end)
  end

  # Waits for the connection that comes back; a call without this may meet the pause before it.
  defp async_ready(channel, request) do
    async(channel, request, wait_for_ready: true, timeout: 10_000)
  end

  defp answer(connection, text) do
    {id, _fields, _message} = read_call(connection)
    write(connection, Wire.response(id, text))
  end

  # The server may see the connection before the channel lets calls use it.
  defp connection_process(channel) do
    {:ok, table} = Table.fetch(channel)
    eventually(fn -> Table.connection(table) != nil end)
    Table.connection(table)
  end

  describe "connecting" do
    test "happens without a call", %{server: server} do
      start(server)
      accept_http2(server)
    end

    test "calls made in the meantime wait for it", %{server: server} do
      channel = start(server)
      call = async(channel, "x")
      connection = accept(server)
      refute Task.yield(call, 10)
      write(connection, Wire.settings())
      ScriptedServer.read_preface(connection)
      assert {:settings, _} = read(connection)
      assert {:window_update, 0, _} = read(connection)
      assert :settings_ack = read(connection)
      answer(connection, "y")
      assert Task.await(call) == {:ok, "y", []}
    end

    test "calls made in the meantime fail with the attempt", %{server: server} do
      channel = start(server, backoff: [initial: 60_000])
      calls = for _ <- 1..3, do: async(channel, "x")
      connection = accept(server)
      ScriptedServer.abort(connection)

      for {:error, %Status{code: 14, message: message}} <- Task.await_many(calls) do
        assert message =~ "no connection to #{server.target}"
        assert message =~ "wait_for_ready"
      end
    end

    test "to where nobody listens fails at once, and says so", %{server: server} do
      ScriptedServer.stop_listening(server)

      log =
        capture_log(fn ->
          channel = start(server, backoff: [initial: 60_000])

          for _ <- 1..2 do
            assert {:error, %Status{code: 14, message: message}} =
                     Channel.unary(channel, "/p.S/M", "x")

            assert message =~ "connection refused; is the server running there?"
          end
        end)

      assert log =~ ~r/\[warning\].*no connection to #{server.target}: connection refused/
    end

    test "is bounded by a call's deadline", %{server: server} do
      channel = start(server)
      _silent = accept(server)

      assert {:error, %Status{code: 4, message: message}} =
               Channel.unary(channel, "/p.S/M", "x", timeout: 30)

      assert message =~ "within 30 ms"
      assert Process.info(self(), :messages) == {:messages, []}
    end

    test "to a server that says nothing fails after connect_timeout", %{server: server} do
      channel = start(server, connect_timeout: 30, backoff: [initial: 60_000])
      _silent = accept(server)
      assert {:error, %Status{code: 14, message: message}} = Channel.unary(channel, "/p.S/M", "x")
      assert message =~ "did not answer with HTTP/2 SETTINGS"
    end

    test "to a server that speaks something else says so", %{server: server} do
      channel = start(server, backoff: [initial: 60_000])
      call = async(channel, "x")
      connection = accept(server)
      write(connection, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
      assert {:error, %Status{code: 14, message: message}} = Task.await(call)
      assert message =~ "does not speak HTTP/2" and message =~ "HTTP/1.1 400"
    end

    test "through a Unix socket" do
      path =
        Path.join(System.tmp_dir!(), "synapse-bridge-#{System.unique_integer([:positive])}.sock")

      on_exit(fn -> File.rm(path) end)
      server = ScriptedServer.listen(unix: path)
      channel = start(server)
      connection = accept_http2(server)
      call = async(channel, "x")
      {1, %{":authority" => "localhost"}, "x"} = read_call(connection)
      write(connection, Wire.response(1, "y"))
      assert Task.await(call) == {:ok, "y", []}
    end
  end

  describe "a connection that is lost" do
    for {title, way} <- [{"closed", :close}, {"aborted", :abort}] do
      @way way
      test "(#{title}) fails its calls with :unavailable, and is replaced", %{server: server} do
        channel = start(server)
        connection = accept_http2(server)
        calls = for n <- 1..3, do: async(channel, "#{n}")
        for _ <- calls, do: read_call(connection)
        # one of them is half answered
        write(connection, [Wire.response_headers(1), Wire.data(1, "half")])
        ScriptedServer.assert_silent(connection)
        apply(ScriptedServer, @way, [connection])

        for result <- Task.await_many(calls) do
          assert {:error, %Status{code: 14, message: message, trailers: []}} = result
          assert message =~ "the connection to #{server.target} was lost during the call"
        end

        connection = accept_http2(server)
        call = async_ready(channel, "x")
        answer(connection, "y")
        assert Task.await(call) == {:ok, "y", []}
      end
    end

    test "gives back the calls that it had not sent, unnoticed", %{server: server} do
      channel = start(server)
      connection = accept_http2(server, max_concurrent_streams: 1)
      sent = async(channel, "sent")
      {1, _fields, "sent"} = read_call(connection)
      waiting = for n <- 1..3, do: async_ready(channel, "#{n}")
      process = connection_process(channel)
      eventually(fn -> :sys.get_state(process).queued == 3 end)
      ScriptedServer.close(connection)
      assert {:error, %Status{code: 14}} = Task.await(sent)

      connection = accept_http2(server)
      for _ <- waiting, do: answer(connection, "y")
      assert Task.await_many(waiting) == List.duplicate({:ok, "y", []}, 3)
    end

    test "by a server that is killed and comes back on its port", %{server: server} do
      channel = start(server)
      connection = accept_http2(server)
      ScriptedServer.stop_listening(server)
      ScriptedServer.close(connection)

      # until the channel has found out
      eventually(fn ->
        match?(
          {:error, %Status{code: 14, message: "no connection to" <> _}},
          Channel.unary(channel, "/p.S/M", "x")
        )
      end)

      patient = async_ready(channel, "patient")

      log =
        capture_log(fn ->
          server = ScriptedServer.listen(port: server.port)
          connection = accept_http2(server)
          answer(connection, "back")
          assert Task.await(patient) == {:ok, "back", []}

          call = async(channel, "x")
          answer(connection, "fine")
          assert Task.await(call) == {:ok, "fine", []}
        end)

      assert log =~ "connected to #{server.target} again"
    end

    test "because the server broke the protocol: it is told why, calls are :unavailable", %{
      server: server
    } do
      channel = start(server)
      connection = accept_http2(server)
      calls = for n <- 1..2, do: async(channel, "#{n}")
      for _ <- calls, do: read_call(connection)

      write(connection, [
        Wire.response(1, "first"),
        Wire.frame(:push_promise, [:end_headers], 3, <<2::32>>)
      ])

      assert [{:goaway, 0, :protocol_error, text}] = ScriptedServer.assert_closed(connection)
      assert text =~ "PUSH_PROMISE"
      results = Task.await_many(calls)
      assert {:ok, "first", []} in results
      assert [{:error, %Status{code: 14, message: message}}] = results -- [{:ok, "first", []}]
      assert message =~ "PUSH_PROMISE"

      connection = accept_http2(server)
      call = async_ready(channel, "x")
      answer(connection, "y")
      assert Task.await(call) == {:ok, "y", []}
    end

    test "pauses grow while the server is away", %{server: server} do
      channel = start(server, backoff: [initial: 20, multiplier: 3, jitter: 0])

      times =
        for _ <- 1..3 do
          connection = accept(server)
          # Before the pause can begin, so that no pause seems shorter than it was.
          time = System.monotonic_time(:millisecond)
          ScriptedServer.abort(connection)
          time
        end

      assert [first, second] = Enum.zip_with(tl(times), times, &(&1 - &2))
      # pauses of 20 and 60 ms; timers may be late, not early
      assert first >= 19 and second >= 59
      assert Process.alive?(channel)
    end
  end

  describe "GOAWAY" do
    test "finishes the calls it names, repeats those above it, and new calls take a new connection",
         %{server: server} do
      channel = start(server)
      old = accept_http2(server)
      kept = async(channel, "kept")
      {1, _fields, "kept"} = read_call(old)
      repeated = async_ready(channel, "repeated")
      {3, _fields, "repeated"} = read_call(old)
      write(old, Wire.goaway(1, :no_error, "restarting"))

      new = accept_http2(server)
      {1, _fields, "repeated"} = read_call(new)
      write(new, Wire.response(1, "second time"))
      assert Task.await(repeated) == {:ok, "second time", []}
      fresh = async(channel, "fresh")
      {3, _fields, "fresh"} = read_call(new)
      write(new, Wire.response(3, "new"))
      assert Task.await(fresh) == {:ok, "new", []}

      write(old, Wire.response(1, "finished"))
      assert Task.await(kept) == {:ok, "finished", []}
      assert ScriptedServer.assert_closed(old) == []
    end

    test "before any call", %{server: server} do
      channel = start(server)
      old = accept_http2(server)
      write(old, Wire.goaway(0, :no_error))
      assert ScriptedServer.assert_closed(old) == []
      new = accept_http2(server)
      call = async_ready(channel, "x")
      answer(new, "y")
      assert Task.await(call) == {:ok, "y", []}
    end

    test "together with the server's SETTINGS", %{server: server} do
      channel = start(server)
      call = async_ready(channel, "x")
      first = accept(server)
      write(first, [Wire.settings(), Wire.goaway(0, :no_error)])
      second = accept_http2(server)
      answer(second, "y")
      assert Task.await(call) == {:ok, "y", []}
    end

    test "in two steps, as servers shut down gracefully", %{server: server} do
      channel = start(server)
      old = accept_http2(server)
      call = async(channel, "x")
      {1, _fields, "x"} = read_call(old)
      write(old, [Wire.goaway(0x7FFFFFFF, :no_error), Wire.ping("drained?")])
      assert read(old) == {:ping_ack, "drained?"}
      write(old, Wire.goaway(1, :no_error))
      accept_http2(server)
      write(old, Wire.response(1, "y"))
      assert Task.await(call) == {:ok, "y", []}
    end

    test "repeats a call four times, not for ever", %{server: server} do
      channel = start(server)
      call = async_ready(channel, "x")

      for _ <- 1..5 do
        connection = accept_http2(server)
        {1, _fields, "x"} = read_call(connection)
        write(connection, Wire.goaway(0, :no_error))
      end

      assert {:error, %Status{code: 14, message: message}} = Task.await(call)
      assert message =~ "did not take the call (GOAWAY)"
    end

    test "gives back the calls that wait for a stream", %{server: server} do
      channel = start(server)
      old = accept_http2(server, max_concurrent_streams: 1)
      sent = async(channel, "sent")
      {1, _fields, "sent"} = read_call(old)
      waiting = async_ready(channel, "waiting")
      process = connection_process(channel)
      eventually(fn -> :sys.get_state(process).queued == 1 end)
      write(old, Wire.goaway(1, :no_error))
      new = accept_http2(server)
      answer(new, "elsewhere")
      assert Task.await(waiting) == {:ok, "elsewhere", []}
      write(old, Wire.response(1, "here"))
      assert Task.await(sent) == {:ok, "here", []}
    end
  end

  describe "REFUSED_STREAM" do
    test "is repeated, unnoticed", %{server: server} do
      channel = start(server)
      connection = accept_http2(server)
      call = async(channel, "x")

      for id <- [1, 3, 5, 7] do
        {^id, _fields, "x"} = read_call(connection)
        write(connection, Wire.rst_stream(id, :refused_stream))
      end

      {9, _fields, "x"} = read_call(connection)
      write(connection, Wire.response(9, "y"))
      assert Task.await(call) == {:ok, "y", []}
    end

    test "five times is :unavailable", %{server: server} do
      channel = start(server)
      connection = accept_http2(server)
      call = async(channel, "x")

      for id <- [1, 3, 5, 7, 9] do
        {^id, _fields, "x"} = read_call(connection)
        write(connection, Wire.rst_stream(id, :refused_stream))
      end

      assert {:error, %Status{code: 14, message: message}} = Task.await(call)
      assert message =~ "REFUSED_STREAM"
    end

    test "leaves a stream free from then on, except for the last one", %{server: server} do
      channel = start(server)
      connection = accept_http2(server, max_concurrent_streams: 2)
      first = async(channel, "1")
      {1, _fields, "1"} = read_call(connection)
      second = async(channel, "2")
      {3, _fields, "2"} = read_call(connection)
      write(connection, Wire.rst_stream(3, :refused_stream))

      # The server allows two streams, but now a second one waits for the first.
      process = connection_process(channel)
      eventually(fn -> :sys.get_state(process).queued == 1 end)
      write(connection, Wire.rst_stream(1, :refused_stream))
      {5, _fields, "2"} = read_call(connection)
      eventually(fn -> :sys.get_state(process).queued == 1 end)
      write(connection, Wire.response(5, "two"))
      {7, _fields, "1"} = read_call(connection)
      write(connection, Wire.response(7, "one"))
      assert {Task.await(first), Task.await(second)} == {{:ok, "one", []}, {:ok, "two", []}}
    end

    test "leaves the deadline what it was", %{server: server} do
      channel = start(server)
      connection = accept_http2(server)
      call = async(channel, "x", timeout: 1_000)
      {1, _fields, "x"} = read_call(connection)
      write(connection, Wire.rst_stream(1, :refused_stream))
      {3, fields, "x"} = read_call(connection)
      assert {left, "m"} = Integer.parse(fields["grpc-timeout"])
      assert left in 1..1000
      assert {:error, %Status{code: 4}} = Task.await(call)
      assert read(connection) == {:rst_stream, 3, :cancel}
    end
  end

  test "when the stream ids are used up, a new connection takes over", %{server: server} do
    channel = start(server)
    old = accept_http2(server)
    process = connection_process(channel)
    :sys.replace_state(process, &put_in(&1.http2.next_id, 0x7FFFFFFF))
    last = async(channel, "last")
    {0x7FFFFFFF, _fields, "last"} = read_call(old)
    new = accept_http2(server)
    call = async_ready(channel, "first")
    {1, _fields, "first"} = read_call(new)
    write(new, Wire.response(1, "new"))
    assert Task.await(call) == {:ok, "new", []}
    write(old, Wire.response(0x7FFFFFFF, "old"))
    assert Task.await(last) == {:ok, "old", []}
    assert ScriptedServer.assert_closed(old) == []
  end

  describe "processes" do
    test "a connection process that is killed fails its calls, and is replaced", %{server: server} do
      channel = start(server)
      connection = accept_http2(server)
      call = async(channel, "x")
      read_call(connection)
      Process.exit(connection_process(channel), :kill)
      assert {:error, %Status{code: 14, message: message}} = Task.await(call)
      assert message =~ "killed"

      connection = accept_http2(server)
      call = async_ready(channel, "x")
      answer(connection, "y")
      assert Task.await(call) == {:ok, "y", []}
    end

    test "a channel that is killed fails its calls; its supervisor starts it anew", %{
      server: server
    } do
      name = __MODULE__.Killed
      channel = start(server, name: name)
      connection = accept_http2(server)
      call = async(name, "x")
      read_call(connection)
      Process.exit(channel, :kill)
      assert {:error, %Status{code: 14}} = Task.await(call)

      connection = accept_http2(server)
      eventually(fn -> Process.whereis(name) not in [nil, channel] end)
      call = async_ready(name, "x")
      answer(connection, "y")
      assert Task.await(call) == {:ok, "y", []}
    end

    test "a channel that is stopped says goodbye and fails its calls", %{server: server} do
      {:ok, supervisor} =
        Supervisor.start_link([{Channel, name: __MODULE__.Stopped, target: server.target}],
          strategy: :one_for_one
        )

      connection = accept_http2(server)
      call = async(__MODULE__.Stopped, "x")
      read_call(connection)
      Supervisor.stop(supervisor)
      assert {:error, %Status{code: 14, message: message}} = Task.await(call)
      assert message =~ "the channel was stopped"
      assert ScriptedServer.assert_closed(connection) == [{:goaway, 0, :no_error, ""}]

      assert {:error, %Status{code: 14, message: message}} =
               Channel.unary(__MODULE__.Stopped, "/p.S/M", "x")

      assert message =~ "Stopped is not running: start it in a supervision tree"
    end

    test "a channel that never was is not running" do
      assert {:error, %Status{code: 14, message: message}} =
               Channel.unary(__MODULE__.Never, "/p.S/M", "x")

      assert message =~ "Never is not running"
      assert {:error, %Status{code: 14}} = Channel.unary(self(), "/p.S/M", "x")
    end

    test "calls that wait for a connection are bounded", %{server: server} do
      channel = start(server, max_queue: 2)
      _silent = accept(server)
      calls = for _ <- 1..3, do: async(channel, "x", timeout: 5000)
      refs = Map.new(calls, &{&1.ref, true})
      assert_receive {ref, {:error, status}} when is_map_key(refs, ref), 5000
      assert %Status{code: 8, message: message} = status
      assert message =~ "max_queue"
      for call <- calls, do: Task.shutdown(call, :brutal_kill)
    end
  end

  defp eventually(condition) do
    unless condition.() do
      Process.sleep(1)
      eventually(condition)
    end
  end
end
