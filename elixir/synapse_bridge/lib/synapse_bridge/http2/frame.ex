defmodule SynapseBridge.HTTP2.Frame do
  @moduledoc """
  HTTP/2 frames on the wire (RFC 9113, sections 4 and 6): splitting what was read into frames,
  and writing the ones that a client sends.
  """

  alias SynapseBridge.HTTP2.ErrorCode

  import Bitwise

  @types [
    data: 0x0,
    headers: 0x1,
    priority: 0x2,
    rst_stream: 0x3,
    settings: 0x4,
    push_promise: 0x5,
    ping: 0x6,
    goaway: 0x7,
    window_update: 0x8,
    continuation: 0x9
  ]

  # What SETTINGS_MAX_FRAME_SIZE is at least.
  @smallest_limit 16_384

  @end_stream 0x1
  @ack 0x1
  @end_headers 0x4
  @end_headers_and_stream 0x5
  @padded 0x8
  @priority 0x20

  @typedoc "A frame's type; a number stands for one that this table does not know."
  @type type ::
          unquote(@types |> Keyword.keys() |> Enum.reduce(&{:|, [], [&1, &2]})) | byte()

  @type stream_id :: 0..0x7FFFFFFF

  @doc """
  Takes the first frame off `buffer`.

  `:more` is returned until a frame is complete, and `{:error, length}` as soon as the length of a
  frame is seen to exceed `max_size`.
  """
  @spec split(binary(), max_size :: pos_integer()) ::
          {type(), flags :: byte(), stream_id(), payload :: binary(), rest :: binary()}
          | :more
          | {:error, length :: pos_integer()}
  for {name, type} <- @types do
    def split(
          <<length::24, unquote(type), flags, _reserved::1, id::31, payload::binary-size(length),
            rest::binary>>,
          max_size
        )
        when length <= max_size do
      {unquote(name), flags, id, payload, rest}
    end
  end

  def split(<<length::24, _rest::binary>>, max_size) when length > max_size, do: {:error, length}

  def split(
        <<length::24, type, flags, _reserved::1, id::31, payload::binary-size(length),
          rest::binary>>,
        _max_size
      ) do
    {type, flags, id, payload, rest}
  end

  def split(_incomplete, _max_size), do: :more

  @doc """
  A whole response, where `buffer` begins with one that is written in the usual way: HEADERS, one DATA,
  and HEADERS that end the stream, without padding, priority and CONTINUATION. The data is no longer
  than any frame may be.
  """
  @spec response(binary()) ::
          {stream_id(), head :: binary(), data :: binary(), trailers :: binary(),
           rest :: binary()}
          | :none
  def response(
        <<head_size::24, unquote(@types[:headers]), @end_headers, _::1, id::31,
          head::binary-size(head_size), size::24, unquote(@types[:data]), 0, _::1, data_id::31,
          data::binary-size(size), trailers_size::24, unquote(@types[:headers]),
          @end_headers_and_stream, _::1, trailers_id::31, trailers::binary-size(trailers_size),
          rest::binary>>
      )
      when data_id == id and trailers_id == id and size <= @smallest_limit,
      do: {id, head, data, trailers, rest}

  def response(_other), do: :none

  defguard is_end_stream(flags) when band(flags, @end_stream) != 0
  defguard is_end_headers(flags) when band(flags, @end_headers) != 0
  defguard is_ack(flags) when band(flags, @ack) != 0
  defguard is_padded(flags) when band(flags, @padded) != 0
  defguard has_priority(flags) when band(flags, @priority) != 0

  @doc """
  The payload of a DATA or HEADERS frame without padding and priority; `:error` when they do not fit
  into the frame.
  """
  @spec content(flags :: byte(), payload :: binary()) :: {:ok, binary()} | :error
  def content(flags, payload) when is_padded(flags) do
    case payload do
      <<padding, rest::binary>> when padding <= byte_size(rest) ->
        content(band(flags, bnot(@padded)), binary_part(rest, 0, byte_size(rest) - padding))

      _too_short ->
        :error
    end
  end

  def content(flags, <<_dependency::32, _weight, rest::binary>>) when has_priority(flags) do
    {:ok, rest}
  end

  def content(flags, _payload) when has_priority(flags), do: :error
  def content(_flags, payload), do: {:ok, payload}

  @doc """
  A header block of `size` bytes as HEADERS, with CONTINUATION frames where it exceeds `max_size`. A
  call always has a body after it, so END_STREAM is never set.
  """
  @spec headers(stream_id(), iodata(), size :: non_neg_integer(), max_size :: pos_integer()) ::
          iodata()
  def headers(id, block, size, max_size) when size <= max_size do
    [<<size::24, unquote(@types[:headers]), @end_headers, id::32>> | block]
  end

  def headers(id, block, _size, max_size) do
    <<first::binary-size(max_size), rest::binary>> = IO.iodata_to_binary(block)
    header = <<max_size::24, unquote(@types[:headers]), 0, id::32>>
    [header, first | continuations(id, rest, max_size)]
  end

  defp continuations(id, block, max_size) when byte_size(block) <= max_size do
    [<<byte_size(block)::24, unquote(@types[:continuation]), @end_headers, id::32>>, block]
  end

  defp continuations(id, block, max_size) do
    <<part::binary-size(max_size), rest::binary>> = block
    header = <<max_size::24, unquote(@types[:continuation]), 0, id::32>>
    [header, part | continuations(id, rest, max_size)]
  end

  @doc "A DATA frame; `:last` ends the stream."
  @spec data(stream_id(), binary(), :last | :more) :: iodata()
  def data(id, data, :last) do
    [<<byte_size(data)::24, unquote(@types[:data]), @end_stream, id::32>> | data]
  end

  def data(id, data, :more) do
    [<<byte_size(data)::24, unquote(@types[:data]), 0, id::32>> | data]
  end

  @doc "RST_STREAM: ends one stream."
  @spec rst_stream(stream_id(), ErrorCode.t()) :: binary()
  def rst_stream(id, code) do
    <<4::24, unquote(@types[:rst_stream]), 0, id::32, ErrorCode.to_wire(code)::32>>
  end

  @doc "SETTINGS with an encoded payload."
  @spec settings(binary()) :: iodata()
  def settings(payload) do
    [<<byte_size(payload)::24, unquote(@types[:settings]), 0, 0::32>> | payload]
  end

  @doc "Tells the peer that its SETTINGS are in force."
  @spec settings_ack() :: binary()
  def settings_ack, do: <<0::24, unquote(@types[:settings]), @ack, 0::32>>

  @doc "A question whether the server is there."
  @spec ping(<<_::64>>) :: binary()
  def ping(<<_::64>> = opaque),
    do: <<8::24, unquote(@types[:ping]), 0, 0::32, opaque::binary>>

  @doc "The answer to a PING."
  @spec ping_ack(<<_::64>>) :: binary()
  def ping_ack(<<_::64>> = opaque),
    do: <<8::24, unquote(@types[:ping]), @ack, 0::32, opaque::binary>>

  @doc "GOAWAY: the connection ends, with a text for the peer's log. A client accepts no streams."
  @spec goaway(ErrorCode.t(), String.t()) :: binary()
  def goaway(code, text) do
    <<8 + byte_size(text)::24, unquote(@types[:goaway]), 0, 0::32, 0::32,
      ErrorCode.to_wire(code)::32, text::binary>>
  end

  @doc "WINDOW_UPDATE of a stream, or of the connection (stream 0)."
  @spec window_update(stream_id(), 1..0x7FFFFFFF) :: binary()
  def window_update(id, increment) do
    <<4::24, unquote(@types[:window_update]), 0, id::32, increment::32>>
  end
end
