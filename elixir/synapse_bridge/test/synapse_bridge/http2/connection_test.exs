defmodule SynapseBridge.HTTP2.ConnectionTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.HPACK.Encoder
  alias SynapseBridge.HTTP2.Connection
  alias SynapseBridge.Wire

  @block Encoder.encode([{":method", "POST"}, {":path", "/p.S/M"}])
  @ok_headers {200, [{"content-type", "application/grpc"}]}
  @ok_trailers [{"grpc-status", "0"}]

  defp new(opts \\ []) do
    {connection, _out} = Connection.new(Keyword.merge([max_body: 1_000_000], opts))
    connection
  end

  # A connection after the server's SETTINGS, with a stream per owner.
  defp connected(settings \\ [], owners \\ [], opts \\ []) do
    {connection, _out, [:ready]} = Connection.receive(new(opts), Wire.settings(settings))
    Enum.reduce(owners, connection, fn owner, connection -> elem(open(connection, owner), 0) end)
  end

  defp open(connection, owner, body \\ "request") do
    Connection.open(connection, owner, @block, byte_size(@block), body)
  end

  defp feed(connection, bytes) do
    {connection, out, events} = Connection.receive(connection, IO.iodata_to_binary(bytes))
    {connection, Wire.client_frames(out), events}
  end

  describe "the start" do
    test "sends the preface, SETTINGS and a larger connection window" do
      {_connection, out} = Connection.new(max_body: 10)
      assert IO.iodata_to_binary(out) =~ ~r"^PRI \* HTTP/2.0\r\n\r\nSM\r\n\r\n"

      assert Wire.client_frames(out) == [
               {:settings,
                [
                  enable_push: 0,
                  initial_window_size: 1_048_576,
                  max_header_list_size: 65_536
                ]},
               {:window_update, 0, 16_777_216 - 65_535}
             ]
    end

    test "no stream may be opened before the server's SETTINGS" do
      assert Connection.available(new()) == 0
      assert {connection, [:settings_ack], [:ready]} = feed(new(), Wire.settings())
      assert Connection.available(connection) == :infinity
    end

    test "a server that speaks something else is told by its first bytes" do
      for {bytes, shown} <- [
            {"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n", "HTTP/1.1 400 Bad"},
            {<<21, 3, 3, 0, 2, 2, 22, 0, 0, 0>>, "tls: true"},
            {Wire.ping("12345678"), "12345678"}
          ] do
        assert {connection, [{:goaway, 0, :protocol_error, _}],
                [{:closed, :protocol_error, text}]} = feed(new(), bytes)

        assert text =~ "does not speak HTTP/2"

        assert text =~ shown
        assert Connection.finished?(connection)
        assert feed(connection, "more") == {connection, [], []}
      end
    end
  end

  describe "a call" do
    test "is HEADERS and one DATA frame that ends the stream, with odd ids" do
      {connection, out} = open(connected(), :a)

      assert [{:headers, 1, [{":method", "POST"} | _]}, {:data, 1, "request", :last}] =
               Wire.client_frames(out)

      {_connection, out} = open(connection, :b)
      assert [{:headers, 3, _}, {:data, 3, _, :last}] = Wire.client_frames(out)
    end

    test "gets its response when it is complete" do
      connection = connected([], [:a])
      assert {connection, [], []} = feed(connection, Wire.response_headers(1))
      assert {connection, [], []} = feed(connection, Wire.data(1, "one"))
      assert {connection, [], []} = feed(connection, Wire.data(1, "two"))
      assert {connection, [], [event]} = feed(connection, Wire.trailers(1))
      assert event == {:response, :a, @ok_headers, ["one", "two"], @ok_trailers}
      assert Connection.owners(connection) == []
    end

    test "may get headers only, or no trailers" do
      connection = connected([], [:a, :b])

      only =
        Wire.headers(1, [{":status", "200"}, {"grpc-status", "5"}], [:end_headers, :end_stream])

      bare = [Wire.response_headers(3), Wire.data(3, "x", [:end_stream])]

      assert {_connection, [], [first, second]} = feed(connection, [only | bare])
      assert first == {:response, :a, {200, [{"grpc-status", "5"}]}, [], nil}
      assert second == {:response, :b, @ok_headers, ["x"], []}
    end

    test "interim responses are skipped" do
      interim = Wire.headers(1, [{":status", "103"}, {"link", "x"}])

      assert {_, [], [{:response, :a, @ok_headers, _, _}]} =
               feed(connected([], [:a]), [interim | Wire.response(1, "")])
    end

    test "responses come in the order in which they end" do
      connection = connected([], [:a, :b])

      bytes = [
        Wire.response_headers(1),
        Wire.response(3, "b"),
        Wire.data(1, "a"),
        Wire.trailers(1)
      ]

      assert {_connection, [], [{:response, :b, _, _, _}, {:response, :a, _, _, _}]} =
               feed(connection, bytes)
    end

    test "a header block over the peer's frame size goes on in CONTINUATION frames" do
      fields = [{"x-large", String.duplicate("v", 40_000)}]
      block = Encoder.encode(fields)
      {_connection, out} = Connection.open(connected(), :a, block, byte_size(block), "body")

      assert [
               {:headers_part, 1, a},
               {:continuation, 1, b, :more},
               {:continuation, 1, c, :last},
               {:data, 1, "body", :last}
             ] = Wire.client_frames(out)

      assert {byte_size(a), byte_size(b)} == {16_384, 16_384}
      assert Wire.fields(a <> b <> c) == fields
    end

    test "the first block after a server made the table smaller says so" do
      {_connection, out} = open(connected(header_table_size: 0), :a)
      <<_length::24, 1, 4, 1::32, 0x20, rest::binary>> = IO.iodata_to_binary(out)
      assert String.starts_with?(rest, @block)
    end
  end

  describe "what other frames do" do
    test "PING is answered, and the answer to a PING is not" do
      assert {connection, [{:ping_ack, "12345678"}], []} =
               feed(connected(), Wire.ping("12345678"))

      assert {_connection, [], []} = feed(connection, Wire.frame(:ping, [:ack], 0, "12345678"))
    end

    test "PRIORITY and frames of unknown types are ignored" do
      bytes = [
        Wire.frame(:priority, [], 1, <<0::32, 5>>),
        Wire.frame(0xBE, 0xFF, 1, "anything"),
        Wire.frame(0xFF, 0, 0, ""),
        Wire.response(1, "x")
      ]

      assert {_connection, [], [{:response, :a, _, _, _}]} = feed(connected([], [:a]), bytes)
    end

    test "padding and priority fields are taken off" do
      block = Encoder.encode([{":status", "200"}])

      bytes = [
        Wire.frame(
          :headers,
          [:end_headers, :padded, :priority],
          1,
          <<3, 0::32, 7, block::binary, 0::24>>
        ),
        Wire.frame(:data, [:padded], 1, <<4, "data", 0::32>>),
        Wire.frame(:data, [:padded], 1, <<0, "more">>),
        Wire.frame(:data, [:padded], 1, <<2, 0::16>>),
        Wire.trailers(1)
      ]

      assert {_, [], [{:response, :a, {200, []}, ["data", "more", ""], @ok_trailers}]} =
               feed(connected([], [:a]), bytes)
    end

    test "a header block may come in CONTINUATION frames" do
      <<a::binary-size(3), b::binary-size(5), c::binary>> =
        Encoder.encode([{":status", "200"}, {"content-type", "application/grpc"}])

      bytes = [
        Wire.frame(:headers, [], 1, a),
        Wire.frame(:continuation, [], 1, b),
        Wire.frame(:continuation, [], 1, ""),
        Wire.frame(:continuation, [:end_headers], 1, c),
        # END_STREAM stands on HEADERS even if the block goes on
        Wire.frame(:headers, [:end_stream], 1, ""),
        Wire.frame(:continuation, [:end_headers], 1, Encoder.encode([{"grpc-status", "0"}]))
      ]

      assert {_, [], [{:response, :a, @ok_headers, [], @ok_trailers}]} =
               feed(connected([], [:a]), bytes)
    end

    test "RST_STREAM fails one call; REFUSED_STREAM says that it may be repeated" do
      connection = connected([], [:a, :b, :c])

      assert {connection, [], [{:failed, :a, {:reset, :internal_error}}, {:failed, :b, :refused}]} =
               feed(connection, [
                 Wire.rst_stream(1, :internal_error),
                 Wire.rst_stream(3, :refused_stream)
               ])

      assert {connection, [], [{:failed, :c, {:reset, 0xABC}}]} =
               feed(connection, Wire.rst_stream(5, 0xABC))

      assert Connection.owners(connection) == []
    end

    test "RST_STREAM(NO_ERROR) after the trailers is swallowed" do
      bytes = [Wire.response(1, "x"), Wire.rst_stream(1, :no_error)]
      assert {_connection, [], [{:response, :a, _, _, _}]} = feed(connected([], [:a]), bytes)
    end

    test "late frames of streams that have ended are ignored, but read" do
      {connection, out} = Connection.cancel(connected([], [:a, :b]), &(&1 == :a))
      assert Wire.client_frames(out) == [{:rst_stream, 1, :cancel}]

      # The block adds to the HPACK table; the one after it refers to the new entry.
      add = <<0x88, 0x40, 1, "k", 1, "v">>

      bytes = [
        Wire.frame(:headers, [:end_headers], 1, add),
        Wire.data(1, "late"),
        Wire.window_update(1, 5),
        Wire.rst_stream(1, :cancel),
        Wire.frame(:headers, [:end_headers, :end_stream], 3, <<0x88, 0x80 + 62>>)
      ]

      assert {_, [], [{:response, :b, {200, [{"k", "v"}]}, [], nil}]} = feed(connection, bytes)
    end

    test "GOAWAY ends new calls, gives back those above its id, and lets the others finish" do
      connection = connected([], [:a, :b, :c])

      assert {connection, [],
              [
                {:goaway, :no_error, "bye"},
                {:failed, owner_1, :unprocessed},
                {:failed, owner_2, :unprocessed}
              ]} = feed(connection, Wire.goaway(1, :no_error, "bye"))

      assert Enum.sort([owner_1, owner_2]) == [:b, :c]
      assert Connection.available(connection) == 0
      refute Connection.finished?(connection)

      assert {connection, [], [{:response, :a, _, _, _}]} =
               feed(connection, Wire.response(1, "x"))

      assert Connection.finished?(connection)
    end

    test "a second GOAWAY may lower the id" do
      assert {connection, [], [{:goaway, :no_error, ""}]} =
               feed(connected([], [:a, :b]), Wire.goaway(0x7FFFFFFF, :no_error))

      assert {connection, [], [{:goaway, :no_error, ""}, {:failed, :b, :unprocessed}]} =
               feed(connection, Wire.goaway(1, :no_error))

      assert Connection.owners(connection) == [:a]
    end

    test "the last stream id drains the connection" do
      connection = connected([], [], first_stream_id: 0x7FFFFFFD)
      {connection, _out} = open(connection, :a)
      assert Connection.available(connection) == :infinity
      {connection, out} = open(connection, :b)
      assert [{:headers, 0x7FFFFFFF, _} | _] = Wire.client_frames(out)
      assert Connection.available(connection) == 0
      bytes = [Wire.response(0x7FFFFFFF, "b"), Wire.response(0x7FFFFFFD, "a")]
      assert {connection, [], [_b, _a]} = feed(connection, bytes)
      assert Connection.finished?(connection)
    end

    test "MAX_CONCURRENT_STREAMS counts open streams and may change" do
      connection = connected([max_concurrent_streams: 2], [:a])
      assert Connection.available(connection) == 1
      {connection, _out} = open(connection, :b)
      assert Connection.available(connection) == 0
      {connection, _frames, _events} = feed(connection, Wire.settings(max_concurrent_streams: 5))
      assert Connection.available(connection) == 3
      {connection, _frames, _events} = feed(connection, Wire.settings(max_concurrent_streams: 0))
      assert Connection.available(connection) == 0
    end
  end

  describe "limits" do
    test "a body over the limit is cancelled, others go on" do
      connection = connected([], [:a, :b], max_body: 10)

      bytes = [
        Wire.response_headers(1),
        Wire.data(1, "12345678"),
        Wire.data(1, "901"),
        Wire.response(3, "b")
      ]

      assert {_connection, [{:rst_stream, 1, :cancel}],
              [{:failed, :a, {:body_too_large, 10}}, {:response, :b, _, _, _}]} =
               feed(connection, bytes)
    end

    test "headers over the limit are cancelled, others go on" do
      connection = connected([], [:a, :b], max_header_list_size: 200)
      large = Wire.headers(1, [{":status", "200"}, {"x", String.duplicate("v", 200)}])

      assert {_connection, [{:rst_stream, 1, :cancel}],
              [{:failed, :a, {:headers_too_large, size}}, {:response, :b, _, _, _}]} =
               feed(connection, [large | Wire.response(3, "b")])

      assert size > 200
    end

    test "a header block that never ends closes the connection, empty frames included" do
      for part <- ["", String.duplicate("x", 100)] do
        connection = connected([], [:a], max_header_list_size: 200)

        bytes = [
          Wire.frame(:headers, [], 1, "")
          | List.duplicate(Wire.frame(:continuation, [], 1, part), 200)
        ]

        assert {_connection, [{:goaway, 0, :enhance_your_calm, _}],
                [{:closed, :enhance_your_calm, text}]} = feed(connection, bytes)

        assert text =~ "header block"
      end
    end
  end

  describe "a response against the protocol fails its call with PROTOCOL_ERROR, and only that" do
    for {title, bytes} <- [
          {"data before headers", [Wire.data(1, "x")]},
          {"trailers first", [Wire.trailers(1)]},
          {"headers without a status", [Wire.headers(1, [{"content-type", "x"}])]},
          {"a status that is no number", [Wire.headers(1, [{":status", "OK"}])]},
          {"a second response", [Wire.response_headers(1), Wire.response_headers(1)]},
          {"trailers that do not end the stream",
           [Wire.response_headers(1), Wire.headers(1, [{"a", "b"}])]},
          {"a pseudo-field in trailers",
           [Wire.response_headers(1), Wire.trailers(1, "0", [{":status", "200"}])]},
          {"a pseudo-field of a request",
           [Wire.headers(1, [{":status", "200"}, {":path", "/"}])]},
          {"upper case in a name", [Wire.headers(1, [{":status", "200"}, {"Server", "x"}])]},
          {"an empty name", [Wire.headers(1, [{":status", "200"}, {"", "x"}])]},
          {"a line break in a value", [Wire.headers(1, [{":status", "200"}, {"a", "x\r\ny"}])]},
          {"a connection field",
           [Wire.headers(1, [{":status", "200"}, {"connection", "close"}])]},
          {"an interim response that ends",
           [Wire.headers(1, [{":status", "100"}], [:end_headers, :end_stream])]},
          {"a window update by nothing", [Wire.window_update(1, 0)]}
        ] do
      @bytes bytes
      test title do
        assert {_connection, [{:rst_stream, 1, :protocol_error}],
                [{:failed, :a, {:malformed, text}}, {:response, :b, _, _, _}]} =
                 feed(connected([], [:a, :b]), [@bytes | Wire.response(3, "b")])

        assert is_binary(text)
      end
    end
  end

  describe "a frame against the protocol closes the connection" do
    for {title, code, bytes} <- [
          {"DATA of stream 0", :protocol_error, Wire.data(0, "x")},
          {"DATA of a stream that was never opened", :protocol_error, Wire.data(7, "x")},
          {"DATA of a stream of the server", :protocol_error, Wire.data(2, "x")},
          {"DATA with too much padding", :protocol_error,
           Wire.frame(:data, [:padded], 1, <<5, 0::32>>)},
          {"DATA with padding, but empty", :protocol_error, Wire.frame(:data, [:padded], 1, "")},
          {"HEADERS of stream 0", :protocol_error, Wire.response_headers(0)},
          {"HEADERS of a stream that was never opened", :protocol_error,
           Wire.response_headers(9)},
          {"HEADERS with too much padding", :protocol_error,
           Wire.frame(:headers, [:end_headers, :padded], 1, <<9, 0x88>>)},
          {"HEADERS too short for priority", :protocol_error,
           Wire.frame(:headers, [:end_headers, :priority], 1, <<0::32>>)},
          {"HEADERS that cannot be decoded", :compression_error,
           Wire.frame(:headers, [:end_headers], 1, <<0xFF, 0xFF>>)},
          {"PRIORITY of stream 0", :protocol_error, Wire.frame(:priority, [], 0, <<0::40>>)},
          {"PRIORITY of four bytes", :frame_size_error, Wire.frame(:priority, [], 1, <<0::32>>)},
          {"RST_STREAM of stream 0", :protocol_error, Wire.rst_stream(0, :cancel)},
          {"RST_STREAM of a stream that was never opened", :protocol_error,
           Wire.rst_stream(11, :cancel)},
          {"RST_STREAM of three bytes", :frame_size_error,
           Wire.frame(:rst_stream, [], 1, <<0::24>>)},
          {"SETTINGS of five bytes", :frame_size_error, Wire.frame(:settings, [], 0, <<0::40>>)},
          {"SETTINGS of a stream", :protocol_error, Wire.frame(:settings, [], 1, "")},
          {"an acknowledgement with SETTINGS", :frame_size_error,
           Wire.frame(:settings, [:ack], 0, <<0::48>>)},
          {"SETTINGS that enable push", :protocol_error, Wire.settings(enable_push: 1)},
          {"SETTINGS with too large a window", :flow_control_error,
           Wire.settings(initial_window_size: 0x80000000)},
          {"SETTINGS with too small a frame", :protocol_error,
           Wire.settings(max_frame_size: 16_383)},
          {"SETTINGS with too large a frame", :protocol_error,
           Wire.settings(max_frame_size: 0x1000000)},
          {"PUSH_PROMISE", :protocol_error,
           Wire.frame(:push_promise, [:end_headers], 1, <<2::32, 0x82>>)},
          {"PING of seven bytes", :frame_size_error, Wire.frame(:ping, [], 0, "1234567")},
          {"PING of a stream", :protocol_error, Wire.frame(:ping, [], 1, "12345678")},
          {"GOAWAY of seven bytes", :frame_size_error, Wire.frame(:goaway, [], 0, <<0::56>>)},
          {"GOAWAY of a stream", :protocol_error, Wire.frame(:goaway, [], 1, <<0::64>>)},
          {"WINDOW_UPDATE of three bytes", :frame_size_error,
           Wire.frame(:window_update, [], 1, <<0::24>>)},
          {"WINDOW_UPDATE of the connection by nothing", :protocol_error,
           Wire.window_update(0, 0)},
          {"WINDOW_UPDATE of a stream that was never opened", :protocol_error,
           Wire.window_update(5, 1)},
          {"CONTINUATION without HEADERS", :protocol_error, Wire.frame(:continuation, [], 1, "")},
          {"CONTINUATION of another stream", :protocol_error,
           Wire.frame(:headers, [], 1, "") <> Wire.frame(:continuation, [:end_headers], 3, "")},
          {"another frame inside a header block", :protocol_error,
           Wire.frame(:headers, [], 1, "") <> Wire.ping("12345678")},
          {"an unknown frame inside a header block", :protocol_error,
           Wire.frame(:headers, [], 1, "") <> Wire.frame(0xBE, 0, 0, "")},
          {"a frame over the size limit", :frame_size_error, <<16_385::24, 0, 0, 1::32>>},
          {"an unknown frame over the size limit", :frame_size_error,
           <<16_385::24, 0xBE, 0, 1::32>>}
        ] do
      @code code
      @bytes bytes
      test title do
        # what came before in the same packet still counts
        assert {connection, [{:goaway, 0, code, text}],
                [{:response, :b, _, _, _}, {:closed, code, reason}]} =
                 feed(connected([], [:a, :b]), [Wire.response(3, "b") | @bytes])

        assert code == @code
        assert reason =~ text
        assert Connection.owners(connection) == [:a]
        assert Connection.finished?(connection)
      end
    end
  end

  describe "a frame may be split anywhere" do
    block = Encoder.encode([{":status", "200"}, {"content-type", "application/grpc"}])
    <<start::binary-size(4), rest::binary>> = block

    for {title, bytes} <- [
          {"DATA", [Wire.response_headers(1), Wire.data(1, "hello")]},
          {"DATA with padding",
           [Wire.response_headers(1), Wire.frame(:data, [:padded], 1, <<3, "hello", 0::24>>)]},
          {"HEADERS", [Wire.response_headers(1)]},
          {"HEADERS with padding and priority",
           [
             Wire.frame(
               :headers,
               [:end_headers, :padded, :priority],
               1,
               <<2, 0::32, 1, block::binary, 0::16>>
             )
           ]},
          {"HEADERS that end the stream", [Wire.response(1, "hello")]},
          {"PRIORITY", [Wire.frame(:priority, [], 1, <<0::40>>)]},
          {"RST_STREAM", [Wire.rst_stream(1, :internal_error)]},
          {"SETTINGS", [Wire.settings(max_concurrent_streams: 7, initial_window_size: 10)]},
          {"SETTINGS acknowledgement", [Wire.settings_ack()]},
          {"PING", [Wire.ping("12345678")]},
          {"GOAWAY", [Wire.goaway(1, :enhance_your_calm, "too_many_pings")]},
          {"WINDOW_UPDATE", [Wire.window_update(1, 1000), Wire.window_update(0, 70_000)]},
          {"CONTINUATION",
           [
             Wire.frame(:headers, [], 1, start),
             Wire.frame(:continuation, [:end_headers], 1, rest)
           ]},
          {"an unknown type", [Wire.frame(0xBE, 3, 3, "some payload")]},
          {"PUSH_PROMISE, which is an error", [Wire.frame(:push_promise, [], 1, <<2::32>>)]},
          {"DATA that is an error", [Wire.data(99, "x")]}
        ] do
      @bytes IO.iodata_to_binary([bytes, Wire.response(3, "the call after it")])
      test title do
        # with something to send that waits, so that windows matter
        connection = connected([initial_window_size: 3], [:a, :b])
        whole = outcome(connection, [@bytes])
        assert {_, frames, events} = whole
        assert frames != [] or events != []

        for cut <- 1..(byte_size(@bytes) - 1) do
          <<first::binary-size(cut), second::binary>> = @bytes
          assert outcome(connection, [first, second]) == whole, "cut after #{cut} bytes"
        end

        assert outcome(connection, for(<<byte <- @bytes>>, do: <<byte>>)) == whole
      end
    end

    test "the very first SETTINGS" do
      bytes = Wire.settings(max_concurrent_streams: 7)
      whole = outcome(new(), [bytes])
      assert {%{phase: :open}, [:settings_ack], [:ready]} = whole

      for cut <- 1..(byte_size(bytes) - 1) do
        <<first::binary-size(cut), second::binary>> = bytes
        assert outcome(new(), [first, second]) == whole
      end
    end

    # Which parts a body consists of may depend on the frames, not on the packets.
    defp outcome(connection, packets) do
      {connection, out, events} =
        Enum.reduce(packets, {connection, [], []}, fn packet, {connection, out, events} ->
          {connection, more_out, more_events} = Connection.receive(connection, packet)
          {connection, [out | more_out], events ++ more_events}
        end)

      {connection, Wire.client_frames(out), events}
    end
  end

  test "random bytes after the start never crash it" do
    :rand.seed(:exsss, {9, 1, 13})

    for _ <- 1..500 do
      connection = connected([], [:a, :b])
      size = :rand.uniform(30)
      # A valid frame header in front gets the bytes past the size check.
      bytes =
        <<size::24, :rand.uniform(12) - 1, :rand.uniform(256) - 1, :rand.uniform(4)::32>> <>
          :rand.bytes(size + 9)

      assert {%Connection{}, _out, events} = Connection.receive(connection, bytes)
      assert is_list(events)
    end
  end
end
