defmodule SynapseBridge.HTTP2.StreamsTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.HPACK.Encoder
  alias SynapseBridge.HTTP2.{Connection, Sender}
  alias SynapseBridge.Wire

  @block Encoder.encode([{":method", "POST"}])
  @head {200, [{"content-type", "application/grpc"}]}
  @ok [{"grpc-status", "0"}]

  defp connected(settings, opts) do
    {connection, _out} = Connection.new(Keyword.merge([max_body: 1000], opts))
    {connection, _out, [:ready]} = Connection.receive(connection, Wire.settings(settings))
    connection
  end

  # A connection with a stream for each owner: 1, 3, …
  defp streaming(owners, settings \\ [], opts \\ []) do
    Enum.reduce(owners, connected(settings, opts), fn owner, connection ->
      {connection, _id, out} =
        Connection.open_stream(connection, owner, @block, byte_size(@block))

      assert [{:headers, _, _}] = Wire.client_frames(out)
      connection
    end)
  end

  defp feed(connection, bytes) do
    {connection, out, events} = Connection.receive(connection, IO.iodata_to_binary(bytes))
    {connection, Wire.client_frames(out), events}
  end

  defp send_part(connection, id, data, last) do
    {connection, out, events} = Connection.send(connection, id, data, last)
    {connection, Wire.client_frames(out), events}
  end

  defp sizes(frames), do: for({:data, id, data, more} <- frames, do: {id, byte_size(data), more})
  defp zeros(size), do: :binary.copy(<<0>>, size)

  describe "a response in parts" do
    test "gives its headers, what came with each packet as one, and its end" do
      connection = streaming([:a])

      assert {connection, [], [{:headers, :a, @head}]} =
               feed(connection, Wire.response_headers(1))

      packet = for text <- ["one", "two", "", "three"], do: Wire.data(1, text)
      assert {connection, [], [{:data, :a, "onetwothree", 11}]} = feed(connection, packet)

      last = [Wire.data(1, "x"), Wire.data(1, "y"), Wire.trailers(1)]
      # The server needs no more of the request, which has not ended.
      assert {connection, [{:rst_stream, 1, :no_error}], events} = feed(connection, last)
      assert events == [{:data, :a, "xy", 2}, {:end, :a, @ok}]
      assert Connection.owners(connection) == []
    end

    test "may all come in one packet, mixed with others" do
      connection = streaming([:a, :b])

      packet = [
        Wire.response_headers(1),
        Wire.data(1, "a1"),
        Wire.response_headers(3),
        Wire.data(3, "b1"),
        Wire.data(1, "a2"),
        Wire.ping("12345678"),
        Wire.data(3, "b2"),
        Wire.trailers(3)
      ]

      assert {_connection, [{:ping_ack, _}, {:rst_stream, 3, :no_error}], events} =
               feed(connection, packet)

      assert events == [
               {:headers, :a, @head},
               {:headers, :b, @head},
               {:data, :b, "b1b2", 4},
               {:end, :b, @ok},
               {:data, :a, "a1a2", 4}
             ]
    end

    test "may be headers only, or end with its data" do
      connection = streaming([:a, :b])

      only =
        Wire.headers(1, [{":status", "200"}, {"grpc-status", "5"}], [:end_headers, :end_stream])

      bare = [Wire.response_headers(3), Wire.data(3, "x", [:end_stream])]
      assert {_connection, _out, events} = feed(connection, [only | bare])

      assert events == [
               {:headers, :a, {200, [{"grpc-status", "5"}]}},
               {:end, :a, nil},
               {:headers, :b, @head},
               {:data, :b, "x", 1},
               {:end, :b, []}
             ]
    end

    test "may have interim responses before it, and padding" do
      packet = [
        Wire.headers(1, [{":status", "103"}]),
        Wire.response_headers(1),
        Wire.frame(:data, [:padded], 1, <<3, "data", 0::24>>),
        Wire.data(1, "more")
      ]

      assert {_connection, [], [{:headers, :a, @head}, {:data, :a, "datamore", 12}]} =
               feed(streaming([:a]), packet)
    end

    test "is larger than a whole response may be" do
      {connection, [], _} = feed(streaming([:a]), Wire.response_headers(1))

      assert {_connection, [], [{:data, :a, _, 6000}]} =
               feed(connection, List.duplicate(Wire.data(1, zeros(2000)), 3))
    end

    test "that fails does so after what came of it" do
      for {frame, failure} <- [
            {Wire.rst_stream(1, :cancel), {:reset, :cancel}},
            {Wire.rst_stream(1, :refused_stream), :refused},
            {Wire.goaway(0, :no_error), :unprocessed}
          ] do
        packet = [Wire.response_headers(1), Wire.data(1, "x"), frame]
        assert {_connection, [], events} = feed(streaming([:a]), packet)

        assert [{:headers, :a, @head}, {:data, :a, "x", 1}, {:failed, :a, ^failure}] =
                 events -- [{:goaway, :no_error, ""}]
      end
    end

    test "against the protocol resets the stream" do
      for {packet, text} <- [
            {Wire.data(1, "x"), "data before the headers"},
            {[Wire.response_headers(1), Wire.response_headers(1)], "second response"},
            {[Wire.response_headers(1), Wire.headers(1, [{"x", "y"}])], "do not end"}
          ] do
        assert {_connection, [{:rst_stream, 1, :protocol_error}], events} =
                 feed(streaming([:a]), packet)

        assert {:failed, :a, {:malformed, found}} = List.last(events)
        assert found =~ text
      end
    end

    test "before an error of the connection is not lost" do
      packet = [Wire.response_headers(1), Wire.data(1, "x"), Wire.data(0, "broken")]
      assert {_connection, [{:goaway, _, _, _}], events} = feed(streaming([:a]), packet)
      assert [{:headers, :a, _}, {:data, :a, "x", 1}, {:closed, :protocol_error, _}] = events
    end

    test "goes on through a GOAWAY that lets it" do
      connection = streaming([:a, :b])
      {connection, [], events} = feed(connection, Wire.goaway(1, :no_error))
      assert events == [{:goaway, :no_error, ""}, {:failed, :b, :unprocessed}]
      assert Connection.available(connection) == 0

      assert {connection, _, [{:headers, :a, _}, {:data, :a, "x", 1}, {:end, :a, @ok}]} =
               feed(connection, [Wire.response_headers(1), Wire.data(1, "x"), Wire.trailers(1)])

      assert Connection.finished?(connection)
    end
  end

  describe "whatever the packets are," do
    @frames [
      Wire.response_headers(1),
      Wire.data(1, "one"),
      Wire.data(1, "two"),
      Wire.window_update(1, 5),
      Wire.frame(:data, [:padded], 1, <<2, "three", 0::16>>),
      Wire.settings(initial_window_size: 70_000),
      Wire.response_headers(3),
      Wire.data(3, ""),
      Wire.data(3, "four"),
      Wire.rst_stream(3, :cancel),
      Wire.data(1, "five"),
      Wire.trailers(1),
      Wire.response_headers(5),
      Wire.goaway(5, :no_error, "bye"),
      Wire.data(5, "six", [:end_stream])
    ]

    test "the same comes of frames that are split at every byte" do
      bytes = IO.iodata_to_binary(@frames)
      expected = collect(streaming([:a, :b, :c]), [bytes])

      assert %{
               a: [@head, "onetwothreefive", {:end, @ok}],
               b: [@head, "four", {:failed, {:reset, :cancel}}],
               c: [@head, "six", {:end, []}]
             } = expected

      for at <- 1..(byte_size(bytes) - 1) do
        <<first::binary-size(at), second::binary>> = bytes
        assert collect(streaming([:a, :b, :c]), [first, second]) == expected
      end

      assert collect(streaming([:a, :b, :c]), for(<<byte <- bytes>>, do: <<byte>>)) == expected
    end

    # What each owner got, with the parts of a body put together.
    defp collect(connection, packets) do
      {_connection, got} =
        Enum.reduce(packets, {connection, %{}}, fn packet, {connection, got} ->
          {connection, _out, events} = Connection.receive(connection, packet)
          {connection, Enum.reduce(events, got, &note/2)}
        end)

      Map.new(got, fn {owner, events} -> {owner, Enum.reverse(events)} end)
    end

    defp note({:headers, owner, head}, got), do: Map.put(got, owner, [head])

    defp note({:data, owner, data, _size}, got) do
      Map.update!(got, owner, fn
        [body | rest] when is_binary(body) -> [body <> data | rest]
        rest -> [data | rest]
      end)
    end

    defp note({:end, owner, trailers}, got), do: Map.update!(got, owner, &[{:end, trailers} | &1])
    defp note({:failed, owner, why}, got), do: Map.update!(got, owner, &[{:failed, why} | &1])
    defp note({:goaway, _code, _text}, got), do: got
  end

  describe "the window of a response in parts" do
    setup do
      connection = streaming([:a], [], stream_window: 1000, connection_window: 100_000)
      {connection, [], _} = feed(connection, Wire.response_headers(1))
      %{connection: connection}
    end

    test "moves only as far as the owner has acknowledged", %{connection: connection} do
      {connection, [], [{:data, :a, _, 900}]} = feed(connection, Wire.data(1, zeros(900)))
      {connection, [], [{:data, :a, _, 100}]} = feed(connection, Wire.data(1, zeros(100)))
      {connection, out} = Connection.acknowledge(connection, 1, 600)
      assert Wire.client_frames(out) == [{:window_update, 1, 600}]
      {connection, [], [{:data, :a, _, 600}]} = feed(connection, Wire.data(1, zeros(600)))

      assert {_connection, [{:rst_stream, 1, :flow_control_error}],
              [{:failed, :a, {:malformed, text}}]} = feed(connection, Wire.data(1, "x"))

      assert text =~ "window"
    end

    test "counts padding", %{connection: connection} do
      padded = Wire.frame(:data, [:padded], 1, <<200, zeros(799)::binary>>)
      {connection, [], [{:data, :a, body, 800}]} = feed(connection, padded)
      assert byte_size(body) == 599

      assert {_, [{:rst_stream, 1, :flow_control_error}], _} =
               feed(connection, Wire.data(1, zeros(201)))
    end

    test "is not the connection's, which is refilled on receipt", %{connection: connection} do
      {connection, out} = Connection.acknowledge(connection, 1, 60_000)
      assert Wire.client_frames(out) == [{:window_update, 1, 60_000}]
      packet = List.duplicate(Wire.data(1, zeros(15_000)), 4)
      assert {_connection, [{:window_update, 0, 60_000}], [_]} = feed(connection, packet)
    end

    test "of a stream that has ended is not moved", %{connection: connection} do
      {connection, _, _} = feed(connection, [Wire.data(1, "x"), Wire.trailers(1)])
      assert Connection.acknowledge(connection, 1, 1) == {connection, []}
    end
  end

  describe "a request in parts" do
    test "goes out as it comes, and ends when it is said" do
      connection = streaming([:a])
      {connection, [{:data, 1, "one", :more}], []} = send_part(connection, 1, "one", :more)
      {connection, [{:data, 1, "two", :more}], []} = send_part(connection, 1, "two", :more)
      {connection, [{:data, 1, "", :last}], []} = send_part(connection, 1, "", :last)
      # It was the last part.
      {connection, [], []} = send_part(connection, 1, "more", :more)

      assert {_connection, [], [{:headers, :a, _}, {:end, :a, @ok}]} =
               feed(connection, [Wire.response_headers(1), Wire.trailers(1)])
    end

    test "may be one part" do
      assert {_connection, [{:data, 1, "all", :last}], []} =
               send_part(streaming([:a]), 1, "all", :last)
    end

    test "that is empty and not the last writes nothing" do
      assert {_connection, [], []} = send_part(streaming([:a]), 1, "", :more)
    end

    test "waits for the stream's window, part after part" do
      connection = streaming([:a], initial_window_size: 4)
      {connection, [{:data, 1, "abcd", :more}], []} = send_part(connection, 1, "abcdef", :more)
      {connection, [], []} = send_part(connection, 1, "gh", :more)
      {connection, [], []} = send_part(connection, 1, "", :last)

      {connection, [{:data, 1, "efg", :more}], []} = feed(connection, Wire.window_update(1, 3))
      assert {_, [{:data, 1, "h", :last}], []} = feed(connection, Wire.window_update(1, 3))
    end

    test "waits for the connection's window, and takes turns with others" do
      connection = streaming([:a, :b], initial_window_size: 1_000_000)
      {connection, _, _} = send_part(connection, 1, zeros(65_535), :more)
      {connection, [], []} = send_part(connection, 1, zeros(20_000), :last)
      {connection, [], []} = send_part(connection, 3, zeros(10), :more)
      {connection, frames, _} = feed(connection, Wire.window_update(0, 16_384 + 10))
      assert sizes(frames) == [{1, 16_384, :more}, {3, 10, :more}]
      {_connection, frames, []} = feed(connection, Wire.window_update(0, 100_000))
      assert sizes(frames) == [{1, 3_616, :last}]
    end

    test "ends without data even if no window is left" do
      connection = streaming([:a], initial_window_size: 0)
      assert {_, [{:data, 1, "", :last}], []} = send_part(connection, 1, "", :last)
    end

    test "grows with SETTINGS while it waits" do
      connection = streaming([:a], initial_window_size: 2)
      {connection, [{:data, 1, "ab", :more}], []} = send_part(connection, 1, "abcd", :more)

      assert {_connection, [:settings_ack, {:data, 1, "c", :more}], []} =
               feed(connection, Wire.settings(initial_window_size: 3))
    end

    test "tells its owner what has been written, in portions" do
      portion = Sender.portion()
      connection = streaming([:a], initial_window_size: portion)
      {connection, [], []} = feed(connection, Wire.window_update(0, 1_000_000))
      {connection, _, []} = send_part(connection, 1, zeros(portion - 1), :more)
      {connection, _, [{:sent, :a, ^portion}]} = send_part(connection, 1, zeros(1), :more)
      {connection, [], []} = send_part(connection, 1, zeros(2 * portion), :more)
      {connection, _, events} = feed(connection, Wire.window_update(1, portion + 16_384))
      assert events == [{:sent, :a, portion}]
      {_connection, _, events} = feed(connection, Wire.window_update(1, portion))
      assert events == [{:sent, :a, portion}]
    end

    test "that is not over when the response is is given up" do
      connection = streaming([:a, :b], initial_window_size: 4)
      {connection, _, _} = send_part(connection, 1, "abcdef", :last)
      {connection, _, _} = send_part(connection, 3, "ab", :more)

      for id <- [1, 3] do
        assert {_connection, [{:rst_stream, ^id, :no_error}], [_, {:end, _, _}]} =
                 feed(connection, [Wire.response_headers(id), Wire.trailers(id)])
      end
    end

    test "of a stream that was reset goes nowhere" do
      connection = streaming([:a], initial_window_size: 4)
      {connection, _, _} = send_part(connection, 1, "abcdef", :more)
      {connection, out} = Connection.reset(connection, 1)
      assert Wire.client_frames(out) == [{:rst_stream, 1, :cancel}]
      assert {connection, [], []} = send_part(connection, 1, "gh", :last)
      assert {connection, [], []} = feed(connection, Wire.window_update(1, 10))
      assert Connection.reset(connection, 1) == {connection, []}
    end
  end
end
