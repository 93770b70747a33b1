defmodule SynapseBridge.HTTP2.FieldSectionTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.HTTP2.FieldSection

  @add_1 <<0x40, 1, "k", 1, "1">>
  @add_2 <<0x40, 1, "k", 1, "2">>
  @newest <<0x80 + 62>>

  test "a repeated block means the same until the table changes" do
    section = FieldSection.new([])
    assert {{:trailers, [{"k", "1"}]}, section} = FieldSection.read(section, @add_1)
    assert {{:trailers, [{"k", "1"}]}, section} = FieldSection.read(section, @newest)
    assert {{:trailers, [{"k", "1"}]}, section} = FieldSection.read(section, @newest)
    assert {{:trailers, [{"k", "2"}]}, section} = FieldSection.read(section, @add_2)
    assert {{:trailers, [{"k", "2"}]}, section} = FieldSection.read(section, @newest)
    # a table of no size
    assert {{:trailers, []}, section} = FieldSection.read(section, <<0x20>>)
    assert {:error, "an index (62)" <> _} = FieldSection.read(section, @newest)
  end

  test "blocks that are different every time do not pile up" do
    section =
      Enum.reduce(1..1000, FieldSection.new([]), fn n, section ->
        value = Integer.to_string(n)
        block = <<0x00, 1, "k", byte_size(value), value::binary>>
        assert {{:trailers, [{"k", ^value}]}, section} = FieldSection.read(section, block)
        section
      end)

    assert :erlang.external_size(section) < 5_000
  end

  test "a malformed or too large block is one every time" do
    section = FieldSection.new(max_list_size: 100)
    upper_case = <<0x00, 1, "K", 1, "v">>
    assert {{:malformed, reason}, section} = FieldSection.read(section, upper_case)
    assert {{:malformed, ^reason}, section} = FieldSection.read(section, upper_case)
    large = <<0x00, 1, "k", 100, String.duplicate("v", 100)::binary>>
    assert {{:too_large, 133}, section} = FieldSection.read(section, large)
    assert {{:too_large, 133}, _section} = FieldSection.read(section, large)
  end
end
