defmodule SynapseBridge.HPACK.DecoderTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.HPACK.{Decoder, Encoder, Table}
  alias SynapseBridge.HPACKVectors

  @vectors Path.expand("../../support/hpack/vectors.txt", __DIR__)

  # RFC 7541, appendix C: title, table size, then blocks as hex with their fields and the table after.
  @request_1 [
    {":method", "GET"},
    {":scheme", "http"},
    {":path", "/"},
    {":authority", "www.example.com"}
  ]
  @request_2 @request_1 ++ [{"cache-control", "no-cache"}]
  @request_3 [
    {":method", "GET"},
    {":scheme", "https"},
    {":path", "/index.html"},
    {":authority", "www.example.com"},
    {"custom-key", "custom-value"}
  ]
  @request_table [
    {"custom-key", "custom-value"},
    {"cache-control", "no-cache"},
    {":authority", "www.example.com"}
  ]

  @date_1 {"date", "Mon, 21 Oct 2013 20:13:21 GMT"}
  @date_2 {"date", "Mon, 21 Oct 2013 20:13:22 GMT"}
  @location {"location", "https://www.example.com"}
  @private {"cache-control", "private"}
  @gzip {"content-encoding", "gzip"}
  @cookie {"set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"}
  @response_1 [{":status", "302"}, @private, @date_1, @location]
  @response_2 [{":status", "307"}, @private, @date_1, @location]
  @response_3 [{":status", "200"}, @private, @date_2, @location, @gzip, @cookie]
  @response_tables [
    {[@location, @date_1, @private, {":status", "302"}], 222},
    {[{":status", "307"}, @location, @date_1, @private], 222},
    {[@cookie, @gzip, @date_2], 215}
  ]

  @appendix_c [
    {"C.2.1 literal with indexing", 4096,
     [
       {"400a637573746f6d2d6b65790d637573746f6d2d686561646572", [{"custom-key", "custom-header"}],
        [{"custom-key", "custom-header"}], 55}
     ]},
    {"C.2.2 literal without indexing", 4096,
     [{"040c2f73616d706c652f70617468", [{":path", "/sample/path"}], [], 0}]},
    {"C.2.3 literal never indexed", 4096,
     [{"100870617373776f726406736563726574", [{"password", "secret"}], [], 0}]},
    {"C.2.4 indexed", 4096, [{"82", [{":method", "GET"}], [], 0}]},
    {"C.3 requests", 4096,
     [
       {"828684410f7777772e6578616d706c652e636f6d", @request_1, Enum.take(@request_table, -1),
        57},
       {"828684be58086e6f2d6361636865", @request_2, Enum.take(@request_table, -2), 110},
       {"828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565", @request_3, @request_table,
        164}
     ]},
    {"C.4 requests, Huffman", 4096,
     [
       {"828684418cf1e3c2e5f23a6ba0ab90f4ff", @request_1, Enum.take(@request_table, -1), 57},
       {"828684be5886a8eb10649cbf", @request_2, Enum.take(@request_table, -2), 110},
       {"828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", @request_3, @request_table, 164}
     ]},
    {"C.5 responses with eviction", 256,
     [
       {"4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54" <>
          "6e1768747470733a2f2f7777772e6578616d706c652e636f6d", @response_1},
       {"4803333037c1c0bf", @response_2},
       {"88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f" <>
          "3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b20" <>
          "76657273696f6e3d31", @response_3}
     ]
     |> Enum.zip(@response_tables)
     |> Enum.map(fn {{hex, fields}, {table, size}} -> {hex, fields, table, size} end)},
    {"C.6 responses with eviction, Huffman", 256,
     [
       {"488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f" <>
          "0b97c8e9ae82ae43d3", @response_1},
       {"4883640effc1c0bf", @response_2},
       {"88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335df" <>
          "dfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007", @response_3}
     ]
     |> Enum.zip(@response_tables)
     |> Enum.map(fn {{hex, fields}, {table, size}} -> {hex, fields, table, size} end)}
  ]

  for {title, table_size, blocks} <- @appendix_c do
    @blocks blocks
    @table_size table_size
    test "RFC 7541, #{title}" do
      Enum.reduce(@blocks, Decoder.new(table_size: @table_size), fn {hex, fields, table, size},
                                                                    decoder ->
        assert {:ok, ^fields, decoder} =
                 Decoder.decode(decoder, Base.decode16!(hex, case: :lower))

        assert dynamic_fields(decoder) == table
        assert decoder.table.size == size
        decoder
      end)
    end
  end

  test "agrees with the library hpack on random connections with changing table sizes" do
    for {limit, blocks} <- HPACKVectors.connections(@vectors) do
      decoder = Decoder.new(table_size: limit, max_list_size: 1_000_000)

      Enum.reduce(blocks, decoder, fn {block, fields}, decoder ->
        assert {:ok, ^fields, decoder} = Decoder.decode(decoder, block)
        decoder
      end)
    end
  end

  test "no beginning of a block is taken for a block, and no beginning makes it crash" do
    for {limit, blocks} <- Enum.take(HPACKVectors.connections(@vectors), 5) do
      decoder = Decoder.new(table_size: limit, max_list_size: 1_000_000)

      Enum.reduce(blocks, decoder, fn {block, fields}, decoder ->
        for cut <- 0..(byte_size(block) - 1) do
          case Decoder.decode(decoder, binary_part(block, 0, cut)) do
            {:ok, some, _decoder} -> assert List.starts_with?(fields, some) and some != fields
            {:error, reason} -> assert reason =~ "in the middle of a field"
          end
        end

        {:ok, ^fields, decoder} = Decoder.decode(decoder, block)
        decoder
      end)
    end
  end

  test "random bytes are decoded or refused, but never crash" do
    :rand.seed(:exsss, {7, 5, 41})

    for _ <- 1..2000 do
      block = :rand.bytes(:rand.uniform(40))

      case Decoder.decode(Decoder.new(), block) do
        {:ok, fields, %Decoder{}} -> assert is_list(fields)
        {:error, reason} -> assert is_binary(reason)
      end
    end
  end

  describe "a block that breaks the rules" do
    test "index 0, and indexes beyond the table" do
      assert {:error, "an index (0)" <> _} = Decoder.decode(Decoder.new(), <<0x80>>)
      assert {:error, "an index (62)" <> _} = Decoder.decode(Decoder.new(), <<0x80 + 62>>)
      assert {:error, "an index (62)" <> _} = Decoder.decode(Decoder.new(), <<0x7E, 1, "v">>)
    end

    test "an integer that never ends" do
      assert {:error, "an integer of more than" <> _} =
               Decoder.decode(Decoder.new(), <<0xFF, String.duplicate(<<0xFF>>, 20)::binary>>)
    end

    test "a table larger than announced" do
      assert {:error, "a table size update to 4097 bytes" <> _} =
               Decoder.decode(Decoder.new(), Encoder.size_update(4097))
    end

    test "a size update after a field" do
      assert {:error, "a table size update after" <> _} =
               Decoder.decode(Decoder.new(), <<0x82, 0x20>>)
    end

    test "a bad Huffman code" do
      assert {:error, "a string with an invalid" <> _} =
               Decoder.decode(Decoder.new(), <<0x04, 0x81, 0xFF>>)
    end
  end

  test "fields over the limit are not kept, but the table follows and later blocks decode" do
    decoder = Decoder.new(max_list_size: 100)
    large = String.duplicate("v", 200)
    block = <<0x40, 1, "k", 127, 73, large::binary>>
    assert {:too_large, 233, decoder} = Decoder.decode(decoder, block)

    # the entry is in the table: one byte refers to it, and a thousand of them cost nothing
    bomb = String.duplicate(<<0x80 + 62>>, 1000)
    assert {:too_large, 233_000, decoder} = Decoder.decode(decoder, bomb)
    assert {:ok, [{":status", "200"}], _decoder} = Decoder.decode(decoder, <<0x88>>)
  end

  defp dynamic_fields(decoder) do
    Stream.iterate(62, &(&1 + 1))
    |> Stream.map(&Table.fetch(decoder.table, &1))
    |> Enum.take_while(&(&1 != :error))
    |> Enum.map(fn {:ok, field} -> field end)
  end
end
