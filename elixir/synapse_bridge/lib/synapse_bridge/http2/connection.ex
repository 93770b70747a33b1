defmodule SynapseBridge.HTTP2.Connection do
  @moduledoc """
  The client's side of an HTTP/2 connection (RFC 9113) as a value.

  No process and no socket is in here. `open/5` and `receive/2` return what to write; `receive/2`
  also returns what happened, as events. Made for calls with one request and one response; the owner
  of a stream is any term and comes back in the stream's event.

  The receive windows are refilled as data arrives: a response is collected whole, and `:max_body`
  bounds it.
  """

  alias SynapseBridge.HTTP2.{ErrorCode, FieldSection, Frame, Receiver, Sender, Settings, Stream}

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
    table_update: ""
  ]

  @typedoc """
    * `phase` - `:starting` until the server's SETTINGS are here, then `:open`; `:draining` after a
      GOAWAY or when the stream ids are used up; `:closed` after an error
    * `block` - a header block whose end has not come yet
    * `settings` - the server's
    * `sendable` - streams that wait for the connection's send window (`SynapseBridge.HTTP2.Sender`)
    * `table_update` - what the next header block has to begin with
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
    * `{:failed, owner, reason}` - the stream has ended without one
    * `{:goaway, code, text}` - no more streams may be opened
    * `{:closed, code, text}` - the server broke the protocol; write what was returned and close
  """
  @type event ::
          :ready
          | {:response, owner :: term(), {pos_integer(), fields()}, [binary()], fields() | nil}
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
    %{settings: settings, options: options, table_update: update} = connection

    headers =
      Frame.headers(id, [update | block], byte_size(update) + size, settings.max_frame_size)

    stream = %Stream{owner: owner, receive_window: options.stream_window}
    phase = if id + 2 > @last_stream_id, do: :draining, else: :open
    connection = %{connection | next_id: id + 2, table_update: "", phase: phase}
    {connection, data} = Sender.body(connection, id, stream, body)
    {connection, [headers | data]}
  end

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
