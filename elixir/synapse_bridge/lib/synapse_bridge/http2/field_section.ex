defmodule SynapseBridge.HTTP2.FieldSection do
  @moduledoc """
  Reads the header blocks of a connection: decodes them and checks that they are well-formed
  responses or trailers (RFC 9113, sections 8.2 and 8.3).

  A server sends the same few blocks again and again once the HPACK table has settled. A block that
  leaves the table as it was is remembered with its meaning until the table changes.
  """

  alias SynapseBridge.HPACK.{Decoder, Table}

  # For the fixed headers and trailers of a server. Blocks that differ each time push them out at
  # worst, which costs a decoding.
  @memo_entries 16
  @memo_bytes 256

  @forbidden ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]

  @enforce_keys [:decoder]
  defstruct [:decoder, memo: %{}]

  @opaque t :: %__MODULE__{decoder: Decoder.t(), memo: %{binary() => meaning()}}

  @typedoc """
  What a block is: the beginning of a response with its HTTP status, the trailers at its end, or
  something that a server must not send.
  """
  @type meaning ::
          {:response, status :: 100..999, [Table.field()]}
          | {:trailers, [Table.field()]}
          | {:malformed, reason :: String.t()}

  @doc "A reader for one connection, with the options of `SynapseBridge.HPACK.Decoder.new/1`."
  @spec new(keyword()) :: t()
  def new(opts), do: %__MODULE__{decoder: Decoder.new(opts)}

  @doc """
  Reads one complete block. `:too_large` and `:malformed` concern one stream; an `:error` is final
  for the connection (COMPRESSION_ERROR).
  """
  @spec read(t(), binary()) ::
          {meaning() | {:too_large, size :: pos_integer()}, t()} | {:error, reason :: String.t()}
  def read(%__MODULE__{memo: memo} = section, block) do
    case memo do
      %{^block => meaning} -> {meaning, section}
      %{} -> read_new(section, block)
    end
  end

  @doc "What a block means that was read before, if that is known without reading it again."
  @spec known(t(), binary()) :: meaning() | nil
  def known(%__MODULE__{memo: memo}, block) do
    case memo do
      %{^block => meaning} -> meaning
      %{} -> nil
    end
  end

  defp read_new(%__MODULE__{decoder: before} = section, block) do
    case Decoder.decode(before, block) do
      {:ok, fields, decoder} ->
        meaning = meaning(fields)

        if Decoder.same_table?(before, decoder) do
          {meaning, remember(section, block, meaning)}
        else
          {meaning, %__MODULE__{decoder: decoder}}
        end

      {:too_large, size, decoder} ->
        {{:too_large, size}, %__MODULE__{decoder: decoder}}

      {:error, _reason} = error ->
        error
    end
  end

  defp remember(section, block, _meaning) when byte_size(block) > @memo_bytes, do: section

  defp remember(%__MODULE__{memo: memo} = section, block, meaning) do
    memo = if map_size(memo) < @memo_entries, do: memo, else: %{}
    %{section | memo: Map.put(memo, :binary.copy(block), meaning)}
  end

  defp meaning([{":status", status} | fields]) do
    with {:ok, status} <- status(status), :ok <- check(fields), do: {:response, status, fields}
  end

  defp meaning(fields) do
    with :ok <- check(fields), do: {:trailers, fields}
  end

  defp status(<<a, b, c>> = status) when a in ?1..?9 and b in ?0..?9 and c in ?0..?9 do
    {:ok, String.to_integer(status)}
  end

  defp status(other), do: {:malformed, "the HTTP status #{inspect(other)}"}

  defp check([]), do: :ok

  defp check([{name, _value} | _rest]) when name in @forbidden do
    {:malformed, "the field #{inspect(name)}, which HTTP/2 forbids"}
  end

  # Pseudo-fields stand first, and ":status" is the only one of a response.
  defp check([{name, value} | rest]) do
    cond do
      name == "" or not name?(name) -> {:malformed, "the field name #{inspect(name)}"}
      not value?(value) -> {:malformed, "the value #{inspect(value)} of the field #{name}"}
      true -> check(rest)
    end
  end

  # RFC 9113, section 8.2.1: visible ASCII without upper case and colon.
  defp name?(<<byte, rest::binary>>)
       when byte in 0x21..0x7E and byte not in ?A..?Z and byte != ?:,
       do: name?(rest)

  defp name?(rest), do: rest == ""

  defp value?(<<byte, rest::binary>>) when byte not in [?\0, ?\r, ?\n], do: value?(rest)
  defp value?(rest), do: rest == ""
end
