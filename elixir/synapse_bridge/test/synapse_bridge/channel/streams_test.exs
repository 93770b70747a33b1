defmodule SynapseBridge.Channel.StreamsTest do
  use ExUnit.Case, async: true

  @moduletag :capture_log

  alias SynapseBridge.{Channel, ScriptedServer, Status, Wire}
  alias SynapseBridge.Channel.{Exchange, Table}

  import SynapseBridge.Eventually
  import ScriptedServer, only: [accept_http2: 1, accept_http2: 2, read: 1, read_call: 1, write: 2]

  setup do
    %{server: ScriptedServer.listen()}
  end

  defp start(server, opts \\ []) do
    start_supervised!({Channel, [target: server.target] ++ opts}, id: make_ref())
  end

  defp message(id, text), do: Wire.data(id, Wire.message(text))

  # All messages of a call that another process makes, and how it ended.
  defp async(channel, request \\ "x", opts \\ []) do
    Task.async(fn ->
      with {:ok, exchange} <- Channel.open_stream(channel, "/p.S/M", request, opts),
           do: collect(exchange, [])
    end)
  end

  defp collect(exchange, messages) do
    case Channel.next(exchange) do
      {:messages, more, exchange} -> collect(exchange, messages ++ more)
      {:done, trailers} -> {messages, trailers}
      {:error, status} -> {messages, status}
    end
  end

  describe "a response" do
    setup %{server: server} do
      channel = start(server, max_response_size: 100_000)
      %{channel: channel, connection: accept_http2(server)}
    end

    test "comes with its trailers", %{channel: channel, connection: connection} do
      task = async(channel)
      {1, fields, "x"} = read_call(connection)
      assert fields[":path"] == "/p.S/M"
      refute is_map_key(fields, "grpc-timeout")
      trailers = [{"x-cost", "3"}, {"y-bin", "AP8"}]
      write(connection, [Wire.response_headers(1), message(1, "a")])
      write(connection, [message(1, ""), Wire.trailers(1, "0", trailers)])
      assert Task.await(task) == {["a", ""], [{"x-cost", "3"}, {"y-bin", <<0, 255>>}]}
    end

    test "comes whole however the bytes are split", %{channel: channel, connection: connection} do
      size = byte_size(three_messages(1))

      for at <- 1..(size - 1) do
        task = async(channel)
        {id, _fields, "x"} = read_call(connection)
        <<first::binary-size(at), second::binary>> = three_messages(id)
        write(connection, first)
        write(connection, second)
        assert Task.await(task) == {["first", "", "third"], []}
      end
    end

    defp three_messages(id) do
      messages = for text <- ["first", "", "third"], do: message(id, text)
      IO.iodata_to_binary([Wire.response_headers(id), messages, Wire.trailers(id)])
    end

    test "of headers only has the status in them", %{channel: channel, connection: connection} do
      for {status, id} <- [{"0", 1}, {"5", 3}] do
        task = async(channel)
        read_call(connection)
        fields = [{":status", "200"}, {"grpc-status", status}, {"x", "y"}]
        write(connection, Wire.headers(id, fields, [:end_headers, :end_stream]))

        case {status, Task.await(task)} do
          {"0", result} -> assert result == {[], [{"x", "y"}]}
          {"5", {[], status}} -> assert %Status{code: 5, trailers: [{"x", "y"}]} = status
        end
      end
    end

    test "may fail after messages", %{channel: channel, connection: connection} do
      for {frame, code, id} <- [
            {&Wire.trailers(&1, "9", [{"grpc-message", "no"}]), 9, 1},
            {&Wire.rst_stream(&1, :internal_error), 13, 3},
            {&Wire.rst_stream(&1, :enhance_your_calm), 8, 5},
            {&Wire.rst_stream(&1, :no_error), 13, 7},
            {&message(&1, String.duplicate("x", 100_001)), 8, 9},
            {&Wire.data(&1, <<1, 1::32, "x">>), 13, 11},
            {&Wire.data(&1, "<html>"), 13, 13},
            {&[Wire.data(&1, <<0, 5::32, "x">>), Wire.trailers(&1)], 13, 15},
            {&Wire.data(&1, "", [:end_stream]), 2, 17},
            {&[Wire.response_headers(&1)], 13, 19},
            # It has answered, so it has worked on the call.
            {&Wire.rst_stream(&1, :refused_stream), 14, 21}
          ] do
        task = async(channel)
        read_call(connection)
        write(connection, [Wire.response_headers(id), message(id, "a")])
        bad = frame.(id)
        # Frames of at most 16 KiB.
        write(connection, split_large(bad, id))
        assert {["a"], %Status{code: ^code}} = Task.await(task)

        if (code == 8 and id == 9) or id in [11, 13],
          do: assert(read(connection) == {:rst_stream, id, :cancel})

        if id == 19, do: assert(read(connection) == {:rst_stream, id, :protocol_error})
      end
    end

    defp split_large(<<size::24, 0, 0, id::32, data::binary>>, id) when size > 16_384 do
      for part <- chunk(data), do: Wire.data(id, part)
    end

    defp split_large(frame, _id), do: frame

    defp chunk(<<part::binary-size(16_384), rest::binary>>), do: [part | chunk(rest)]
    defp chunk(rest), do: [rest]

    test "that is not gRPC says what it is", %{channel: channel, connection: connection} do
      task = async(channel)
      read_call(connection)
      head = Wire.headers(1, [{":status", "503"}, {"content-type", "text/html"}])

      write(connection, [head, Wire.data(1, "<html>busy"), Wire.data(1, "</html>", [:end_stream])])

      assert {[], %Status{code: 14, message: message}} = Task.await(task)
      assert message =~ "HTTP status 503, text/html, which begins with \"<html>busy</html>\""
    end

    test "larger than the window arrives while it is acknowledged",
         %{channel: channel, connection: connection} do
      task = async(channel)
      read_call(connection)
      text = :binary.copy("0123456789", 1000)
      write(connection, Wire.response_headers(1))

      # Ten megabytes: that is ten times what may be sent ahead.
      for _ <- 1..1000, reduce: 1_048_576 do
        window when window < 20_000 ->
          write_message(connection, text, more_window(connection, window))

        window ->
          write_message(connection, text, window)
      end

      write(connection, Wire.trailers(1))
      assert {messages, []} = Task.await(task)
      assert length(messages) == 1000 and Enum.all?(messages, &(&1 == text))
    end

    defp write_message(connection, text, window) do
      write(connection, message(1, text))
      window - byte_size(text) - 5
    end

    defp more_window(connection, window) do
      case read(connection) do
        {:window_update, 1, increment} -> window + increment
        {:window_update, 0, _increment} -> more_window(connection, window)
      end
    end

    test "of one message larger than the window arrives", %{server: server} do
      channel = start(server, max_response_size: 5_000_000)
      connection = accept_http2(server)
      task = async(channel)
      read_call(connection)
      text = :binary.copy("0123456789", 400_000)
      write(connection, Wire.response_headers(1))

      for part <- chunk(Wire.message(text)), reduce: 1_048_576 do
        window ->
          window = if window < 16_384, do: more_window(connection, window), else: window
          write(connection, Wire.data(1, part))
          window - byte_size(part)
      end

      write(connection, Wire.trailers(1))
      assert {[^text], []} = Task.await(task)
    end

    test "that nobody takes is not acknowledged, and others go on",
         %{channel: channel, connection: connection} do
      test = self()

      idle =
        spawn_link(fn ->
          {:ok, exchange} = Channel.open_stream(channel, "/p.S/M", "idle")
          send(test, :opened)
          receive do: (:go -> send(test, {:got, Channel.next(exchange)}))
          Process.sleep(:infinity)
        end)

      assert_receive :opened
      read_call(connection)
      text = String.duplicate("x", 16_000)
      write(connection, [Wire.response_headers(1), List.duplicate(message(1, text), 60)])
      ScriptedServer.assert_silent(connection)

      call = Task.async(fn -> Channel.unary(channel, "/p.S/M", "call") end)
      {3, _fields, "call"} = read_call(connection)
      write(connection, Wire.response(3, "answer"))
      assert Task.await(call) == {:ok, "answer", []}

      # What waits for it is bounded by the window; its first batch is what one packet brought.
      send(idle, :go)
      assert_receive {:got, {:messages, [^text | _], _exchange}}
    end
  end

  describe "a call that the server has not worked on" do
    test "is made again, with nothing in its place", %{server: server} do
      channel = start(server)
      connection = accept_http2(server)
      task = async(channel)
      {1, _, "x"} = read_call(connection)
      write(connection, Wire.rst_stream(1, :refused_stream))
      {3, _, "x"} = read_call(connection)
      write(connection, [Wire.response_headers(3), message(3, "a"), Wire.trailers(3)])
      assert Task.await(task) == {["a"], []}
    end

    test "is made again on another connection after GOAWAY, those below its id end there",
         %{server: server} do
      channel = start(server)
      first = accept_http2(server)
      stays = async(channel, "stays")
      {1, _, "stays"} = read_call(first)
      moves = async(channel, "moves")
      {3, _, "moves"} = read_call(first)
      write(first, [Wire.response_headers(1), message(1, "a"), Wire.goaway(1, :no_error)])
      second = accept_http2(server)
      {1, _, "moves"} = read_call(second)
      write(second, [Wire.response_headers(1), message(1, "c"), Wire.trailers(1)])
      assert Task.await(moves) == {["c"], []}
      write(first, [message(1, "b"), Wire.trailers(1)])
      assert Task.await(stays) == {["a", "b"], []}
      ScriptedServer.assert_closed(first)
    end

    test "is given up after some attempts", %{server: server} do
      channel = start(server)
      connection = accept_http2(server)
      task = async(channel)

      for id <- [1, 3, 5, 7, 9] do
        {^id, _, "x"} = read_call(connection)
        write(connection, Wire.rst_stream(id, :refused_stream))
      end

      assert {[], %Status{code: 14}} = Task.await(task)
    end

    test "is not made again if it may have been sent items", %{server: server} do
      channel = start(server)
      connection = accept_http2(server)
      task = async(channel, {:stream, "first"})
      assert {:headers, 1, _} = read(connection)
      assert {:data, 1, _, :more} = read(connection)
      write(connection, Wire.rst_stream(1, :refused_stream))
      assert {[], %Status{code: 14}} = Task.await(task)
      ScriptedServer.assert_silent(connection)
    end
  end

  describe "over the server's limit of streams" do
    test "calls wait for their turn, all kinds in one queue", %{server: server} do
      channel = start(server)
      connection = accept_http2(server, max_concurrent_streams: 1)
      first = async(channel, "1")
      {1, _, "1"} = read_call(connection)
      process = connection_of(channel)
      second = Task.async(fn -> Channel.unary(channel, "/p.S/M", "2") end)
      eventually(fn -> :sys.get_state(process).queued == 1 end)
      third = async(channel, "3")
      eventually(fn -> :sys.get_state(process).queued == 2 end)
      ScriptedServer.assert_silent(connection)
      write(connection, [Wire.response_headers(1), Wire.trailers(1)])
      assert {[], []} = Task.await(first)
      {3, _, "2"} = read_call(connection)
      write(connection, Wire.response(3, "two"))
      assert Task.await(second) == {:ok, "two", []}
      {5, _, "3"} = read_call(connection)
      write(connection, [Wire.response_headers(5), Wire.trailers(5)])
      assert {[], []} = Task.await(third)
    end

    test "a call that gives up or dies while it waits is never sent", %{server: server} do
      channel = start(server)
      connection = accept_http2(server, max_concurrent_streams: 1)
      first = async(channel, "1")
      {1, _, "1"} = read_call(connection)
      late = async(channel, "late", timeout: 20)
      assert {:error, %Status{code: 4}} = Task.await(late)
      dead = async(channel, "dead")
      process = connection_of(channel)
      eventually(fn -> :sys.get_state(process).queued == 1 end)
      Task.shutdown(dead, :brutal_kill)
      eventually(fn -> :sys.get_state(process).queued == 0 end)
      write(connection, [Wire.response_headers(1), Wire.trailers(1)])
      Task.await(first)
      ScriptedServer.assert_silent(connection)
    end

    test "a call that is cancelled makes room", %{server: server} do
      channel = start(server)
      connection = accept_http2(server, max_concurrent_streams: 1)
      first = async(channel, "1")
      {1, _, "1"} = read_call(connection)
      second = async(channel, "2")
      eventually(fn -> :sys.get_state(connection_of(channel)).queued == 1 end)
      Task.shutdown(first, :brutal_kill)
      assert read(connection) == {:rst_stream, 1, :cancel}
      {3, _, "2"} = read_call(connection)
      write(connection, [Wire.response_headers(3), Wire.trailers(3)])
      assert {[], []} = Task.await(second)
    end
  end

  describe "the connection" do
    test "that is lost fails its streams", %{server: server} do
      channel = start(server)
      connection = accept_http2(server)
      task = async(channel)
      read_call(connection)
      write(connection, [Wire.response_headers(1), message(1, "a")])
      ScriptedServer.close(connection)
      assert {["a"], %Status{code: 14, message: message}} = Task.await(task)
      assert message =~ "was lost during the call"
    end

    test "whose process is killed fails its streams", %{server: server} do
      channel = start(server)
      connection = accept_http2(server)
      task = async(channel)
      read_call(connection)
      Process.exit(connection_of(channel), :kill)
      assert {[], %Status{code: 14, message: message}} = Task.await(task)
      assert message =~ "ended during the call: killed"
    end

    test "of a channel that is stopped fails its streams", %{server: server} do
      channel = start_supervised!({Channel, target: server.target}, id: :stopped)
      connection = accept_http2(server)
      task = async(channel)
      read_call(connection)
      stop_supervised!(:stopped)
      assert {[], %Status{code: 14, message: message}} = Task.await(task)
      assert message =~ "the channel was stopped"
    end

    test "tells the server of a deadline although the caller does not listen",
         %{server: server} do
      channel = start(server)
      connection = accept_http2(server)
      test = self()

      spawn_link(fn ->
        {:ok, exchange} = Channel.open_stream(channel, "/p.S/M", "x", timeout: 500)
        receive do: (:go -> send(test, Channel.next(exchange)))
      end)
      |> then(fn caller ->
        {1, %{"grpc-timeout" => _}, "x"} = read_call(connection)
        assert read(connection) == {:rst_stream, 1, :cancel}
        send(caller, :go)
      end)

      assert_receive {:error, %Status{code: 4}}
    end
  end

  test "the server's cancellation, seen after the deadline, is the deadline", %{server: server} do
    channel = start(server)
    connection = accept_http2(server)
    test = self()

    caller =
      spawn_link(fn ->
        {:ok, exchange} = Channel.open_stream(channel, "/p.S/M", "x", timeout: 60_000)
        send(test, :opened)
        receive do: (:go -> :ok)
        past = put_in(exchange.call.deadline, System.monotonic_time(:millisecond) - 1)
        send(test, Channel.next(past))
      end)

    assert_receive :opened
    read_call(connection)
    write(connection, Wire.rst_stream(1, :cancel))
    eventually(fn -> Process.info(caller, :message_queue_len) == {:message_queue_len, 1} end)
    send(caller, :go)
    assert_receive {:error, %Status{code: 4}}
  end

  describe "a request of several messages" do
    test "is held back by a server that takes none: the producer stops", %{server: server} do
      channel = start(server)
      connection = accept_http2(server)
      counter = :counters.new(1, [])

      items =
        Stream.repeatedly(fn ->
          :counters.add(counter, 1, 1)
          1
        end)

      item = String.duplicate("x", 1000)

      {:ok, exchange} = Channel.open_stream(channel, "/p.S/M", {:stream, nil})

      {producer, monitor} =
        SynapseBridge.Channel.Producer.start(
          exchange.connection,
          exchange.ref,
          items,
          fn _item, _index -> {:ok, item} end
        )

      assert {:headers, 1, _} = read(connection)
      # It waits once it is as far ahead as it may be: what the windows take, and 64 KiB.
      eventually(fn -> Process.info(producer, :status) == {:status, :waiting} end)
      stopped = :counters.get(counter, 1)
      assert stopped in 60..140

      taken = for _ <- 1..60, do: read(connection) |> elem(2) |> byte_size()
      bytes = Enum.sum(taken)
      write(connection, [Wire.window_update(0, bytes), Wire.window_update(1, bytes)])
      eventually(fn -> :counters.get(counter, 1) > stopped + 20 end)
      eventually(fn -> Process.info(producer, :status) == {:status, :waiting} end)
      assert :counters.get(counter, 1) < stopped + 140
      Exchange.cancel(exchange)
      assert_receive {:DOWN, ^monitor, :process, ^producer, {:shutdown, :call_ended}}
    end
  end

  describe "nothing is left" do
    test "of a unary call whose caller dies: the server hears of it within 100 ms",
         %{server: server} do
      channel = start(server)
      connection = accept_http2(server)

      delays =
        for id <- [1, 3, 5, 7, 9] do
          task = Task.async(fn -> Channel.unary(channel, "/p.S/M", "x", timeout: :infinity) end)
          {^id, _, "x"} = read_call(connection)
          started = System.monotonic_time(:millisecond)
          Task.shutdown(task, :brutal_kill)
          assert read(connection) == {:rst_stream, id, :cancel}
          System.monotonic_time(:millisecond) - started
        end

      # Twice 40 ms; a machine that is busy elsewhere may need longer now and then.
      assert Enum.min(delays) < 100, inspect(delays)
    end

    test "of a sweep, once there is nothing to sweep", %{server: server} do
      channel = start(server)
      connection = accept_http2(server)
      process = connection_of(channel)
      assert :sys.get_state(process).swept == nil
      call = Task.async(fn -> Channel.unary(channel, "/p.S/M", "x") end)
      read_call(connection)
      eventually(fn -> :sys.get_state(process).swept != nil end)
      write(connection, Wire.response(1, ""))
      Task.await(call)
      eventually(fn -> :sys.get_state(process).swept == nil end)

      # Streams are monitored, and are not swept for long.
      stream = async(channel)
      read_call(connection)
      eventually(fn -> :sys.get_state(process).swept == nil end)
      Task.shutdown(stream, :brutal_kill)
      assert read(connection) == {:rst_stream, 3, :cancel}
    end
  end

  # The server may see the connection before the channel lets calls use it.
  defp connection_of(channel) do
    {:ok, table} = Table.fetch(channel)
    eventually(fn -> Table.connection(table) != nil end)
    Table.connection(table)
  end
end
