defmodule SynapseBridge.Wire do
  @moduledoc """
  HTTP/2 frames as a server writes them, right or wrong, and the frames of a client taken apart.

  Written independently of the code under test, except for HPACK, which has tests of its own.
  """

  alias SynapseBridge.HPACK.{Decoder, Encoder}

  @types [
    data: 0,
    headers: 1,
    priority: 2,
    rst_stream: 3,
    settings: 4,
    push_promise: 5,
    ping: 6,
    goaway: 7,
    window_update: 8,
    continuation: 9
  ]
  @flags [ack: 1, end_stream: 1, end_headers: 4, padded: 8, priority: 32]
  @settings [
    header_table_size: 1,
    enable_push: 2,
    max_concurrent_streams: 3,
    initial_window_size: 4,
    max_frame_size: 5,
    max_header_list_size: 6
  ]
  @codes [
    no_error: 0,
    protocol_error: 1,
    internal_error: 2,
    flow_control_error: 3,
    stream_closed: 5,
    frame_size_error: 6,
    refused_stream: 7,
    cancel: 8,
    compression_error: 9,
    enhance_your_calm: 11
  ]

  @preface "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

  @doc "Any frame; type and flags by name or number."
  @spec frame(atom() | byte(), [atom()] | byte(), non_neg_integer(), binary()) :: binary()
  def frame(type, flags, id, payload) do
    type = if is_atom(type), do: Keyword.fetch!(@types, type), else: type
    flags = if is_list(flags), do: flags |> Enum.map(&@flags[&1]) |> Enum.sum(), else: flags
    <<byte_size(payload)::24, type, flags, id::32, payload::binary>>
  end

  def settings(parameters \\ []) do
    payload = for {name, value} <- parameters, into: <<>>, do: <<@settings[name]::16, value::32>>
    frame(:settings, [], 0, payload)
  end

  def settings_ack, do: frame(:settings, [:ack], 0, "")

  def headers(id, fields, flags \\ [:end_headers]) do
    frame(:headers, flags, id, Encoder.encode(fields))
  end

  def data(id, data, flags \\ []), do: frame(:data, flags, id, data)
  def rst_stream(id, code), do: frame(:rst_stream, [], id, <<code(code)::32>>)
  def window_update(id, increment), do: frame(:window_update, [], id, <<increment::32>>)
  def ping(opaque), do: frame(:ping, [], 0, opaque)
  def ping_ack(opaque), do: frame(:ping, [:ack], 0, opaque)

  def goaway(last_id, code, text \\ "") do
    frame(:goaway, [], 0, <<last_id::32, code(code)::32, text::binary>>)
  end

  @doc "The headers of a response as gRPC servers send them."
  def response_headers(id) do
    headers(id, [{":status", "200"}, {"content-type", "application/grpc"}])
  end

  @doc "Trailers with a status, ending the stream."
  def trailers(id, status \\ "0", more \\ []) do
    headers(id, [{"grpc-status", status} | more], [:end_headers, :end_stream])
  end

  @doc "A message with its prefix."
  def message(body), do: <<0, byte_size(body)::32, body::binary>>

  @doc "A complete, successful response."
  def response(id, body) do
    [response_headers(id), data(id, message(body)), trailers(id)] |> IO.iodata_to_binary()
  end

  @doc "The number of an error code."
  def code(name) when is_atom(name), do: Keyword.fetch!(@codes, name)
  def code(number), do: number

  @doc "The frames that a client wrote, without its preface. Header blocks are decoded."
  @spec client_frames(iodata()) :: [tuple()]
  def client_frames(written) do
    case IO.iodata_to_binary(written) do
      @preface <> rest -> take(rest)
      rest -> take(rest)
    end
  end

  defp take(""), do: []

  defp take(<<size::24, type, flags, id::32, payload::binary-size(size), rest::binary>>) do
    {name, ^type} = List.keyfind(@types, type, 1)
    [read(name, flags, id, payload) | take(rest)]
  end

  @doc "One frame of a client: `{type, id, …}`."
  def read(type, flags, id, payload)
  def read(:data, 0, id, data), do: {:data, id, data, :more}
  def read(:data, 1, id, data), do: {:data, id, data, :last}
  def read(:headers, 4, id, block), do: {:headers, id, fields(block)}
  def read(:headers, 0, id, part), do: {:headers_part, id, part}
  def read(:continuation, 0, id, part), do: {:continuation, id, part, :more}
  def read(:continuation, 4, id, part), do: {:continuation, id, part, :last}
  def read(:rst_stream, 0, id, <<code::32>>), do: {:rst_stream, id, code_name(code)}
  def read(:settings, 1, 0, ""), do: :settings_ack
  def read(:ping, 0, 0, opaque), do: {:ping, opaque}
  def read(:ping, 1, 0, opaque), do: {:ping_ack, opaque}
  def read(:window_update, 0, id, <<increment::32>>), do: {:window_update, id, increment}

  def read(:settings, 0, 0, payload) do
    parameters =
      for <<identifier::16, value::32 <- payload>> do
        {name, ^identifier} = List.keyfind(@settings, identifier, 1)
        {name, value}
      end

    {:settings, parameters}
  end

  def read(:goaway, 0, 0, <<last_id::32, code::32, text::binary>>) do
    {:goaway, last_id, code_name(code), text}
  end

  @doc "The fields of a header block that uses no table."
  def fields(block) do
    {:ok, fields, _decoder} = Decoder.decode(Decoder.new(), block)
    fields
  end

  @doc "The name of a frame type on the wire."
  def type_name(type), do: @types |> List.keyfind(type, 1) |> elem(0)

  defp code_name(code), do: @codes |> List.keyfind(code, 1) |> elem(0)
end
