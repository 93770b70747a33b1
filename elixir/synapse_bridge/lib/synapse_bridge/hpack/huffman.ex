defmodule SynapseBridge.HPACK.Huffman do
  @moduledoc """
  The Huffman code of HPACK (RFC 7541, section 5.2 and appendix B), both ways.

  The code is canonical: within one code length, codes rise with the symbol, and the first code of
  a length follows from the last one of the length before. So the symbols per length say it all;
  both tables below are computed from them at compile time.
  """

  import Bitwise

  # 256 is EOS: it pads the last byte and must never be decoded.
  @eos 256
  @symbols_by_length [
    {5, ~c"012aceiost"},
    {6, ~c" %-./3456789=A_bdfghlmnpru"},
    {7, ~c":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"},
    {8, ~c"&*,;XZ"},
    {10, ~c"!\"()?"},
    {11, ~c"'+|"},
    {12, ~c"#>"},
    {13, [0 | ~c"$@[]~"]},
    {14, ~c"^}"},
    {15, ~c"<`{"},
    {19, [92, 195, 208]},
    {20, [128, 130, 131, 162, 184, 194, 224, 226]},
    {21, [153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230]},
    {22,
     [129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170] ++
       [173, 178, 181, 185, 186, 187, 189, 190, 196, 198, 228, 232, 233]},
    {23,
     [1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155] ++
       [157, 158, 165, 166, 168, 174, 175, 180, 182, 183, 188, 191, 197, 231, 239]},
    {24, [9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237]},
    {25, [199, 207, 234, 235]},
    {26, [192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255]},
    {27,
     [203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245, 246, 247, 248] ++
       [250, 251, 252, 253, 254]},
    {28,
     [2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27] ++
       [28, 29, 30, 31, 127, 220, 249]},
    {30, [10, 13, 22, @eos]}
  ]

  {codes, _next} =
    Enum.flat_map_reduce(@symbols_by_length, {0, 0}, fn {length, symbols}, {code, previous} ->
      first = code <<< (length - previous)

      coded =
        for {symbol, offset} <- Enum.with_index(symbols), do: {symbol, first + offset, length}

      {coded, {first + length(symbols), length}}
    end)

  # {code, length} per byte value.
  @codes for(symbol <- 0..255, do: List.keyfind!(codes, symbol, 0))
         |> Enum.map(fn {_symbol, code, length} -> {code, length} end)
         |> List.to_tuple()

  # A state of the decoder is a proper prefix of some code, held as an integer with a leading 1.
  # For a state and the next four bits: the next state and the symbol completed on the way, if any
  # (codes have at least five bits, so there is never a second one).
  complete = Map.new(codes, fn {symbol, code, length} -> {1 <<< length ||| code, symbol} end)

  prefixes =
    for {_symbol, code, length} <- codes, cut <- 1..length, uniq: true do
      (1 <<< length ||| code) >>> cut
    end

  states = prefixes |> Enum.sort() |> Enum.with_index() |> Map.new()

  walk = fn prefix, nibble ->
    Enum.reduce(3..0//-1, {prefix, nil}, fn bit, {prefix, symbol} ->
      prefix = prefix <<< 1 ||| (nibble >>> bit &&& 1)

      case complete do
        %{^prefix => done} -> {1, done}
        %{} -> {prefix, symbol}
      end
    end)
  end

  @transitions states
               |> Enum.sort_by(fn {_prefix, state} -> state end)
               |> Enum.map(fn {prefix, _state} ->
                 0..15
                 |> Enum.map(fn nibble ->
                   {next, symbol} = walk.(prefix, nibble)
                   {Map.fetch!(states, next), symbol}
                 end)
                 |> List.to_tuple()
               end)
               |> List.to_tuple()

  # Padding is at most seven bits of EOS, which is all ones (RFC 7541, section 5.2).
  @accepting for(ones <- 0..7, do: Map.fetch!(states, (1 <<< (ones + 1)) - 1))

  @start Map.fetch!(states, 1)

  @doc """
  Encodes `string`, padding the last byte with ones.

      iex> SynapseBridge.HPACK.Huffman.encode("302")
      <<0x64, 0x02>>
  """
  @spec encode(binary()) :: binary()
  def encode(string) when is_binary(string) do
    bits =
      for <<byte <- string>>, into: <<>> do
        {code, length} = elem(@codes, byte)
        <<code::size(length)>>
      end

    padding = rem(8 - rem(bit_size(bits), 8), 8)
    <<bits::bitstring, -1::size(padding)>>
  end

  @doc """
  Decodes what `encode/1` makes. An EOS symbol, and padding that is not a short run of ones, are
  `:error` (RFC 7541, section 5.2).

      iex> SynapseBridge.HPACK.Huffman.decode(<<0x64, 0x02>>)
      {:ok, "302"}
  """
  @spec decode(binary()) :: {:ok, binary()} | :error
  def decode(encoded) when is_binary(encoded), do: decode(encoded, @start, [])

  defp decode(<<high::4, low::4, rest::binary>>, state, symbols) do
    {state, first} = elem(elem(@transitions, state), high)
    {state, second} = elem(elem(@transitions, state), low)

    case {first, second} do
      {nil, nil} -> decode(rest, state, symbols)
      {nil, @eos} -> :error
      {@eos, _any} -> :error
      {symbol, nil} -> decode(rest, state, [symbol | symbols])
      {nil, symbol} -> decode(rest, state, [symbol | symbols])
      {_first, @eos} -> :error
      {first, second} -> decode(rest, state, [second, first | symbols])
    end
  end

  defp decode(<<>>, state, symbols) when state in @accepting do
    {:ok, symbols |> Enum.reverse() |> :erlang.list_to_binary()}
  end

  defp decode(<<>>, _state, _symbols), do: :error
end
