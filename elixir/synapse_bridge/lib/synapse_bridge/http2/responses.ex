defmodule SynapseBridge.HTTP2.Responses do
  @moduledoc """
  The short cut of whole responses.

  Servers answer unary calls with HEADERS, DATA and HEADERS in one piece, whose header blocks are
  known after the first ones, and a busy one answers many calls with a packet. Such a response needs
  its stream looked up once, and taken away once. It changes nothing else of the connection but the
  receive window, so all that stand one after the other are one change.

  Whatever is not as usual is left for `SynapseBridge.HTTP2.Receiver`, which takes it frame by frame.
  Here is nothing that it would judge in another way.
  """

  alias SynapseBridge.HTTP2.{Connection, FieldSection, Frame}

  @doc """
  Takes the responses that `bytes` begin with, and returns what is left. The latest event is the first.
  """
  @spec take(binary(), Connection.t(), [Connection.event()]) ::
          {binary(), Connection.t(), [Connection.event()]}
  def take(bytes, %{phase: phase, block: nil} = connection, events) when phase != :starting do
    case Frame.response(bytes) do
      :none -> {bytes, connection, events}
      response -> take(response, bytes, connection, events)
    end
  end

  def take(bytes, connection, events), do: {bytes, connection, events}

  defp take(response, bytes, connection, events) do
    %{streams: streams, receive_window: window, fields: fields, options: options} = connection
    # What the connection's window is at least without being refilled.
    lowest = div(options.connection_window, 2)
    limits = {fields, min(options.max_body, options.stream_window), lowest}

    case take(response, bytes, streams, window, limits, events) do
      {^bytes, _streams, _window, _events} ->
        {bytes, connection, events}

      {bytes, streams, window, events} ->
        {bytes, %{connection | streams: streams, receive_window: window}, events}
    end
  end

  defp take({id, head, data, trailers, rest}, bytes, streams, window, limits, events) do
    {fields, largest, lowest} = limits
    size = byte_size(data)

    with true <- size <= largest and window - size >= lowest,
         %{^id => %{mode: :whole, response: nil, unsent: "", owner: owner}} <- streams,
         {:response, status, headers} when status >= 200 <- FieldSection.known(fields, head),
         {:trailers, trailers} <- FieldSection.known(fields, trailers) do
      event = {:response, owner, {status, headers}, [data], trailers}
      streams = Map.delete(streams, id)
      next(rest, streams, window - size, limits, [event | events])
    else
      _unusual -> {bytes, streams, window, events}
    end
  end

  defp next(bytes, streams, window, limits, events) do
    case Frame.response(bytes) do
      :none -> {bytes, streams, window, events}
      response -> take(response, bytes, streams, window, limits, events)
    end
  end
end
