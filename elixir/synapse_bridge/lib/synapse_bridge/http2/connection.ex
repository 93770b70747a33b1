defmodule SynapseBridge.HTTP2.Connection do
  @moduledoc """
  The client's side of an HTTP/2 connection (RFC 9113) as a value.

  No process and no socket is in here. Functions return what to write; `receive/2` and `send/4` also
  return what happened, as events. The owner of a stream is any term and comes back in the stream's
  events.

  There are two kinds of stream. `open/5` sends one request and collects one response whole, which
  `:max_body` bounds; its receive window is refilled as data arrives. With `open_stream/4` both go in
  parts: `send/4` adds to the request, events bring the response, and the receive window is refilled
  by what the owner has acknowledged with `acknowledge/3`. The connection's own window is refilled on
  receipt, so that an owner who is slow stalls nobody else.
  """

  alias SynapseBridge.HTTP2.{
    ErrorCode,
    FieldSection,
    Frame,
    Inbound,
    Receiver,
    Sender,
    Settings,
    Stream
  }

  @preface "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
  @initial_window 65_535
  @last_stream_id 0x7FFFFFFF

  @enforce_keys [:fields, :options, :receive_window, :next_id]
  defstruct [
    :fields,
    :options,
    :receive_window,
    :next_id,
    phase: :starting,
    buffer: "",
    block: nil,
    streams: %{},
    settings: %Settings{},
    send_window: @initial_window,
    sendable: :queue.new(),
    table_update: "",
    waiting: [],
    reports: []
  ]

  @typedoc """
    * `phase` - `:starting` until the server's SETTINGS are here, then `:open`; `:draining` after a
      GOAWAY or when the stream ids are used up; `:closed` after an error
    * `block` - a header block whose end has not come yet
    * `settings` - the server's
    * `sendable` - streams that wait for the connection's send window (`SynapseBridge.HTTP2.Sender`)
    * `table_update` - what the next header block has to begin with
    * `waiting` - streams with parts that their owners do not have yet
    * `reports` - `:sent` events that have not been returned yet
  """
  @type t :: %__MODULE__{
          phase: :starting | :open | :draining | :closed,
          streams: %{Frame.stream_id() => Stream.t()},
          settings: Settings.t(),
          send_window: non_neg_integer(),
          sendable: :queue.queue(Frame.stream_id())
        }

  @typedoc """
    * `:ready` - the server speaks HTTP/2
    * `{:response, owner, {status, headers}, body, trailers}` - a complete response; `trailers` is
      `nil` when there are headers only
    * `{:headers, owner, {status, headers}}` - the beginning of a response in parts
    * `{:data, owner, bytes, size}` - a part of its body; `size` is to be acknowledged
    * `{:end, owner, trailers}` - its end; `trailers` is `nil` when there are headers only
    * `{:sent, owner, size}` - so much more of a request in parts has been written
    * `{:failed, owner, reason}` - the stream has ended without a response
    * `{:goaway, code, text}` - no more streams may be opened
    * `{:closed, code, text}` - the server broke the protocol; write what was returned and close
  """
  @type event ::
          :ready
          | {:response, owner :: term(), {pos_integer(), fields()}, [binary()], fields() | nil}
          | {:headers, owner :: term(), {pos_integer(), fields()}}
          | {:data, owner :: term(), binary(), pos_integer()}
          | {:end, owner :: term(), fields() | nil}
          | {:sent, owner :: term(), pos_integer()}
          | {:failed, owner :: term(), failure()}
          | {:goaway, ErrorCode.t(), String.t()}
          | {:closed, ErrorCode.t(), String.t()}

  @typedoc """
  Why a stream ended: `:refused` and `:unprocessed` (above the id in GOAWAY) are safe to repeat; the
  peer reset it; its response is against the protocol; or its response exceeds a limit of ours.
  """
  @type failure ::
          :refused
          | :unprocessed
          | {:reset, ErrorCode.t()}
          | {:malformed, String.t()}
          | {:body_too_large, limit :: pos_integer()}
          | {:headers_too_large, size :: pos_integer()}

  @type fields :: [{binary(), binary()}]

  @doc """
  A new connection and the bytes that open it. Options, all in bytes:

    * `:max_body` - the largest body of a response
    * `:max_header_list_size` - the largest list of header fields, 64 KiB by default
    * `:stream_window`, `:connection_window` - how much the server may send ahead, 1 MiB and 16 MiB
  """
  @spec new(keyword()) :: {t(), iodata()}
  def new(opts) do
    options = %{
      max_body: Keyword.fetch!(opts, :max_body),
      max_header_list_size: Keyword.get(opts, :max_header_list_size, 65_536),
      stream_window: Keyword.get(opts, :stream_window, 1_048_576),
      connection_window: Keyword.get(opts, :connection_window, 16_777_216)
    }

    settings =
      Settings.encode(
        enable_push: 0,
        initial_window_size: options.stream_window,
        max_header_list_size: options.max_header_list_size
      )

    connection = %__MODULE__{
      fields: FieldSection.new(max_list_size: options.max_header_list_size),
      options: options,
      receive_window: options.connection_window,
      next_id: Keyword.get(opts, :first_stream_id, 1)
    }

    grow = Frame.window_update(0, options.connection_window - @initial_window)
    {connection, [@preface, Frame.settings(settings), grow]}
  end

  @doc "How many streams may be opened now."
  @spec available(t()) :: non_neg_integer() | :infinity
  def available(%__MODULE__{phase: :open, settings: settings, streams: streams}) do
    case settings.max_concurrent_streams do
      :infinity -> :infinity
      max -> max(max - map_size(streams), 0)
    end
  end

  def available(%__MODULE__{}), do: 0

  @doc """
  Opens a stream for `owner` with a header block of `size` bytes and a body that is not empty. Only
  when `available/1` allows it.
  """
  @spec open(t(), owner :: term(), block :: iodata(), size :: pos_integer(), body :: binary()) ::
          {t(), iodata()}
  def open(%__MODULE__{phase: :open, next_id: id} = connection, owner, block, size, body) do
    {connection, headers} = headers(connection, block, size)
    {connection, data} = Sender.body(connection, id, owner, body)
    {connection, [headers | data]}
  end

  @doc """
  Opens a stream for `owner` whose request and response go in parts, and returns its id. Only when
  `available/1` allows it.
  """
  @spec open_stream(t(), owner :: term(), block :: iodata(), size :: pos_integer()) ::
          {t(), Frame.stream_id(), iodata()}
  def open_stream(%__MODULE__{phase: :open, next_id: id} = connection, owner, block, size) do
    {connection, headers} = headers(connection, block, size)
    window = connection.options.stream_window
    stream = %Stream{owner: owner, mode: :parts, receive_window: window, last?: false}
    {%{connection | streams: Map.put(connection.streams, id, stream)}, id, headers}
  end

  defp headers(%{next_id: id, settings: settings, table_update: update} = connection, block, size) do
    headers =
      Frame.headers(id, [update | block], byte_size(update) + size, settings.max_frame_size)

    phase = if id + 2 > @last_stream_id, do: :draining, else: :open
    {%{connection | next_id: id + 2, table_update: "", phase: phase}, headers}
  end

  @doc """
  Sends a part of the request on a stream of `open_stream/4`: now as far as flow control allows, and
  the rest when it does. Nothing happens if the stream has ended, or if its last part was sent.
  """
  @spec send(t(), Frame.stream_id(), binary(), :more | :last) :: {t(), iodata(), [event()]}
  def send(%__MODULE__{streams: streams} = connection, id, data, last) do
    case streams do
      %{^id => %{last?: false} = stream} ->
        {connection, out} = Sender.part(connection, id, stream, data, last)
        {connection, events} = Inbound.deliver_waiting(connection, [])
        {connection, out, events}

      %{} ->
        {connection, [], []}
    end
  end

  @doc "Lets the server send `size` more bytes on a stream of `open_stream/4`, if that is still open."
  @spec acknowledge(t(), Frame.stream_id(), size :: pos_integer()) :: {t(), iodata()}
  def acknowledge(%__MODULE__{streams: streams} = connection, id, size) do
    case streams do
      %{^id => stream} ->
        stream = %{stream | receive_window: stream.receive_window + size}
        {%{connection | streams: %{streams | id => stream}}, Frame.window_update(id, size)}

      %{} ->
        {connection, []}
    end
  end

  @doc "Resets one stream, without any event, if it is still open."
  @spec reset(t(), Frame.stream_id()) :: {t(), iodata()}
  def reset(%__MODULE__{streams: streams} = connection, id) when is_map_key(streams, id) do
    {%{connection | streams: Map.delete(streams, id)}, Frame.rst_stream(id, :cancel)}
  end

  def reset(connection, _id), do: {connection, []}

  @doc "Resets the streams whose owner satisfies `cancel?`, without any event."
  @spec cancel(t(), (owner :: term() -> boolean())) :: {t(), iodata()}
  def cancel(%__MODULE__{streams: streams} = connection, cancel?) do
    ids = for {id, stream} <- streams, cancel?.(stream.owner), do: id
    out = Enum.map(ids, &Frame.rst_stream(&1, :cancel))
    {%{connection | streams: Map.drop(streams, ids)}, out}
  end

  @doc "The owners of all open streams."
  @spec owners(t()) :: [term()]
  def owners(%__MODULE__{streams: streams}), do: for({_id, s} <- streams, do: s.owner)

  @doc "The owners of the streams of `open/5` with ids below `id`."
  @spec owners_below(t(), Frame.stream_id()) :: [term()]
  def owners_below(%__MODULE__{streams: streams}, below) do
    for {id, %{mode: :whole, owner: owner}} <- streams, id < below, do: owner
  end

  @doc "Whether nothing is left to do on this connection."
  @spec finished?(t()) :: boolean()
  def finished?(%__MODULE__{phase: :closed}), do: true
  def finished?(%__MODULE__{phase: :draining, streams: streams}), do: streams == %{}
  def finished?(%__MODULE__{}), do: false

  @doc "Takes what was read: any part of the server's bytes."
  @spec receive(t(), binary()) :: {t(), iodata(), [event()]}
  def receive(%__MODULE__{phase: :closed} = connection, _data), do: {connection, [], []}
  def receive(%__MODULE__{buffer: ""} = connection, data), do: Receiver.frames(data, connection)

  def receive(%__MODULE__{buffer: buffer} = connection, data) do
    Receiver.frames(buffer <> data, %{connection | buffer: ""})
  end
end
