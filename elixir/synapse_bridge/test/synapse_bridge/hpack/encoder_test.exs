defmodule SynapseBridge.HPACK.EncoderTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.HPACK.{Decoder, Encoder}
  alias SynapseBridge.HPACKVectors

  @vectors Path.expand("../../support/hpack/vectors.txt", __DIR__)

  doctest Encoder

  test "what it encodes decodes to the same fields and leaves the table empty" do
    for {_limit, blocks} <- HPACKVectors.connections(@vectors),
        {_block, fields} <- blocks,
        huffman <- [true, false] do
      block = Encoder.encode(fields, huffman: huffman)
      decoder = Decoder.new(table_size: 0, max_list_size: 1_000_000)
      assert {:ok, ^fields, _decoder} = Decoder.decode(decoder, block)
    end
  end

  test "Huffman is used where it is shorter only" do
    assert Encoder.encode([{":path", "www.example.com"}], huffman: true) ==
             Base.decode16!("048CF1E3C2E5F23A6BA0AB90F4FF")

    assert Encoder.encode([{":path", "\r\n"}], huffman: true) == <<4, 2, "\r\n">>
  end

  test "a literal name with an index beyond the prefix takes a second byte" do
    # user-agent is entry 58: 15 in the prefix, then 43
    assert Encoder.encode([{"user-agent", "x"}]) == <<15, 43, 1, "x">>
  end

  test "a long string has its length in several bytes" do
    value = String.duplicate("v", 300)
    assert Encoder.encode([{":path", value}]) == <<4, 127, 173, 1, value::binary>>
  end

  test "a size update has its size as an integer with a prefix of five bits" do
    assert Encoder.size_update(0) == <<0x20>>
    assert Encoder.size_update(4096) == <<0x3F, 0xE1, 0x1F>>
  end
end
