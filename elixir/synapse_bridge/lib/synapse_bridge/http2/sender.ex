defmodule SynapseBridge.HTTP2.Sender do
  @moduledoc """
  Sends request bodies as the peer's flow control allows (RFC 9113, section 5.2).

  A body that fits is written at once, which is the ordinary case. What does not fit stays with its
  stream. `sendable` holds the streams that wait for nothing but the connection's window; they take
  turns, a frame each, so that a large request does not stop small ones behind it.

  The owner of a stream that is sent in parts is told how much of it has been written, in portions:
  it may then send as much again.
  """

  alias SynapseBridge.HTTP2.{Connection, Frame, Stream}

  @max_window 0x7FFFFFFF
  # How many bytes have to be written before the owner is told.
  @portion 32_768

  @doc "The portions in which the owner of a stream is told what has been written."
  @spec portion() :: pos_integer()
  def portion, do: @portion

  @doc "Opens the stream `id` for `owner`, and sends its body as far as possible."
  @spec body(Connection.t(), Frame.stream_id(), owner :: term(), binary()) ::
          {Connection.t(), iodata()}
  def body(connection, id, owner, body) do
    size = byte_size(body)
    %{send_window: window, settings: settings, streams: streams, options: options} = connection

    if size <= window and size <= settings.initial_window_size and size <= settings.max_frame_size and
         :queue.is_empty(connection.sendable) do
      stream = %Stream{owner: owner, receive_window: options.stream_window, credit: -size}
      streams = Map.put(streams, id, stream)
      {%{connection | streams: streams, send_window: window - size}, Frame.data(id, body, :last)}
    else
      stream = %Stream{owner: owner, receive_window: options.stream_window, unsent: body}
      streams = Map.put(streams, id, stream)
      flush(enqueue(%{connection | streams: streams}, id))
    end
  end

  @doc "Sends another part of a body, as far as possible; nothing follows the `:last` one."
  @spec part(Connection.t(), Frame.stream_id(), Stream.t(), binary(), :more | :last) ::
          {Connection.t(), iodata()}
  def part(connection, id, %{unsent: ""} = stream, "", :last) do
    # A frame of no bytes needs no window (section 6.9.1).
    streams = %{connection.streams | id => %{stream | last?: true}}
    {%{connection | streams: streams}, Frame.data(id, "", :last)}
  end

  def part(connection, id, %{unsent: unsent} = stream, data, last) do
    stream = %{stream | unsent: unsent <> data, last?: last == :last}
    connection = %{connection | streams: %{connection.streams | id => stream}}

    # With something unsent it waits for a window already, or in the queue.
    if unsent == "" and data != "", do: flush(enqueue(connection, id)), else: {connection, []}
  end

  @doc "Gives the connection `increment` bytes more to send."
  @spec grow_connection(Connection.t(), pos_integer()) ::
          {:ok, Connection.t(), iodata()} | :overflow
  def grow_connection(%{send_window: window}, increment) when window + increment > @max_window do
    :overflow
  end

  def grow_connection(connection, increment) do
    {connection, out} = flush(%{connection | send_window: connection.send_window + increment})
    {:ok, connection, out}
  end

  @doc "Gives the stream `id` `increment` bytes more to send."
  @spec grow_stream(Connection.t(), Frame.stream_id(), Stream.t(), pos_integer()) ::
          {:ok, Connection.t(), iodata()} | :overflow
  def grow_stream(%{settings: %{initial_window_size: initial}}, _id, stream, increment)
      when initial + stream.credit + increment > @max_window do
    :overflow
  end

  def grow_stream(connection, id, stream, increment) do
    stalled? = stream.unsent != "" and window(connection, stream) <= 0
    stream = %{stream | credit: stream.credit + increment}
    connection = %{connection | streams: %{connection.streams | id => stream}}

    if stalled? and window(connection, stream) > 0 do
      {connection, out} = flush(enqueue(connection, id))
      {:ok, connection, out}
    else
      {:ok, connection, []}
    end
  end

  @doc """
  Goes on after a change of SETTINGS: the windows of all streams have changed with the initial one.
  """
  @spec settings_changed(Connection.t()) :: {:ok, Connection.t(), iodata()} | :overflow
  def settings_changed(connection) do
    if Enum.any?(connection.streams, fn {_id, s} -> window(connection, s) > @max_window end) do
      :overflow
    else
      ids = for {id, %{unsent: unsent}} when unsent != "" <- connection.streams, do: id
      {connection, out} = flush(%{connection | sendable: :queue.from_list(Enum.sort(ids))})
      {:ok, connection, out}
    end
  end

  defp window(connection, stream), do: connection.settings.initial_window_size + stream.credit

  defp enqueue(connection, id), do: %{connection | sendable: :queue.in(id, connection.sendable)}

  defp flush(connection, out \\ [])
  defp flush(%{send_window: 0} = connection, out), do: {connection, Enum.reverse(out)}

  defp flush(connection, out) do
    case :queue.out(connection.sendable) do
      {{:value, id}, sendable} -> flush_next(%{connection | sendable: sendable}, id, out)
      {:empty, _sendable} -> {connection, Enum.reverse(out)}
    end
  end

  defp flush_next(connection, id, out) do
    case connection.streams do
      %{^id => %{unsent: unsent} = stream} when unsent != "" ->
        room = min(connection.send_window, window(connection, stream))
        flush_stream(connection, id, stream, min(room, connection.settings.max_frame_size), out)

      # It ended in the meantime.
      %{} ->
        flush(connection, out)
    end
  end

  # Its own window is used up: a WINDOW_UPDATE or SETTINGS brings it back into the queue.
  defp flush_stream(connection, _id, _stream, room, out) when room <= 0,
    do: flush(connection, out)

  defp flush_stream(connection, id, %{unsent: unsent} = stream, room, out)
       when byte_size(unsent) <= room do
    connection = put_sent(connection, id, stream, byte_size(unsent), "")
    flush(connection, [Frame.data(id, unsent, if(stream.last?, do: :last, else: :more)) | out])
  end

  defp flush_stream(connection, id, stream, room, out) do
    <<part::binary-size(room), unsent::binary>> = stream.unsent
    connection = connection |> put_sent(id, stream, room, unsent) |> enqueue(id)
    flush(connection, [Frame.data(id, part, :more) | out])
  end

  defp put_sent(connection, id, %{mode: :whole} = stream, sent, unsent) do
    put_stream(connection, id, %{stream | credit: stream.credit - sent, unsent: unsent}, sent)
  end

  defp put_sent(connection, id, stream, sent, unsent) do
    stream = %{stream | credit: stream.credit - sent, unsent: unsent, sent: stream.sent + sent}

    if stream.sent < @portion do
      put_stream(connection, id, stream, sent)
    else
      reports = [{:sent, stream.owner, stream.sent} | connection.reports]
      put_stream(%{connection | reports: reports}, id, %{stream | sent: 0}, sent)
    end
  end

  defp put_stream(connection, id, stream, sent) do
    streams = %{connection.streams | id => stream}
    %{connection | streams: streams, send_window: connection.send_window - sent}
  end
end
