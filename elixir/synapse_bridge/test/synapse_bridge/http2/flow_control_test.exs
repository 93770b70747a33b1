defmodule SynapseBridge.HTTP2.FlowControlTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.HPACK.Encoder
  alias SynapseBridge.HTTP2.Connection
  alias SynapseBridge.Wire

  @block Encoder.encode([{":method", "POST"}])

  defp connected(settings, opts \\ []) do
    {connection, _out} = Connection.new(Keyword.merge([max_body: 20_000_000], opts))
    {connection, _out, [:ready]} = Connection.receive(connection, Wire.settings(settings))
    connection
  end

  defp open(connection, owner, body) do
    {connection, out} = Connection.open(connection, owner, @block, byte_size(@block), body)
    [{:headers, _id, _fields} | data] = Wire.client_frames(out)
    {connection, data}
  end

  defp feed(connection, bytes) do
    {connection, out, events} = Connection.receive(connection, IO.iodata_to_binary(bytes))
    {connection, Wire.client_frames(out), events}
  end

  defp sizes(frames) do
    for {:data, id, data, more} <- frames, do: {id, byte_size(data), more}
  end

  defp zeros(size), do: :binary.copy(<<0>>, size)

  describe "sending" do
    test "stops at the stream's window and goes on with WINDOW_UPDATE" do
      {connection, data} = open(connected(initial_window_size: 10), :a, "0123456789abcdef")
      assert data == [{:data, 1, "0123456789", :more}]

      assert {connection, [{:data, 1, "abc", :more}], []} =
               feed(connection, Wire.window_update(1, 3))

      assert {connection, [{:data, 1, "def", :last}], []} =
               feed(connection, Wire.window_update(1, 100))

      assert {_connection, [], []} = feed(connection, Wire.window_update(1, 100))
    end

    test "sends nothing but headers into a window of zero" do
      {connection, data} = open(connected(initial_window_size: 0), :a, "body")
      assert data == []

      assert {_connection, [{:data, 1, "body", :last}], []} =
               feed(connection, Wire.window_update(1, 4))
    end

    test "stops at the connection's window of 65,535 bytes, which SETTINGS do not change" do
      {connection, data} = open(connected(initial_window_size: 1_000_000), :a, zeros(100_000))

      assert sizes(data) == [
               {1, 16_384, :more},
               {1, 16_384, :more},
               {1, 16_384, :more},
               {1, 16_383, :more}
             ]

      {connection, data, []} = feed(connection, Wire.window_update(0, 1))
      assert sizes(data) == [{1, 1, :more}]
      {_connection, data, []} = feed(connection, Wire.window_update(0, 100_000))
      assert sizes(data) == [{1, 16_384, :more}, {1, 16_384, :more}, {1, 1696, :last}]
    end

    test "uses larger frames where the server allows them" do
      {_connection, data} = open(connected(max_frame_size: 50_000), :a, zeros(60_000))
      assert sizes(data) == [{1, 50_000, :more}, {1, 10_000, :last}]
    end

    test "streams take turns for the connection's window" do
      connection = connected(initial_window_size: 1_000_000)
      {connection, _data} = open(connection, :a, zeros(65_535))
      {connection, []} = open(connection, :b, zeros(40_000))
      {connection, []} = open(connection, :c, zeros(10))
      {_connection, data, []} = feed(connection, Wire.window_update(0, 30_000))
      assert sizes(data) == [{3, 16_384, :more}, {5, 10, :last}, {3, 13_606, :more}]
    end

    test "a new call does not overtake one that waits for the connection's window" do
      {connection, _data} = open(connected(initial_window_size: 1_000_000), :a, zeros(65_536))
      assert {connection, []} = open(connection, :b, "x")
      {_connection, data, []} = feed(connection, Wire.window_update(0, 2))
      assert sizes(data) == [{1, 1, :last}, {3, 1, :last}]
    end

    test "a call whose own window is used up does not hold up others" do
      {connection, data} = open(connected(initial_window_size: 10), :a, zeros(20))
      assert sizes(data) == [{1, 10, :more}]
      assert {_connection, [{:data, 3, "small", :last}]} = open(connection, :b, "small")
    end

    test "a larger initial window in SETTINGS applies to open streams" do
      {connection, _data} = open(connected(initial_window_size: 10), :a, zeros(25))
      {connection, frames, []} = feed(connection, Wire.settings(initial_window_size: 20))
      assert [:settings_ack | data] = frames
      assert sizes(data) == [{1, 10, :more}]

      {_connection, [:settings_ack | data], []} =
        feed(connection, Wire.settings(initial_window_size: 30))

      assert sizes(data) == [{1, 5, :last}]
    end

    test "a smaller initial window makes windows negative, which updates have to make up for" do
      {connection, _data} = open(connected(initial_window_size: 10), :a, zeros(20))
      {connection, [:settings_ack], []} = feed(connection, Wire.settings(initial_window_size: 4))
      {connection, [], []} = feed(connection, Wire.window_update(1, 6))
      {_connection, data, []} = feed(connection, Wire.window_update(1, 1))
      assert sizes(data) == [{1, 1, :more}]
    end

    test "a call that ends while it waits is forgotten" do
      {connection, _data} = open(connected(initial_window_size: 1_000_000), :a, zeros(70_000))
      {connection, []} = open(connection, :b, zeros(10))
      {connection, _out} = Connection.cancel(connection, &(&1 == :a))
      {_connection, data, []} = feed(connection, Wire.window_update(0, 100))
      assert sizes(data) == [{3, 10, :last}]
    end

    test "a response before the end of the request ends the request" do
      {connection, _data} = open(connected(initial_window_size: 10), :a, zeros(20))

      {connection, frames, [{:response, :a, _, _, _}]} =
        feed(connection, Wire.response(1, "early"))

      assert frames == [{:rst_stream, 1, :no_error}]
      assert {_connection, [], []} = feed(connection, Wire.window_update(1, 100))
    end

    test "a stream's window over 2^31-1 resets the stream" do
      {connection, _data} = open(connected([]), :a, "x")
      {connection, [], []} = feed(connection, Wire.window_update(1, 0x7FFFFFFF - 65_535 + 1))

      assert {_connection, [{:rst_stream, 1, :flow_control_error}],
              [{:failed, :a, {:malformed, text}}]} = feed(connection, Wire.window_update(1, 1))

      assert text =~ "largest window"
    end

    test "the connection's window over 2^31-1 closes the connection" do
      assert {connection, [], []} =
               feed(connected([]), Wire.window_update(0, 0x7FFFFFFF - 65_535))

      assert {_connection, [{:goaway, 0, :flow_control_error, _}],
              [{:closed, :flow_control_error, _}]} = feed(connection, Wire.window_update(0, 1))
    end

    test "SETTINGS that push a stream's window over 2^31-1 close the connection" do
      {connection, _data} = open(connected([]), :a, "x")
      {connection, [], []} = feed(connection, Wire.window_update(1, 1000))

      assert {_connection, [{:goaway, 0, :flow_control_error, _}],
              [{:closed, :flow_control_error, _}]} =
               feed(connection, Wire.settings(initial_window_size: 0x7FFFFFFF))
    end

    test "10 MB arrive whole whatever the windows" do
      :rand.seed(:exsss, {1, 2, 3})
      body = :rand.bytes(10_000_000)
      {connection, data} = open(connected(initial_window_size: 1), :a, body)
      assert sent(connection, data, []) == body
    end

    defp sent(connection, frames, parts) do
      parts = Enum.reduce(frames, parts, fn {:data, 1, data, _more}, parts -> [parts | data] end)

      if match?({:data, 1, _data, :last}, List.last(frames)) do
        IO.iodata_to_binary(parts)
      else
        size = :rand.uniform(300_000)
        bytes = [Wire.window_update(0, size), Wire.window_update(1, size + :rand.uniform(5))]
        {connection, frames, []} = feed(connection, bytes)
        sent(connection, frames, parts)
      end
    end
  end

  describe "receiving" do
    @window [stream_window: 1000, connection_window: 100_000]

    setup do
      {connection, _data} = open(connected([], @window), :a, "x")
      {connection, [], []} = feed(connection, Wire.response_headers(1))
      %{connection: connection}
    end

    test "the stream's window is refilled when half is used", %{connection: connection} do
      assert {connection, [], []} = feed(connection, Wire.data(1, zeros(500)))
      assert {connection, [{:window_update, 1, 501}], []} = feed(connection, Wire.data(1, "x"))

      assert {_connection, [{:window_update, 1, 1000}], []} =
               feed(connection, Wire.data(1, zeros(1000)))
    end

    test "padding counts", %{connection: connection} do
      assert {_connection, [{:window_update, 1, 601}], []} =
               feed(connection, Wire.frame(:data, [:padded], 1, <<200, zeros(600)::binary>>))
    end

    test "a stream that ends gets no more window", %{connection: connection} do
      assert {_connection, [], [{:response, :a, _, _, _}]} =
               feed(connection, Wire.data(1, zeros(900), [:end_stream]))
    end

    test "more data than a stream's window resets the stream", %{connection: connection} do
      assert {_connection, [{:rst_stream, 1, :flow_control_error}],
              [{:failed, :a, {:malformed, text}}]} = feed(connection, Wire.data(1, zeros(1001)))

      assert text =~ "window"
    end

    test "data of ended streams counts for the connection, whose window is refilled" do
      {connection, _data} = open(connected([], @window), :a, "x")
      {connection, _out} = Connection.cancel(connection, fn :a -> true end)
      late = Wire.data(1, zeros(16_000))
      assert {connection, [], []} = feed(connection, List.duplicate(late, 3))
      assert {_connection, [{:window_update, 0, 64_000}], []} = feed(connection, late)
    end

    test "more data than the connection's window closes it" do
      {connection, _data} = open(connected([], connection_window: 65_535), :a, "x")
      connection = %{connection | receive_window: 10}

      assert {_connection, [{:goaway, 0, :flow_control_error, _}],
              [{:closed, :flow_control_error, _}]} = feed(connection, Wire.data(1, zeros(11)))
    end

    test "10 MB arrive whole, and the server may always go on" do
      {connection, _data} = open(connected([]), :a, "x")
      {connection, [], []} = feed(connection, Wire.response_headers(1))
      :rand.seed(:exsss, {4, 5, 6})
      body = :rand.bytes(10_000_000)

      {connection, windows} =
        for(<<part::binary-size(10_000) <- body>>, do: part)
        |> Enum.reduce({connection, {1_048_576, 16_777_216}}, fn part,
                                                                 {connection, {stream, all}} ->
          assert stream >= 10_000 and all >= 10_000
          {connection, updates, []} = feed(connection, Wire.data(1, part))
          stream_more = Enum.sum(for {:window_update, 1, n} <- updates, do: n)
          all_more = Enum.sum(for {:window_update, 0, n} <- updates, do: n)
          {connection, {stream - 10_000 + stream_more, all - 10_000 + all_more}}
        end)

      assert elem(windows, 0) > 500_000 and elem(windows, 1) > 8_000_000

      assert {_connection, [], [{:response, :a, _, parts, _}]} =
               feed(connection, Wire.trailers(1))

      assert IO.iodata_to_binary(parts) == body
    end
  end
end
