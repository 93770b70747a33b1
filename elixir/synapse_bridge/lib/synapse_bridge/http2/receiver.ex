defmodule SynapseBridge.HTTP2.Receiver do
  @moduledoc """
  What each frame of the server does to a `SynapseBridge.HTTP2.Connection` (RFC 9113, sections 5 and 6).

  Every clause of `frame/7` returns the connection with what to write and what happened added to it,
  or an error that ends the connection. Errors that concern one stream reset only that stream.
  """

  alias SynapseBridge.HTTP2.{
    Connection,
    ErrorCode,
    FieldSection,
    Frame,
    Inbound,
    Responses,
    Sender,
    Settings
  }

  import Frame, only: [is_end_stream: 1, is_end_headers: 1, is_ack: 1]

  # The largest frame we accept is the one that HTTP/2 allows from the start.
  @max_frame 16_384
  # Of the text in a GOAWAY, which ends up in a message.
  @longest_text 256

  @doc "Takes all complete frames of `bytes`; the rest stays in the connection's buffer."
  @spec frames(binary(), Connection.t()) :: {Connection.t(), iodata(), [Connection.event()]}
  def frames(bytes, connection), do: frames(bytes, connection, [], [])

  defp frames(bytes, connection, out, events) do
    {bytes, connection, events} = Responses.take(bytes, connection, events)

    case Frame.split(bytes, @max_frame) do
      {:data, 0, id, payload, rest}
      when connection.phase != :starting and connection.block == nil ->
        {data, size, rest} = run(connection, id, payload, rest)
        outcome = data(connection, id, size, data, false, out, events)
        go_on(outcome, connection, bytes, rest, out, events)

      {type, flags, id, payload, rest} ->
        outcome = frame(type, flags, id, payload, connection, out, events)
        go_on(outcome, connection, bytes, rest, out, events)

      :more ->
        {connection, events} = Inbound.deliver_waiting(%{connection | buffer: bytes}, events)
        {connection, out, Enum.reverse(events)}

      {:error, length} ->
        text = "a frame of #{length} bytes, but #{@max_frame} are allowed"
        broken(connection, bytes, :frame_size_error, text, out, events)
    end
  end

  defp go_on({:error, code, text}, connection, bytes, _rest, out, events) do
    broken(connection, bytes, code, text, out, events)
  end

  defp go_on({connection, out, events}, _before, _bytes, rest, _out, _events) do
    frames(rest, connection, out, events)
  end

  # Servers write a frame for each message of a stream. Those that come one after the other are taken
  # together: short messages then cost a fifth.
  defp run(%{streams: streams}, id, payload, rest) do
    case streams do
      %{^id => %{mode: :parts}} -> run(rest, id, [payload], byte_size(payload))
      %{} -> {payload, byte_size(payload), rest}
    end
  end

  defp run(bytes, id, parts, size) do
    case Frame.split(bytes, @max_frame) do
      {:data, 0, ^id, payload, rest} ->
        run(rest, id, [payload | parts], size + byte_size(payload))

      _other ->
        {Enum.reverse(parts), size, bytes}
    end
  end

  # A server that speaks something else is best told by its first bytes.
  defp broken(%{phase: :starting} = connection, bytes, _code, _text, out, events) do
    closed(connection, :protocol_error, "it does not speak HTTP/2; #{speaks(bytes)}", out, events)
  end

  defp broken(connection, _bytes, code, text, out, events) do
    closed(connection, code, "it broke the HTTP/2 protocol: #{text}", out, events)
  end

  # The header of a TLS alert.
  defp speaks(<<21, 3, _rest::binary>>), do: "it speaks TLS, so the channel needs tls: true"

  defp speaks(bytes) do
    start = binary_part(bytes, 0, min(byte_size(bytes), 32))
    "its first bytes are #{inspect(start, binaries: :as_strings)}"
  end

  defp closed(connection, code, text, out, events) do
    {connection, events} = Inbound.deliver_waiting(connection, events)
    connection = %{connection | phase: :closed, buffer: "", block: nil}
    {connection, [out | Frame.goaway(code, text)], Enum.reverse([{:closed, code, text} | events])}
  end

  # Section 3.4: the first frame of a server is SETTINGS.
  defp frame(:settings, flags, 0, payload, %{phase: :starting} = connection, out, events)
       when not is_ack(flags) do
    frame(:settings, flags, 0, payload, %{connection | phase: :open}, out, [:ready | events])
  end

  defp frame(_type, _flags, _id, _payload, %{phase: :starting}, _out, _events) do
    {:error, :protocol_error, "the first frame is not SETTINGS"}
  end

  # Section 6.10: nothing may come between the frames of a header block.
  defp frame(:continuation, flags, id, payload, %{block: {id, _, _, _}} = connection, out, events) do
    {id, end?, parts, size} = connection.block
    block = {id, end?, [parts | payload], size + byte_size(payload) + 9}

    cond do
      is_end_headers(flags) ->
        {id, end?, parts, _size} = block
        block(%{connection | block: nil}, id, end?, IO.iodata_to_binary(parts), out, events)

      # Empty frames count as well, or they could go on for ever.
      elem(block, 3) > 4 * connection.options.max_header_list_size ->
        {:error, :enhance_your_calm, "a header block of more than #{elem(block, 3)} bytes"}

      true ->
        {%{connection | block: block}, out, events}
    end
  end

  defp frame(type, _flags, _id, _payload, %{block: block}, _out, _events)
       when type == :continuation or block != nil do
    {:error, :protocol_error, "#{inspect(type)} in the place of another frame"}
  end

  defp frame(:data, flags, id, payload, connection, out, events) do
    case Frame.content(flags, payload) do
      {:ok, data} ->
        data(connection, id, byte_size(payload), data, is_end_stream(flags), out, events)

      :error ->
        {:error, :protocol_error, "more padding than the frame is long"}
    end
  end

  defp frame(:headers, flags, id, payload, connection, out, events) do
    case Frame.content(flags, payload) do
      {:ok, block} when is_end_headers(flags) ->
        block(connection, id, is_end_stream(flags), block, out, events)

      {:ok, part} ->
        {%{connection | block: {id, is_end_stream(flags), part, byte_size(part)}}, out, events}

      :error ->
        {:error, :protocol_error, "more padding than the frame is long"}
    end
  end

  defp frame(:priority, _flags, 0, _payload, _connection, _out, _events) do
    {:error, :protocol_error, "PRIORITY of stream 0"}
  end

  defp frame(:priority, _flags, _id, payload, connection, out, events)
       when byte_size(payload) == 5,
       do: {connection, out, events}

  defp frame(:rst_stream, _flags, id, <<code::32>>, connection, out, events) do
    case connection.streams do
      %{^id => _stream} ->
        failure = if code == 0x7, do: :refused, else: {:reset, ErrorCode.from_wire(code)}
        {connection, events} = Inbound.fail(connection, id, failure, events)
        {connection, out, events}

      # Among others RST_STREAM(NO_ERROR) after the trailers: "I need no more of the request".
      %{} ->
        ended(connection, id, out, events)
    end
  end

  defp frame(:settings, flags, 0, "", connection, out, events) when is_ack(flags) do
    {connection, out, events}
  end

  defp frame(:settings, flags, 0, payload, connection, out, events)
       when not is_ack(flags) and rem(byte_size(payload), 6) == 0 do
    case Settings.apply_payload(connection.settings, payload) do
      {:ok, same} when same == connection.settings ->
        {connection, [out | Frame.settings_ack()], events}

      {:ok, settings} ->
        apply_settings(connection, settings, out, events)

      {:error, _code, _text} = error ->
        error
    end
  end

  defp frame(:push_promise, _flags, _id, _payload, _connection, _out, _events) do
    {:error, :protocol_error, "PUSH_PROMISE, which we disabled"}
  end

  defp frame(:ping, flags, 0, <<opaque::binary-size(8)>>, connection, out, events) do
    out = if is_ack(flags), do: out, else: [out | Frame.ping_ack(opaque)]
    {connection, out, events}
  end

  defp frame(:goaway, _flags, 0, payload, connection, out, events) when byte_size(payload) >= 8 do
    <<_reserved::1, last::31, code::32, text::binary>> = payload
    unprocessed = for {id, _stream} <- connection.streams, id > last, do: id
    text = binary_part(text, 0, min(byte_size(text), @longest_text))
    goaway = {:goaway, ErrorCode.from_wire(code), text}

    {connection, events} =
      Enum.reduce(unprocessed, {connection, [goaway | events]}, fn id, {connection, events} ->
        Inbound.fail(connection, id, :unprocessed, events)
      end)

    {%{connection | phase: :draining}, out, events}
  end

  defp frame(:window_update, _flags, 0, <<_::1, 0::31>>, _connection, _out, _events) do
    {:error, :protocol_error, "WINDOW_UPDATE by nothing"}
  end

  defp frame(:window_update, _flags, 0, <<_::1, increment::31>>, connection, out, events) do
    case Sender.grow_connection(connection, increment) do
      {:ok, connection, data} -> {connection, [out | data], events}
      :overflow -> {:error, :flow_control_error, "WINDOW_UPDATE exceeds the largest window"}
    end
  end

  defp frame(:window_update, _flags, id, <<_::1, increment::31>>, connection, out, events) do
    case connection.streams do
      %{^id => _stream} when increment == 0 ->
        Inbound.stream_error(
          connection,
          id,
          :protocol_error,
          "WINDOW_UPDATE by nothing",
          out,
          events
        )

      %{^id => stream} ->
        case Sender.grow_stream(connection, id, stream, increment) do
          {:ok, connection, data} ->
            {connection, [out | data], events}

          :overflow ->
            text = "WINDOW_UPDATE exceeds the largest window"
            Inbound.stream_error(connection, id, :flow_control_error, text, out, events)
        end

      %{} ->
        ended(connection, id, out, events)
    end
  end

  # Section 5.5: unknown frames are ignored.
  defp frame(type, _flags, _id, _payload, connection, out, events) when is_integer(type) do
    {connection, out, events}
  end

  defp frame(type, _flags, id, _payload, _connection, _out, _events)
       when type in [:settings, :ping, :goaway] and id != 0 do
    {:error, :protocol_error, "#{inspect(type)} of a stream"}
  end

  defp frame(type, _flags, _id, payload, _connection, _out, _events) do
    {:error, :frame_size_error, "#{inspect(type)} of #{byte_size(payload)} bytes"}
  end

  defp apply_settings(connection, settings, out, events) do
    # Our blocks use no table. A server that makes it smaller is to be told so (RFC 7541, section
    # 4.2), and after that there is nothing left to tell.
    update = if settings.header_table_size < 4096, do: <<0x20>>, else: connection.table_update

    case Sender.settings_changed(%{connection | settings: settings, table_update: update}) do
      {:ok, connection, data} -> {connection, [out, Frame.settings_ack() | data], events}
      :overflow -> {:error, :flow_control_error, "SETTINGS_INITIAL_WINDOW_SIZE exceeds a window"}
    end
  end

  # A frame for a stream that has ended is a late one (section 5.1); one that we never opened is not.
  defp ended(%{next_id: next_id} = connection, id, out, events)
       when rem(id, 2) == 1 and id < next_id do
    {connection, out, events}
  end

  defp ended(_connection, id, _out, _events) do
    {:error, :protocol_error, "a frame for stream #{id}, which was never opened"}
  end

  defp data(%{receive_window: window}, _id, size, _data, _end?, _out, _events)
       when size > window do
    {:error, :flow_control_error, "more data than the connection's window allows"}
  end

  defp data(connection, id, size, data, end?, out, events) do
    {connection, out} = received(connection, size, out)

    case connection.streams do
      %{^id => stream} -> Inbound.data(connection, id, stream, size, data, end?, out, events)
      %{} -> ended(connection, id, out, events)
    end
  end

  defp received(connection, size, out) do
    window = connection.receive_window - size
    full = connection.options.connection_window

    if window < div(full, 2) do
      {%{connection | receive_window: full}, [out | Frame.window_update(0, full - window)]}
    else
      {%{connection | receive_window: window}, out}
    end
  end

  defp block(connection, id, end?, block, out, events) do
    case FieldSection.read(connection.fields, block) do
      {:error, text} ->
        {:error, :compression_error, text}

      {meaning, fields} ->
        connection = %{connection | fields: fields}

        case connection.streams do
          %{^id => stream} -> Inbound.headers(connection, id, stream, meaning, end?, out, events)
          %{} -> ended(connection, id, out, events)
        end
    end
  end
end
