defmodule SynapseBridge.HPACK.HuffmanTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.HPACK.Huffman
  alias SynapseBridge.HPACKVectors

  @vectors Path.expand("../../support/hpack/vectors.txt", __DIR__)

  doctest Huffman

  test "agrees with the library hpack, both ways" do
    for {string, code} <- HPACKVectors.huffman(@vectors) do
      assert Huffman.encode(string) == code
      assert Huffman.decode(code) == {:ok, string}
    end
  end

  test "a string of every byte survives" do
    string = for byte <- 0..255, into: <<>>, do: <<byte>>
    assert string |> Huffman.encode() |> Huffman.decode() == {:ok, string}
  end

  test "EOS, padding of eight bits, and padding that is not ones are refused" do
    assert Huffman.decode(<<0xFF, 0xFF, 0xFF, 0xFF>>) == :error
    assert Huffman.decode(<<0xFF>>) == :error
    # "0" is 00000, and its padding has to be 111
    assert Huffman.decode(<<0b00000_111>>) == {:ok, "0"}
    assert Huffman.decode(<<0b00000_110>>) == :error
    assert Huffman.decode(<<0b00000_111, 0xFF>>) == :error
  end
end
