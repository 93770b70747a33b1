defmodule SynapseBridge.Client.StreamsTest do
  use ExUnit.Case, async: true

  @moduletag :capture_log

  alias SynapseBridge.{Channel, Error, ScriptedServer, Violation, Wire}

  import SynapseBridge.Eventually
  import ScriptedServer, only: [accept_http2: 1, read: 1, read_call: 1, write: 2]

  setup do
    server = ScriptedServer.listen()
    channel = start_supervised!({Channel, target: server.target})
    %{channel: channel, connection: accept_http2(server)}
  end

  defp bytes(%module{} = message), do: message |> module.encode() |> IO.iodata_to_binary()

  defp line(id, text), do: Wire.data(id, Wire.message(bytes(%Feed.TailResponse{result: text})))

  defp head(connection, id), do: write(connection, Wire.response_headers(id))

  # The fields and messages of the client's next call; the messages end with the call's half.
  defp read_items(connection, id, items \\ []) do
    case read(connection) do
      {:data, ^id, "", :last} ->
        Enum.reverse(items)

      {:data, ^id, <<0, size::32, item::binary-size(size)>>, :more} ->
        read_items(connection, id, [item | items])
    end
  end

  describe "a server stream" do
    test "is one call for each enumeration, made when it begins",
         %{channel: channel, connection: connection} do
      {:ok, stream} = Feed.tail("log", channel: channel)
      ScriptedServer.assert_silent(connection)

      for id <- [1, 3] do
        task = Task.async(fn -> Enum.to_list(stream) end)
        {^id, fields, request} = read_call(connection)
        assert fields[":path"] == "/feed.v1.FeedService/Tail"
        assert fields["synapse-contract"] == "5b1d0c7ae92f4436"
        assert fields["grpc-timeout"] in ["30000m", "29999m", "29998m"]
        assert request == bytes(%Feed.TailRequest{path: "log"})
        head(connection, id)
        write(connection, [line(id, "a"), line(id, "b")])
        write(connection, [line(id, "c"), Wire.trailers(id)])
        assert Task.await(task) == ["a", "b", "c"]
      end
    end

    test "composes with Stream", %{channel: channel, connection: connection} do
      task =
        Task.async(fn ->
          Feed.tail!("log", channel: channel)
          |> Stream.map(&String.upcase/1)
          |> Stream.reject(&(&1 == "B"))
          |> Stream.chunk_every(2)
          |> Enum.to_list()
        end)

      {1, _fields, _request} = read_call(connection)
      write(connection, [Wire.response_headers(1), for(t <- ~w(a b c d), do: line(1, t))])
      write(connection, Wire.trailers(1))
      assert Task.await(task) == [["A", "C"], ["D"]]
    end

    test "may stop and go on, as Enum.zip does it", %{channel: channel, connection: connection} do
      stream = Feed.tail!("log", channel: channel)
      task = Task.async(fn -> Enum.zip(stream, stream) end)
      {1, _, _} = read_call(connection)
      write(connection, [Wire.response_headers(1), line(1, "a"), line(1, "b")])
      {3, _, _} = read_call(connection)
      write(connection, [Wire.response_headers(3), line(3, "x"), Wire.trailers(3)])
      assert read(connection) == {:rst_stream, 1, :cancel}
      assert Task.await(task) == [{"a", "x"}]
    end

    test "that is halted is cancelled", %{channel: channel, connection: connection} do
      task = Task.async(fn -> Enum.take(Feed.tail!("log", channel: channel), 2) end)
      {1, _, _} = read_call(connection)
      write(connection, [Wire.response_headers(1), for(t <- ~w(a b c), do: line(1, t))])
      assert Task.await(task) == ["a", "b"]
      assert read(connection) == {:rst_stream, 1, :cancel}
    end

    test "is cancelled by an exception in the consumer",
         %{channel: channel, connection: connection} do
      task =
        Task.async(fn ->
          assert_raise RuntimeError, "no", fn ->
            Enum.each(Feed.tail!("log", channel: channel), fn _ -> raise "no" end)
          end
        end)

      {1, _, _} = read_call(connection)
      write(connection, [Wire.response_headers(1), line(1, "a")])
      assert read(connection) == {:rst_stream, 1, :cancel}
      Task.await(task)
    end

    test "is cancelled by the death of the consumer",
         %{channel: channel, connection: connection} do
      task = Task.async(fn -> Enum.to_list(Feed.tail!("log", channel: channel)) end)
      {1, _, _} = read_call(connection)
      write(connection, [Wire.response_headers(1), line(1, "a")])
      Task.shutdown(task, :brutal_kill)
      assert read(connection) == {:rst_stream, 1, :cancel}
    end

    test "ends with its deadline, though items come all the time",
         %{channel: channel, connection: connection} do
      task =
        Task.async(fn ->
          assert_raise Error, ~r/deadline_exceeded: no response .* within 500 ms/, fn ->
            Enum.to_list(Feed.tail!("log", channel: channel, timeout: 500))
          end
        end)

      {1, %{"grpc-timeout" => _}, _} = read_call(connection)
      write(connection, [Wire.response_headers(1), line(1, "a")])
      assert read(connection) == {:rst_stream, 1, :cancel}
      Task.await(task)
    end

    test "raises the server's error after the items before it",
         %{channel: channel, connection: connection} do
      task =
        Task.async(fn ->
          me = self()
          stream = Feed.tail!("log", channel: channel)
          error = assert_raise Error, fn -> Enum.each(stream, &send(me, {:got, &1})) end
          assert_received {:got, "a"}
          error
        end)

      {1, _, _} = read_call(connection)
      message = [{"grpc-message", "gone"}]
      write(connection, [Wire.response_headers(1), line(1, "a"), Wire.trailers(1, "5", message)])
      assert %Error{code: :not_found, message: "gone"} = Task.await(task)
    end

    test "raises a declared exception with its fields",
         %{channel: channel, connection: connection} do
      task =
        Task.async(fn ->
          assert_raise Feed.Exhausted, "no more lines", fn ->
            Enum.to_list(Feed.tail!("log", channel: channel))
          end
        end)

      {1, _, _} = read_call(connection)
      write(connection, [Wire.response_headers(1), exhausted(1)])
      assert Task.await(task) == %Feed.Exhausted{path: "log", lines: 7, message: "no more lines"}
    end

    test "raises where an item does not fit, after the items before it",
         %{channel: channel, connection: connection} do
      task =
        Task.async(fn ->
          me = self()
          stream = Feed.tail!("log", channel: channel)
          error = assert_raise Error, fn -> Enum.each(stream, &send(me, {:got, &1})) end
          assert_received {:got, "a"}
          error
        end)

      {1, _, _} = read_call(connection)
      wrong = Wire.data(1, Wire.message(<<10, 1, 0xFF>>))
      write(connection, [Wire.response_headers(1), line(1, "a"), wrong])
      assert %Error{code: :internal, violations: [%Violation{path: "result"}]} = Task.await(task)
      assert read(connection) == {:rst_stream, 1, :cancel}
    end

    test "with arguments that do not fit is an error before any call" do
      assert {:error, %Error{violations: [%{path: "path", rule: "string_type"}]}} = Feed.tail(1)
    end

    test "without a channel fails where the enumeration begins" do
      {:ok, stream} = Feed.tail("log", channel: __MODULE__.Nowhere)
      assert_raise Error, ~r/unavailable.*is not running/, fn -> Enum.to_list(stream) end
    end
  end

  defp exhausted(id) do
    any = %SynapseBridge.Rpc.Any{
      type_url: "type.googleapis.com/feed.v1.Exhausted",
      value: bytes(%Feed.Exhausted{path: "log", lines: 7})
    }

    details = bytes(%SynapseBridge.Rpc.Status{code: 8, details: [any]})

    Wire.trailers(id, "8", [
      {"grpc-message", "no more lines"},
      {"grpc-status-details-bin", Base.encode64(details)}
    ])
  end

  describe "a client stream" do
    test "sends each item as it comes, then its end, and returns the result",
         %{channel: channel, connection: connection} do
      task = Task.async(fn -> Feed.total(Stream.map(1..3, & &1), channel: channel) end)
      assert {:headers, 1, _} = read(connection)
      items = read_items(connection, 1)
      assert items == for(n <- 1..3, do: bytes(%Feed.TotalRequest{numbers: n}))
      write(connection, Wire.response(1, bytes(%Feed.TotalResponse{result: 6})))
      assert Task.await(task) == {:ok, 6}
    end

    test "may have no items", %{channel: channel, connection: connection} do
      task = Task.async(fn -> Feed.total!([], channel: channel) end)
      assert {:headers, 1, _} = read(connection)
      assert read_items(connection, 1) == []
      write(connection, Wire.response(1, bytes(%Feed.TotalResponse{result: 0})))
      assert Task.await(task) == 0
    end

    test "does not wait for later items", %{channel: channel, connection: connection} do
      test = self()

      numbers =
        Stream.repeatedly(fn ->
          send(test, {:asked, self()})
          receive do: ({:number, n} -> n)
        end)

      task = Task.async(fn -> Feed.total(numbers, channel: channel) end)
      assert {:headers, 1, _} = read(connection)

      for n <- 1..3 do
        assert_receive {:asked, producer}
        send(producer, {:number, n})
        assert {:data, 1, <<0, 2::32, 8, ^n>>, :more} = read(connection)
      end

      assert_receive {:asked, producer}
      monitor = Process.monitor(producer)
      # The server has heard enough.
      write(connection, Wire.response(1, bytes(%Feed.TotalResponse{result: 6})))
      assert read(connection) == {:rst_stream, 1, :no_error}
      assert Task.await(task) == {:ok, 6}
      assert_receive {:DOWN, ^monitor, :process, _, _}
    end

    test "with an item that does not fit is cancelled, and says which",
         %{channel: channel, connection: connection} do
      task = Task.async(fn -> Feed.total([1, 2, "3"], channel: channel) end)
      assert {:headers, 1, _} = read(connection)
      assert {:data, 1, _, :more} = read(connection)
      assert {:data, 1, _, :more} = read(connection)
      assert read(connection) == {:rst_stream, 1, :cancel}
      assert {:error, %Error{code: :invalid_argument, violations: [violation]}} = Task.await(task)
      assert {violation.path, violation.rule} == {"numbers[2]", "int_type"}
    end

    test "that raises is cancelled, and raises in the caller",
         %{channel: channel, connection: connection} do
      numbers = Stream.map([1], fn _ -> raise ArgumentError, "no number" end)

      task =
        Task.async(fn ->
          assert_raise ArgumentError, "no number", fn ->
            Feed.total(numbers, channel: channel)
          end
        end)

      assert {:headers, 1, _} = read(connection)
      assert read(connection) == {:rst_stream, 1, :cancel}
      Task.await(task)
    end

    test "that throws or exits does so in the caller",
         %{channel: channel, connection: connection} do
      for {function, id} <- [{fn _ -> throw(:ball) end, 1}, {fn _ -> exit(:ball) end, 3}] do
        numbers = Stream.map([1], function)

        task =
          Task.async(fn ->
            try do
              Feed.total(numbers, channel: channel)
            catch
              kind, :ball -> kind
            end
          end)

        assert {:headers, ^id, _} = read(connection)
        assert read(connection) == {:rst_stream, id, :cancel}
        assert Task.await(task) in [:throw, :exit]
      end
    end

    test "ends with the death of its caller, whatever the producer does",
         %{channel: channel, connection: connection} do
      test = self()
      forever = Stream.repeatedly(fn -> send(test, {:in, self()}) && Process.sleep(:infinity) end)
      task = Task.async(fn -> Feed.total(forever, channel: channel) end)
      assert {:headers, 1, _} = read(connection)
      assert_receive {:in, producer}
      monitor = Process.monitor(producer)
      Task.shutdown(task, :brutal_kill)
      assert read(connection) == {:rst_stream, 1, :cancel}
      assert_receive {:DOWN, ^monitor, :process, _, _}
    end

    test "ends with its deadline, whatever the producer does",
         %{channel: channel, connection: connection} do
      test = self()
      forever = Stream.repeatedly(fn -> send(test, {:in, self()}) && Process.sleep(:infinity) end)
      task = Task.async(fn -> Feed.total(forever, channel: channel, timeout: 500) end)
      assert {:headers, 1, _} = read(connection)
      assert_receive {:in, producer}
      monitor = Process.monitor(producer)
      assert {:error, %Error{code: :deadline_exceeded}} = Task.await(task)
      assert read(connection) == {:rst_stream, 1, :cancel}
      assert_receive {:DOWN, ^monitor, :process, _, _}
    end

    test "whose producer is killed is cancelled", %{channel: channel, connection: connection} do
      test = self()
      forever = Stream.repeatedly(fn -> send(test, {:in, self()}) && Process.sleep(:infinity) end)
      task = Task.async(fn -> Feed.total(forever, channel: channel) end)
      assert {:headers, 1, _} = read(connection)
      assert_receive {:in, producer}
      Process.exit(producer, :kill)
      assert {:error, %Error{code: :cancelled, message: message}} = Task.await(task)
      assert message =~ "read the streamed argument ended: killed"
      assert read(connection) == {:rst_stream, 1, :cancel}
    end

    test "fails with the connection, and the producer with it",
         %{channel: channel, connection: connection} do
      test = self()
      forever = Stream.repeatedly(fn -> send(test, {:in, self()}) && Process.sleep(:infinity) end)
      task = Task.async(fn -> Feed.total(forever, channel: channel) end)
      assert {:headers, 1, _} = read(connection)
      assert_receive {:in, producer}
      monitor = Process.monitor(producer)
      ScriptedServer.close(connection)
      assert {:error, %Error{code: :unavailable}} = Task.await(task)
      assert_receive {:DOWN, ^monitor, :process, _, _}
    end

    test "is unavailable where the connection's process dies, before or after the producer began" do
      server = ScriptedServer.listen()

      channel =
        start_supervised!({Channel, target: server.target, backoff: [initial: 1, max: 1]},
          id: :dies
        )

      forever = Stream.repeatedly(fn -> Process.sleep(:infinity) end)

      for _ <- 1..50 do
        connection = accept_http2(server)
        {:ok, table} = Channel.Table.fetch(channel)
        eventually(fn -> Channel.Table.connection(table) != nil end)
        process = Channel.Table.connection(table)
        task = Task.async(fn -> Feed.total(forever, channel: channel) end)
        assert {:headers, 1, _} = read(connection)
        Process.exit(process, :kill)
        assert {:error, %Error{code: :unavailable}} = Task.await(task)
        ScriptedServer.close(connection)
      end
    end

    test "is refused where the argument is nothing to go through" do
      assert {:error, %Error{violations: [%{path: "numbers", rule: "iterable_type"}]}} =
               Feed.total(7, channel: __MODULE__.Nowhere)

      assert {:error, %Error{violations: [%{path: "numbers", rule: "missing"}]}} =
               Feed.total(nil, channel: __MODULE__.Nowhere)
    end

    test "gives a declared exception as the error", %{channel: channel, connection: connection} do
      task = Task.async(fn -> Feed.total([], channel: channel) end)
      assert {:headers, 1, _} = read(connection)
      write(connection, [Wire.response_headers(1), exhausted(1)])
      assert {:error, %Feed.Exhausted{lines: 7}} = Task.await(task)
    end

    test "is internal where the server answers with none or several messages",
         %{channel: channel, connection: connection} do
      result = Wire.message(bytes(%Feed.TotalResponse{result: 6}))

      for {data, text, id} <- [{[], "no response", 1}, {[result, result], "more than one", 3}] do
        task = Task.async(fn -> Feed.total([], channel: channel) end)
        assert {:headers, ^id, _} = read(connection)
        read_items(connection, id)
        messages = for message <- data, do: Wire.data(id, message)
        write(connection, [Wire.response_headers(id), messages, Wire.trailers(id)])
        assert {:error, %Error{code: :internal, message: message}} = Task.await(task)
        assert message =~ text
      end
    end
  end

  describe "a stream both ways" do
    test "has the plain parameters in a first message without an item",
         %{channel: channel, connection: connection} do
      task =
        Task.async(fn ->
          Enum.to_list(Feed.scale!([[1], nil, []], factor: 3, channel: channel))
        end)

      assert {:headers, 1, _} = read(connection)
      assert [first | items] = read_items(connection, 1)
      assert first == <<16, 3>>

      assert items == [<<10, 5, 10, 3, 10, 1, 1>>, <<10, 0>>, <<10, 2, 10, 0>>]
      head(connection, 1)
      for n <- 1..3, do: write(connection, scaled(1, n))
      write(connection, Wire.trailers(1))
      assert Task.await(task) == [1, 2, 3]
    end

    test "can feed what it gets back", %{channel: channel, connection: connection} do
      test = self()

      task =
        Task.async(fn ->
          numbers = Stream.repeatedly(fn -> receive(do: ({:number, n} -> [n])) end)
          numbers = Stream.each(numbers, fn _ -> :ok end)
          # The producer tells its pid with the first thing that it does.
          numbers =
            Stream.concat(
              [fn -> send(test, {:in, self()}) end] |> Stream.map(&(&1.() && [0])),
              numbers
            )

          Enum.take(Feed.scale!(numbers, factor: 2, channel: channel), 2)
        end)

      assert {:headers, 1, _} = read(connection)
      assert {:data, 1, _, :more} = read(connection)
      assert_receive {:in, producer}
      assert {:data, 1, _, :more} = read(connection)
      head(connection, 1)
      write(connection, scaled(1, 0))
      send(producer, {:number, 1})
      assert {:data, 1, _, :more} = read(connection)
      monitor = Process.monitor(producer)
      write(connection, scaled(1, 2))
      assert Task.await(task) == [0, 2]
      assert read(connection) == {:rst_stream, 1, :cancel}
      assert_receive {:DOWN, ^monitor, :process, _, _}
    end

    test "goes on receiving after the last item was sent",
         %{channel: channel, connection: connection} do
      task = Task.async(fn -> Enum.to_list(Feed.scale!([], factor: 1, channel: channel)) end)
      assert {:headers, 1, _} = read(connection)
      assert [<<16, 1>>] = read_items(connection, 1)
      head(connection, 1)
      write(connection, scaled(1, 5))
      write(connection, Wire.trailers(1))
      assert Task.await(task) == [5]
    end

    test "raises what the argument raised where the next item would be",
         %{channel: channel, connection: connection} do
      numbers = Stream.map([1], fn _ -> raise ArgumentError, "no number" end)

      task =
        Task.async(fn ->
          assert_raise ArgumentError, "no number", fn ->
            Enum.to_list(Feed.scale!(numbers, factor: 1, channel: channel))
          end
        end)

      assert {:headers, 1, _} = read(connection)
      assert {:data, 1, _, :more} = read(connection)
      assert read(connection) == {:rst_stream, 1, :cancel}
      Task.await(task)
    end
  end

  defp scaled(id, n), do: Wire.data(id, Wire.message(bytes(%Feed.ScaleResponse{result: n})))

  describe "the form for processes" do
    test "sends the items in lists, the next one when it is asked for",
         %{channel: channel, connection: connection} do
      {:ok, %SynapseBridge.Stream{ref: ref} = stream} = Feed.tail_stream("log", channel: channel)
      {1, _, _} = read_call(connection)
      write(connection, [Wire.response_headers(1), line(1, "a"), line(1, "b")])
      assert_receive {^ref, [item: "a", item: "b"]}
      write(connection, [line(1, "c"), Wire.trailers(1)])
      ScriptedServer.assert_silent(connection)
      refute_received {^ref, _}
      SynapseBridge.Stream.next(stream)
      assert_receive {^ref, [item: "c"]}
      SynapseBridge.Stream.next(stream)
      assert_receive {^ref, [:done]}
      monitor = Process.monitor(stream.pid)
      assert_receive {:DOWN, ^monitor, :process, _, _}
      assert SynapseBridge.Stream.next(stream) == :ok
      assert SynapseBridge.Stream.cancel(stream) == :ok
    end

    test "tells a failure as its last event", %{channel: channel, connection: connection} do
      {:ok, %{ref: ref}} = Feed.tail_stream("log", channel: channel)
      {1, _, _} = read_call(connection)
      write(connection, [Wire.response_headers(1), exhausted(1)])
      assert_receive {^ref, [error: %Feed.Exhausted{lines: 7}]}
    end

    test "tells a call that could not be made in the same way" do
      {:ok, %{ref: ref}} = Feed.tail_stream("log", channel: __MODULE__.Nowhere)
      assert_receive {^ref, [error: %Error{code: :unavailable}]}
    end

    test "is cancelled, and sends nothing after that",
         %{channel: channel, connection: connection} do
      {:ok, %{ref: ref} = stream} = Feed.tail_stream("log", channel: channel)
      {1, _, _} = read_call(connection)
      write(connection, [Wire.response_headers(1), line(1, "a")])
      assert SynapseBridge.Stream.cancel(stream) == :ok
      assert read(connection) == {:rst_stream, 1, :cancel}
      refute_received {^ref, _}
    end

    test "is cancelled by the death of its owner, before and between messages",
         %{channel: channel, connection: connection} do
      for {id, data} <- [{1, []}, {3, [line(3, "a")]}] do
        test = self()

        owner =
          spawn(fn ->
            {:ok, %{ref: ref, pid: pid}} = Feed.tail_stream("log", channel: channel)
            send(test, {:stream, pid})
            if data != [], do: receive(do: ({^ref, _} -> send(test, :got)))
            Process.sleep(:infinity)
          end)

        assert_receive {:stream, pid}
        monitor = Process.monitor(pid)
        {^id, _, _} = read_call(connection)
        write(connection, [Wire.response_headers(id) | data])
        if data != [], do: assert_receive(:got)
        Process.exit(owner, :kill)
        assert read(connection) == {:rst_stream, id, :cancel}
        assert_receive {:DOWN, ^monitor, :process, _, _}
      end
    end

    test "leaves nothing when its owner dies before the call could be made" do
      server = ScriptedServer.listen()
      channel = start_supervised!({Channel, target: server.target}, id: :full)
      ScriptedServer.accept_http2(server, max_concurrent_streams: 0)
      test = self()

      owner =
        spawn(fn ->
          {:ok, stream} = Feed.tail_stream("log", channel: channel, timeout: :infinity)
          send(test, {:stream, stream.pid})
          Process.sleep(:infinity)
        end)

      assert_receive {:stream, pid}
      monitor = Process.monitor(pid)
      {:ok, table} = Channel.Table.fetch(channel)
      eventually(fn -> Channel.Table.connection(table) != nil end)
      connection = Channel.Table.connection(table)
      eventually(fn -> :sys.get_state(connection).queued == 1 end)
      Process.exit(owner, :kill)
      assert_receive {:DOWN, ^monitor, :process, _, :killed}
      eventually(fn -> :sys.get_state(connection).queued == 0 end)
    end

    test "gives what the argument raised as an error",
         %{channel: channel, connection: connection} do
      numbers = Stream.map([1], fn _ -> raise ArgumentError, "no number" end)
      {:ok, %{ref: ref}} = Feed.scale_stream(numbers, factor: 1, channel: channel)
      assert {:headers, 1, _} = read(connection)
      assert {:data, 1, _, :more} = read(connection)
      assert read(connection) == {:rst_stream, 1, :cancel}
      assert_receive {^ref, [error: %ArgumentError{message: "no number"}]}
    end
  end
end
