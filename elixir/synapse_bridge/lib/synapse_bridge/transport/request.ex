defmodule SynapseBridge.Transport.Request do
  @moduledoc """
  A gRPC request on HTTP/2: header fields and message framing (gRPC over HTTP2, section Requests).

  The fields come in parts that are put one after the other: `head/2` is the same for every call of a
  channel and is made once; `path/1`, `timeout/1` and `metadata/1` differ.
  """

  alias SynapseBridge.HPACK.{Encoder, Table}
  alias SynapseBridge.Transport.Metadata

  @user_agent "synapse-bridge-elixir/0.1.0"
  @timeout_overhead Table.field_size({"grpc-timeout", ""})
  @largest_message 0xFFFFFFFF

  # grpc-timeout has at most eight digits.
  @most_digits 99_999_999

  @typedoc "A header block, and its size as SETTINGS_MAX_HEADER_LIST_SIZE counts it."
  @type block :: {binary(), list_size :: non_neg_integer()}

  @common [
    {"te", "trailers"},
    {"content-type", "application/grpc"},
    {"user-agent", @user_agent}
  ]
  @common_block Encoder.encode(@common)
  @common_size @common |> Enum.map(&Table.field_size/1) |> Enum.sum()
  @path_overhead Table.field_size({":path", ""})

  @doc "The fields that all calls of a channel begin with."
  @spec head(scheme :: String.t(), authority :: String.t()) :: block()
  def head(scheme, authority),
    do: block([{":method", "POST"}, {":scheme", scheme}, {":authority", authority}])

  @doc "The method, and the fields that all calls have in common."
  @spec path(String.t()) :: {iodata(), size :: pos_integer()}
  # A literal whose name has index 4 in HPACK's table (RFC 7541, section 6.2.2).
  def path(path) when byte_size(path) < 127 do
    size = byte_size(path)
    {[<<4, size>>, path | @common_block], 2 + size + byte_size(@common_block)}
  end

  def path(path) do
    field = Encoder.encode([{":path", path}])
    {[field | @common_block], byte_size(field) + byte_size(@common_block)}
  end

  @doc "The size of `path/1` as SETTINGS_MAX_HEADER_LIST_SIZE counts it."
  @spec path_list_size(String.t()) :: pos_integer()
  def path_list_size(path), do: @path_overhead + byte_size(path) + @common_size

  @doc "How long the server may take, in milliseconds. Every call has this field, hence by hand."
  @spec timeout(non_neg_integer() | :infinity) :: block()
  def timeout(:infinity), do: {"", 0}

  def timeout(milliseconds) do
    {number, unit} = timeout_value(milliseconds)
    digits = Integer.to_string(number)
    size = byte_size(digits) + 1
    {<<0, 12, "grpc-timeout", size, digits::binary, unit>>, @timeout_overhead + size}
  end

  @doc "The caller's metadata, as `Metadata.encode/1` returns it."
  @spec metadata(Metadata.t()) :: block()
  def metadata([]), do: {"", 0}
  def metadata(metadata), do: block(metadata)

  # Rounded up, so that the server does not give up before we do.
  defp timeout_value(ms) when ms <= @most_digits, do: {ms, ?m}
  defp timeout_value(ms) when ms <= @most_digits * 1000, do: {ceil_div(ms, 1000), ?S}
  defp timeout_value(ms) when ms <= @most_digits * 60_000, do: {ceil_div(ms, 60_000), ?M}

  defp timeout_value(ms),
    do: {ms |> min(@most_digits * 3_600_000) |> ceil_div(3_600_000), ?H}

  defp ceil_div(number, divisor), do: div(number + divisor - 1, divisor)

  defp block(fields) do
    {Encoder.encode(fields), fields |> Enum.map(&Table.field_size/1) |> Enum.sum()}
  end

  @doc "Whether a message is as small as one has to be."
  @spec size(iodata()) :: :ok | {:error, size :: pos_integer()}
  def size(message) do
    case IO.iodata_length(message) do
      size when size > @largest_message -> {:error, size}
      _size -> :ok
    end
  end

  @doc "A message with its prefix: not compressed, and its length."
  @spec body(iodata()) :: {:ok, binary()} | {:error, size :: pos_integer()}
  def body(message) when is_binary(message) and byte_size(message) <= @largest_message,
    do: {:ok, <<0, byte_size(message)::32, message::binary>>}

  def body(message) do
    case IO.iodata_length(message) do
      size when size > @largest_message -> {:error, size}
      size -> {:ok, IO.iodata_to_binary([<<0, size::32>> | message])}
    end
  end
end
