defmodule SynapseBridge.Channel.CallsTest do
  use ExUnit.Case, async: true

  @moduletag :capture_log

  alias SynapseBridge.{Channel, ScriptedServer, Status, Wire}

  import ScriptedServer, only: [accept_http2: 1, accept_http2: 2, read: 1, read_call: 1, write: 2]

  setup do
    %{server: ScriptedServer.listen()}
  end

  defp start(server, opts \\ []) do
    start_supervised!({Channel, [target: server.target] ++ opts}, id: make_ref())
  end

  defp async(channel, request, opts \\ []) do
    Task.async(fn -> Channel.unary(channel, "/p.S/M", request, opts) end)
  end

  describe "a call" do
    test "goes to the server as gRPC and comes back", %{server: server} do
      channel = start(server)

      call =
        async(channel, ["ping", ?!],
          timeout: 5000,
          metadata: [{"x-user", "alice"}, {"x-bin", <<0, 255>>}]
        )

      connection = accept_http2(server)
      {1, fields, "ping!"} = read_call(connection)

      assert %{
               ":method" => "POST",
               ":scheme" => "http",
               ":path" => "/p.S/M",
               "te" => "trailers",
               "content-type" => "application/grpc",
               "user-agent" => "synapse-bridge-elixir/0.1.0",
               "x-user" => "alice",
               "x-bin" => "AP8"
             } = fields

      assert fields[":authority"] == server.target
      assert {left, "m"} = Integer.parse(fields["grpc-timeout"])
      assert left in 1..5000

      write(connection, [
        Wire.response_headers(1),
        Wire.data(1, Wire.message("pong")),
        Wire.trailers(1, "0", [{"x-cost", "3"}, {"y-bin", "AP8"}])
      ])

      assert Task.await(call) == {:ok, "pong", [{"x-cost", "3"}, {"y-bin", <<0, 255>>}]}
    end

    test "with an option of a wrong value is a mistake that says what is expected" do
      channel = start_supervised!({Channel, target: "127.0.0.1:1"})

      for {option, expected} <- [
            {{:timeout, "5"},
             "call option :timeout: expected milliseconds or :infinity, got \"5\""},
            {{:timeout, 1.5}, "got 1.5"},
            {{:timeout, -1}, "got -1"},
            {{:wait_for_ready, 1}, "call option :wait_for_ready: expected true or false, got 1"},
            {{:time_out, 5}, "call option :time_out is unknown; did you mean :timeout?"}
          ] do
        error =
          assert_raise ArgumentError, fn -> Channel.unary(channel, "/p.S/M", "", [option]) end

        assert Exception.message(error) =~ expected
      end
    end

    test "is found by the channel's name as well as by its pid", %{server: server} do
      channel = start(server, name: __MODULE__.Named)
      connection = accept_http2(server)

      for {name, id} <- [{channel, 1}, {__MODULE__.Named, 3}] do
        call = async(name, "x")
        {^id, _fields, "x"} = read_call(connection)
        write(connection, Wire.response(id, "y"))
        assert Task.await(call) == {:ok, "y", []}
      end
    end

    test "has no timeout without a deadline", %{server: server} do
      channel = start(server)
      connection = accept_http2(server)
      call = async(channel, "x", timeout: :infinity)
      {1, fields, "x"} = read_call(connection)
      refute is_map_key(fields, "grpc-timeout")
      write(connection, Wire.response(1, ""))
      assert Task.await(call) == {:ok, "", []}
    end

    test "may be answered out of order", %{server: server} do
      channel = start(server)
      connection = accept_http2(server)
      calls = for n <- 1..50, do: async(channel, "#{n}")
      received = for _ <- 1..50, do: read_call(connection)

      for {id, _fields, n} <- Enum.reverse(received),
          do: write(connection, Wire.response(id, "answer #{n}"))

      assert Task.await_many(calls) == for(n <- 1..50, do: {:ok, "answer #{n}", []})
    end

    test "carries 10 MB each way", %{server: server} do
      channel = start(server)
      connection = accept_http2(server, initial_window_size: 1_000_000)
      request = :binary.copy("0123456789", 1_000_000)
      call = async(channel, request)
      {:headers, 1, _fields} = read(connection)
      assert read_large(connection, "", 0) == request

      response = :binary.copy("abcdefghij", 1_000_000)
      write(connection, Wire.response_headers(1))
      write_large(connection, Wire.message(response))
      write(connection, Wire.trailers(1))
      assert Task.await(call) == {:ok, response, []}
    end

    # As a server does it: the windows are refilled when half of them is used.
    defp read_large(connection, body, unacknowledged) do
      case read(connection) do
        {:data, 1, data, :last} ->
          <<0, size::32, message::binary-size(size)>> = body <> data
          message

        {:data, 1, data, :more} when unacknowledged + byte_size(data) > 30_000 ->
          bytes = unacknowledged + byte_size(data)
          write(connection, [Wire.window_update(0, bytes), Wire.window_update(1, bytes)])
          read_large(connection, body <> data, 0)

        {:data, 1, data, :more} ->
          read_large(connection, body <> data, unacknowledged + byte_size(data))
      end
    end

    # No window of ours is looked at, except that the client says when there is more.
    defp write_large(connection, data, window \\ 1_048_576)

    defp write_large(connection, data, window) when window < 16_384 do
      case read(connection) do
        {:window_update, 1, increment} -> write_large(connection, data, window + increment)
        {:window_update, 0, _increment} -> write_large(connection, data, window)
      end
    end

    defp write_large(connection, <<part::binary-size(16_384), rest::binary>>, window) do
      write(connection, Wire.data(1, part))
      write_large(connection, rest, window - 16_384)
    end

    defp write_large(connection, data, _window), do: write(connection, Wire.data(1, data))
  end

  describe "a status" do
    setup %{server: server} do
      channel = start(server)
      %{channel: channel, connection: accept_http2(server)}
    end

    test "of the server is returned with its trailers", %{
      channel: channel,
      connection: connection
    } do
      call = async(channel, "x")
      read_call(connection)
      more = [{"grpc-message", "gr%C3%BCn"}, {"grpc-status-details-bin", "AQI="}]

      write(
        connection,
        Wire.headers(1, [{":status", "200"}, {"grpc-status", "3"} | more], [
          :end_headers,
          :end_stream
        ])
      )

      assert Task.await(call) ==
               {:error,
                %Status{
                  code: 3,
                  message: "grün",
                  trailers: [{"grpc-status-details-bin", <<1, 2>>}]
                }}
    end

    test "of HTTP counts when there is no other", %{channel: channel, connection: connection} do
      call = async(channel, "x")
      read_call(connection)
      write(connection, Wire.headers(1, [{":status", "503"}], [:end_headers, :end_stream]))
      assert {:error, %Status{code: 14, message: message}} = Task.await(call)
      assert message =~ "HTTP status 503"
    end

    test "follows from the code of RST_STREAM", %{channel: channel, connection: connection} do
      for {code, status} <- [no_error: 13, internal_error: 13, cancel: 1, enhance_your_calm: 8] do
        call = async(channel, "x")
        {id, _fields, _message} = read_call(connection)
        write(connection, Wire.rst_stream(id, code))
        assert {:error, %Status{code: ^status, message: message}} = Task.await(call)
        assert message =~ code |> to_string() |> String.upcase()
      end
    end

    test "of a response against the protocol is :internal, and the next call is fine",
         %{channel: channel, connection: connection} do
      call = async(channel, "x")
      read_call(connection)
      write(connection, Wire.data(1, "before the headers"))
      assert {:error, %Status{code: 13, message: message}} = Task.await(call)
      assert message =~ "data before the headers"
      assert read(connection) == {:rst_stream, 1, :protocol_error}

      call = async(channel, "x")
      read_call(connection)
      write(connection, Wire.response(3, "fine"))
      assert Task.await(call) == {:ok, "fine", []}
    end

    test "RST_STREAM(NO_ERROR) after the trailers changes nothing", %{
      channel: channel,
      connection: connection
    } do
      call = async(channel, "x")
      read_call(connection)
      write(connection, [Wire.response(1, "done"), Wire.rst_stream(1, :no_error)])
      assert Task.await(call) == {:ok, "done", []}
      ScriptedServer.assert_silent(connection)
    end
  end

  describe "limits" do
    test "a response over max_response_size is refused while it arrives", %{server: server} do
      channel = start(server, max_response_size: 10)
      connection = accept_http2(server)

      call = async(channel, "x")
      read_call(connection)
      write(connection, Wire.response(1, "0123456789"))
      assert Task.await(call) == {:ok, "0123456789", []}

      call = async(channel, "x")
      read_call(connection)
      write(connection, [Wire.response_headers(3), Wire.data(3, Wire.message("0123456789a"))])
      assert {:error, %Status{code: 8, message: message}} = Task.await(call)
      assert message =~ "larger than 10 bytes" and message =~ "max_response_size"
      assert read(connection) == {:rst_stream, 3, :cancel}
    end

    test "metadata over max_metadata_size is refused", %{server: server} do
      channel = start(server, max_metadata_size: 100)
      connection = accept_http2(server)
      call = async(channel, "x")
      read_call(connection)

      write(
        connection,
        Wire.trailers(1, "0", [{":status", "200"}, {"x", String.duplicate("v", 100)}])
      )

      assert {:error, %Status{code: 8, message: message}} = Task.await(call)
      assert message =~ "max_metadata_size"
      assert read(connection) == {:rst_stream, 1, :cancel}
    end

    test "metadata over what the server accepts is not sent", %{server: server} do
      channel = start(server)
      connection = accept_http2(server, max_header_list_size: 600)
      value = String.duplicate("v", 300)

      assert {:error, %Status{code: 8, message: message}} =
               Channel.unary(channel, "/p.S/M", "x", metadata: [{"x", value}])

      assert message =~ "the server accepts 600"
      call = async(channel, "x")
      {1, _fields, "x"} = read_call(connection)
      write(connection, Wire.response(1, ""))
      assert {:ok, "", []} = Task.await(call)
    end

    test "metadata that is not allowed is not sent", %{server: server} do
      channel = start(server)
      connection = accept_http2(server)

      for {metadata, text} <- [
            {[{"X-User", "a"}], "lower-case"},
            {[{"grpc-timeout", "1S"}], "reserved"},
            {[{"x", "a\r\nb"}], "printable"},
            {[:x], "list of {key, value}"}
          ] do
        assert {:error, %Status{code: 3, message: message}} =
                 Channel.unary(channel, "/p.S/M", "x", metadata: metadata)

        assert message =~ text
      end

      ScriptedServer.assert_silent(connection)
    end

    test "a call option that does not exist raises", %{server: server} do
      channel = start(server)

      assert_raise ArgumentError, ~r/:timout.*:timeout/s, fn ->
        Channel.unary(channel, "/p.S/M", "x", timout: 1)
      end
    end
  end

  describe "the server's limit of streams" do
    test "1,000 calls at once over a limit of 100", %{server: server} do
      channel = start(server)
      connection = accept_http2(server, max_concurrent_streams: 100)
      calls = for n <- 1..1000, do: async(channel, "#{n}")

      for _round <- 1..10 do
        received = for _ <- 1..100, do: read_call(connection)
        ScriptedServer.assert_silent(connection)
        write(connection, for({id, _fields, n} <- received, do: Wire.response(id, n)))
      end

      assert Task.await_many(calls) == for(n <- 1..1000, do: {:ok, "#{n}", []})
    end

    test "a limit of 0 holds calls until it is raised", %{server: server} do
      channel = start(server)
      connection = accept_http2(server, max_concurrent_streams: 0)
      call = async(channel, "x")
      ScriptedServer.assert_silent(connection)
      write(connection, Wire.settings(max_concurrent_streams: 1))
      assert read(connection) == :settings_ack
      {1, _fields, "x"} = read_call(connection)
      write(connection, Wire.response(1, "y"))
      assert Task.await(call) == {:ok, "y", []}
    end

    test "a call whose time is up while it waits is never sent", %{server: server} do
      channel = start(server)
      connection = accept_http2(server, max_concurrent_streams: 1)
      first = async(channel, "first")
      {1, _fields, "first"} = read_call(connection)

      assert {:error, %Status{code: 4, message: message}} =
               Channel.unary(channel, "/p.S/M", "late", timeout: 20)

      assert message =~ "within 20 ms"

      third = async(channel, "third", timeout: 5000)
      write(connection, Wire.response(1, "1"))
      {3, fields, "third"} = read_call(connection)
      assert {left, "m"} = Integer.parse(fields["grpc-timeout"])
      assert left in 1..5000
      write(connection, Wire.response(3, "3"))
      assert {Task.await(first), Task.await(third)} == {{:ok, "1", []}, {:ok, "3", []}}
    end

    test "more calls than max_queue are :resource_exhausted", %{server: server} do
      channel = start(server, max_queue: 2)
      connection = accept_http2(server, max_concurrent_streams: 1)
      first = async(channel, "1")
      {1, _fields, "1"} = read_call(connection)
      calls = for n <- 2..5, do: async(channel, "#{n}")

      # Two are turned away at once; the other two wait.
      {done, waiting} = split_done(calls, 2)

      for {:ok, result} <- done do
        assert {:error, %Status{code: 8, message: message}} = result
        assert message =~ "the server takes 1 at once" and message =~ "max_queue"
      end

      write(connection, Wire.response(1, "1"))
      assert Task.await(first) == {:ok, "1", []}

      for {id, _task} <- Enum.zip([3, 5], waiting) do
        {^id, _fields, n} = read_call(connection)
        write(connection, Wire.response(id, n))
      end

      assert [{:ok, _, []}, {:ok, _, []}] = Task.await_many(waiting)
    end

    defp split_done(tasks, count) do
      refs = Map.new(tasks, &{&1.ref, &1})

      Enum.reduce(1..count, {[], tasks}, fn _, {done, waiting} ->
        assert_receive {ref, result} when is_map_key(refs, ref), 5000
        Process.demonitor(ref, [:flush])
        {[{:ok, result} | done], List.delete(waiting, refs[ref])}
      end)
    end
  end

  describe "the end of a call before its answer" do
    setup %{server: server} do
      channel = start(server)
      %{channel: channel, connection: accept_http2(server)}
    end

    test "its deadline: the server is told, and nothing is left in the mailbox",
         %{channel: channel, connection: connection} do
      assert {:error, %Status{code: 4, message: message}} =
               Channel.unary(channel, "/p.S/M", "x", timeout: 500)

      assert message =~ "no response of 127.0.0.1:" and message =~ "within 500 ms"
      {1, %{"grpc-timeout" => _}, "x"} = read_call(connection)
      assert read(connection) == {:rst_stream, 1, :cancel}

      # An answer that comes too late goes nowhere.
      write(connection, Wire.response(1, "late"))
      ScriptedServer.assert_silent(connection)
      assert Process.info(self(), :messages) == {:messages, []}
    end

    test "a deadline that has passed already: nothing is sent", %{
      channel: channel,
      connection: connection
    } do
      assert {:error, %Status{code: 4}} = Channel.unary(channel, "/p.S/M", "x", timeout: 0)
      ScriptedServer.assert_silent(connection)
    end

    test "a deadline before the connection had time for it: nothing is sent",
         %{channel: channel, connection: connection} do
      process = connection_of(channel)
      :sys.suspend(process)
      assert {:error, %Status{code: 4}} = Channel.unary(channel, "/p.S/M", "x", timeout: 10)
      :sys.resume(process)
      ScriptedServer.assert_silent(connection)
    end

    test "many deadlines at once", %{channel: channel, connection: connection} do
      calls = for n <- 1..500, do: async(channel, "#{n}", timeout: 2_000)
      ids = for _ <- 1..500, do: connection |> read_call() |> elem(0)
      assert Enum.all?(Task.await_many(calls), &match?({:error, %Status{code: 4}}, &1))
      reset = for _ <- 1..500, do: connection |> read() |> elem(1)
      assert Enum.sort(reset) == ids
    end

    test "the death of its caller", %{channel: channel, connection: connection} do
      call = async(channel, "x", timeout: :infinity)
      {1, _fields, "x"} = read_call(connection)
      Task.shutdown(call, :brutal_kill)
      assert read(connection) == {:rst_stream, 1, :cancel}
    end

    test "the death of a caller whose call waits", %{server: server} do
      channel = start(server)
      connection = accept_http2(server, max_concurrent_streams: 1)
      first = async(channel, "1")
      {1, _fields, "1"} = read_call(connection)
      second = async(channel, "2", timeout: :infinity)
      third = async(channel, "3", timeout: :infinity)
      process = connection_of(channel)
      eventually(fn -> :sys.get_state(process).queued == 2 end)
      Task.shutdown(second, :brutal_kill)
      send(process, :sweep)
      write(connection, Wire.response(1, ""))
      {3, _fields, "3"} = read_call(connection)
      write(connection, Wire.response(3, ""))
      assert [{:ok, "", []}, {:ok, "", []}] = Task.await_many([first, third])
    end

    test "the server's cancellation, seen after the deadline, is the deadline",
         %{channel: channel, connection: connection} do
      call = async(channel, "x", timeout: 500)
      read_call(connection)
      deadline = System.monotonic_time(:millisecond) + 500
      :erlang.suspend_process(call.pid)
      write(connection, Wire.rst_stream(1, :cancel))
      eventually(fn -> Process.info(call.pid, :message_queue_len) == {:message_queue_len, 1} end)
      eventually(fn -> System.monotonic_time(:millisecond) > deadline end)
      :erlang.resume_process(call.pid)
      assert {:error, %Status{code: 4}} = Task.await(call)
    end

    defp eventually(condition) do
      unless condition.() do
        Process.sleep(1)
        eventually(condition)
      end
    end

    # The server may see the connection before the channel lets calls use it.
    defp connection_of(channel) do
      {:ok, table} = Channel.Table.fetch(channel)
      eventually(fn -> Channel.Table.connection(table) != nil end)
      Channel.Table.connection(table)
    end
  end
end
