defmodule SynapseBridge.HPACK.Encoder do
  @moduledoc """
  Encodes header fields without a dynamic table (RFC 7541).

  Every field is either an index into the static table or a literal "without indexing". Such a block
  means the same on every connection and at every time, so the block of a method is built once and
  sent with each of its calls.
  """

  alias SynapseBridge.HPACK.{Huffman, Table}

  import Bitwise

  @doc """
  The header block of `fields`, in their order. With `huffman: true` a string is Huffman coded
  where that makes it shorter.

      iex> SynapseBridge.HPACK.Encoder.encode([{":method", "POST"}, {"te", "trailers"}])
      <<0x83, 0, 2, "te", 8, "trailers">>
  """
  @spec encode([Table.field()], huffman: boolean()) :: binary()
  def encode(fields, opts \\ []) do
    huffman? = Keyword.get(opts, :huffman, false)
    fields |> Enum.map(&field(&1, huffman?)) |> IO.iodata_to_binary()
  end

  @doc "An instruction that sets the size of the table used so far (RFC 7541, section 6.3)."
  @spec size_update(non_neg_integer()) :: binary()
  def size_update(size), do: size |> integer(5, 0b001) |> IO.iodata_to_binary()

  defp field({name, value} = field, huffman?) do
    case Table.static_index(field) do
      {:field, index} -> integer(index, 7, 0b1)
      {:name, index} -> [integer(index, 4, 0b0000) | string(value, huffman?)]
      :none -> [0, string(name, huffman?) | string(value, huffman?)]
    end
  end

  defp string(string, false), do: [integer(byte_size(string), 7, 0b0) | string]

  defp string(string, true) do
    case Huffman.encode(string) do
      coded when byte_size(coded) < byte_size(string) ->
        [integer(byte_size(coded), 7, 0b1) | coded]

      _longer ->
        string(string, false)
    end
  end

  # RFC 7541, section 5.1: an integer with an N-bit prefix, after the bits that tell its kind.
  defp integer(value, bits, kind) when value < (1 <<< bits) - 1, do: [kind <<< bits ||| value]

  defp integer(value, bits, kind) do
    limit = (1 <<< bits) - 1
    [kind <<< bits ||| limit | continued(value - limit)]
  end

  defp continued(value) when value < 128, do: [value]
  defp continued(value), do: [128 ||| (value &&& 127) | continued(value >>> 7)]
end
