defmodule SynapseBridge.HTTP2.Inbound do
  @moduledoc """
  What the frames of a response do to its stream, and what the stream's owner gets of it.

  A whole response is one event at its end. Of a response in parts the owner gets the headers, then
  with each packet everything that came of the body in it as one binary, then the end. Nothing is
  held back by us: how far the server may send ahead is up to the owner, who acknowledges the bytes
  (`SynapseBridge.HTTP2.Connection.acknowledge/3`).

  As in `SynapseBridge.HTTP2.Receiver`, functions return the connection with what to write and what
  happened added to it, the latest event first.
  """

  alias SynapseBridge.HTTP2.{Connection, ErrorCode, FieldSection, Frame, Stream}

  @type outcome :: {Connection.t(), iodata(), [Connection.event()]}

  @doc "Takes a header block."
  @spec headers(
          Connection.t(),
          Frame.stream_id(),
          Stream.t(),
          FieldSection.meaning() | {:too_large, pos_integer()},
          end? :: boolean(),
          iodata(),
          [Connection.event()]
        ) :: outcome()
  def headers(connection, id, _stream, {:too_large, size}, _end?, out, events) do
    reset(connection, id, :cancel, {:headers_too_large, size}, out, events)
  end

  def headers(connection, id, before, meaning, end?, out, events) do
    case Stream.headers(before, meaning, end?) do
      {:more, stream} ->
        {put(connection, id, stream), out, begin(before, stream, events)}

      {:done, stream, trailers} ->
        done(connection, id, stream, trailers, out, begin(before, stream, events))

      {:malformed, text} ->
        stream_error(connection, id, :protocol_error, text, out, events)
    end
  end

  defp begin(%{mode: :parts, response: nil}, %{response: response, owner: owner}, events)
       when response != nil,
       do: [{:headers, owner, response} | events]

  defp begin(_before, _stream, events), do: events

  @doc """
  Takes `data`, for which the peer's frames counted `size` bytes of the stream's window.
  """
  @spec data(
          Connection.t(),
          Frame.stream_id(),
          Stream.t(),
          size :: non_neg_integer(),
          data :: iodata(),
          end? :: boolean(),
          iodata(),
          [Connection.event()]
        ) :: outcome()
  def data(connection, id, stream, size, _data, _end?, out, events)
      when size > stream.receive_window do
    text = "more data than the stream's window allows"
    stream_error(connection, id, :flow_control_error, text, out, events)
  end

  def data(connection, id, %{mode: :whole} = stream, size, data, end?, out, events) do
    case Stream.data(stream, data, connection.options.max_body) do
      {:ok, stream} when end? ->
        done(connection, id, stream, [], out, events)

      {:ok, stream} ->
        window = stream.receive_window - size
        full = connection.options.stream_window
        refill? = window < div(full, 2)
        stream = %{stream | receive_window: if(refill?, do: full, else: window)}
        out = if refill?, do: [out | Frame.window_update(id, full - window)], else: out
        {put(connection, id, stream), out, events}

      {:malformed, text} ->
        stream_error(connection, id, :protocol_error, text, out, events)

      :too_large ->
        failure = {:body_too_large, connection.options.max_body}
        reset(connection, id, :cancel, failure, out, events)
    end
  end

  def data(connection, id, %{response: nil}, _size, _data, _end?, out, events) do
    stream_error(connection, id, :protocol_error, "data before the headers", out, events)
  end

  def data(connection, id, stream, size, data, end?, out, events) do
    waiting = if stream.body == [], do: [id | connection.waiting], else: connection.waiting

    stream = %{
      stream
      | body: [data | stream.body],
        received: stream.received + size,
        receive_window: stream.receive_window - size
    }

    connection = %{connection | waiting: waiting}

    if end?,
      do: done(connection, id, stream, [], out, events),
      else: {put(connection, id, stream), out, events}
  end

  @doc "Ends a stream for an error of the peer that concerns only this stream."
  @spec stream_error(
          Connection.t(),
          Frame.stream_id(),
          ErrorCode.t(),
          String.t(),
          iodata(),
          [Connection.event()]
        ) :: outcome()
  def stream_error(connection, id, code, text, out, events) do
    reset(connection, id, code, {:malformed, text}, out, events)
  end

  defp reset(connection, id, code, failure, out, events) do
    {connection, events} = fail(connection, id, failure, events)
    {connection, [out | Frame.rst_stream(id, code)], events}
  end

  @doc "Ends a stream without a response; what came of it in parts is not lost."
  @spec fail(Connection.t(), Frame.stream_id(), Connection.failure(), [Connection.event()]) ::
          {Connection.t(), [Connection.event()]}
  def fail(connection, id, failure, events) do
    %{^id => stream} = connection.streams
    events = [{:failed, stream.owner, failure} | deliver(stream, events)]
    {%{connection | streams: Map.delete(connection.streams, id)}, events}
  end

  @doc """
  What has come in parts with this packet, and what was written of bodies in parts, become events.
  """
  @spec deliver_waiting(Connection.t(), [Connection.event()]) ::
          {Connection.t(), [Connection.event()]}
  def deliver_waiting(%{waiting: [], reports: []} = connection, events), do: {connection, events}

  def deliver_waiting(%{waiting: waiting, reports: reports} = connection, events) do
    {streams, events} = Enum.reduce(waiting, {connection.streams, events}, &deliver_stream/2)
    {%{connection | streams: streams, waiting: [], reports: []}, reports ++ events}
  end

  defp deliver_stream(id, {streams, events}) do
    case streams do
      %{^id => stream} ->
        events = deliver(stream, events)
        {%{streams | id => %{stream | body: [], received: 0}}, events}

      # It ended with the same packet, and what came of it went before its end.
      %{} ->
        {streams, events}
    end
  end

  defp deliver(%{mode: :parts, body: [_ | _]} = stream, events) do
    data = stream.body |> Enum.reverse() |> IO.iodata_to_binary()
    [{:data, stream.owner, data, stream.received} | events]
  end

  defp deliver(_stream, events), do: events

  defp done(connection, id, stream, trailers, out, events) do
    # The server has answered without waiting for all of the request (RFC 9113, section 8.1).
    sent? = stream.unsent == "" and stream.last?
    out = if sent?, do: out, else: [out | Frame.rst_stream(id, :no_error)]
    connection = %{connection | streams: Map.delete(connection.streams, id)}
    {connection, out, finish(stream, trailers, events)}
  end

  defp finish(%{mode: :whole} = stream, trailers, events) do
    [{:response, stream.owner, stream.response, Enum.reverse(stream.body), trailers} | events]
  end

  defp finish(stream, trailers, events) do
    [{:end, stream.owner, trailers} | deliver(stream, events)]
  end

  defp put(connection, id, stream),
    do: %{connection | streams: %{connection.streams | id => stream}}
end
