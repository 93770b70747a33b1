defmodule SynapseBridge.Message.WireTest do
  # Against bytes that Python's protobuf wrote (test/support/wire).
  use ExUnit.Case, async: true

  import Bitwise

  alias SynapseBridge.Fixtures.{Everything, Leaf}

  @bytes "../../support/wire/vectors.txt"
         |> Path.expand(__DIR__)
         |> SynapseBridge.WireVectors.all()

  # Absent on the wire: `list` is Python's default then, which these messages do not have.
  @absent %{list: nil}

  # Both ways: the name of a vector, and the fields that its bytes stand for.
  @values [
            {"empty", []},
            {"flags", [flags: [true, false, true]]},
            {"counts", [counts: [0, 1, -1, 300, (1 <<< 63) - 1, -(1 <<< 63)]]},
            {"sizes", [sizes: [0, (1 <<< 64) - 1]]},
            {"ratios",
             [
               ratios: [
                 0.0,
                 1.5,
                 -2.25,
                 1.0e300,
                 :nan,
                 :infinity,
                 3.0,
                 :negative_infinity,
                 0.1
               ]
             ]},
            {"texts", [texts: ["", "a", "é"]]},
            {"chunks", [chunks: ["", <<0xFF, 0>>]]},
            {"colors", [colors: [:red, {:unknown, 77}, :far, {:unknown, -5}]]},
            {"leaves", [leaves: [%Leaf{}, %Leaf{name: "a"}, %Leaf{marks: [7]}]]},
            {"by_name", [by_name: %{"é" => -1}]},
            {"by_name zeros", [by_name: %{"" => 0}]},
            {"by_number", [by_number: %{((1 <<< 63) - 1) => "max"}]},
            {"by_flag", [by_flag: %{false => %Leaf{}}]},
            {"series", [series: %{((1 <<< 64) - 1) => [1.0, 2.0]}]},
            {"list", [list: [1, -1]]},
            {"list empty", [list: []]},
            {"maybe", [maybe: "x"]},
            {"maybe empty", [maybe: ""]},
            {"maybe none", [maybe: nil]},
            {"grid", [grid: [[1, 2], []]]},
            {"gaps", [gaps: [0.5, nil]]},
            {"table", [table: %{"a" => 1}]},
            {"table empty", [table: %{}]},
            {"names none", [names: nil]},
            {"names empty", [names: []]},
            {"names", [names: ["a"]]},
            {"far", [far: -1, farther: "x", farthest: true]},
            {"ratio 1.5", [ratio: 1.5]},
            {"ratio -0.0", [ratio: -0.0]},
            {"ratio smallest", [ratio: 5.0e-324]},
            {"ratio largest", [ratio: 1.7976931348623157e308]},
            {"ratio nan", [ratio: :nan]},
            {"ratio infinity", [ratio: :infinity]},
            {"ratio negative infinity", [ratio: :negative_infinity]},
            {"text unicode", [text: "Grüße, 世界 👩‍🚀 e\u0301 \0"]},
            {"text 127", [text: String.duplicate("x", 127)]},
            {"text 128", [text: String.duplicate("x", 128)]},
            {"text 20000", [text: String.duplicate("x", 20_000)]},
            {"data", [data: :binary.list_to_bin(Enum.to_list(0..255))]},
            {"color red", [color: :red]},
            {"color far", [color: :far]},
            {"color unknown", [color: {:unknown, 77}]},
            {"color negative", [color: {:unknown, -5}]},
            {"leaf", [leaf: %Leaf{name: "oak", weight: -3, marks: [1, 2, 300]}]},
            {"zeros",
             [
               flag: false,
               count: 0,
               size: 0,
               ratio: 0.0,
               text: "",
               data: "",
               color: {:unknown, 0},
               leaf: %Leaf{}
             ]}
          ] ++
            for(
              n <- [0, 1, 127, 128, 16_383, 16_384, (1 <<< 21) - 1, 1 <<< 21, 1 <<< 28, 1 <<< 35],
              do: {"count #{n}", [count: n]}
            ) ++
            for(
              n <- [(1 <<< 63) - 1, -1, -128, -(1 <<< 31), -(1 <<< 53) - 1, -(1 <<< 63)],
              do: {"count #{n}", [count: n]}
            ) ++
            for(n <- [127, 1 <<< 63, (1 <<< 64) - 1], do: {"size #{n}", [size: n]})

  for {name, fields} <- @values do
    test "#{name}: encodes to Python's bytes and decodes from them" do
      fields = unquote(Macro.escape(fields))
      bytes = @bytes[unquote(name)]

      assert IO.iodata_to_binary(Everything.encode(sent(fields))) == bytes
      assert Everything.decode(bytes) == {:ok, received(fields)}
    end
  end

  # Here the bytes are not what this encoder writes: in another order, merged, not packed, unknown.
  @decoded [
    {"unpacked",
     [
       flags: [true, false],
       counts: [1, -1, 300],
       sizes: [(1 <<< 64) - 1],
       ratios: [1.5, :nan],
       colors: [:far, {:unknown, 77}]
     ]},
    {"packed then unpacked",
     [
       flags: [true, false],
       counts: [5, 1, -1, 300],
       sizes: [(1 <<< 64) - 1],
       ratios: [0.5, 1.5, :nan],
       colors: [:far, {:unknown, 77}]
     ]},
    {"several entries",
     [
       by_name: %{"" => 0, "a" => 1, "é" => -1},
       by_number: %{-1 => "minus", 0 => "", ((1 <<< 63) - 1) => "max"},
       by_flag: %{false => %Leaf{}, true => %Leaf{name: "yes"}},
       series: %{((1 <<< 64) - 1) => [], 7 => [1.0]}
     ]},
    {"bare entries",
     [
       by_name: %{"" => 0},
       by_number: %{0 => ""},
       by_flag: %{false => %Leaf{}},
       series: %{0 => []}
     ]},
    {"unknown fields", [count: 7]},
    {"last wins", [count: 2, text: "b", color: :red]},
    {"merged",
     [leaf: %Leaf{name: "a", weight: 2, marks: [1, 2]}, by_name: %{"a" => 1, "b" => 2, "c" => 3}]},
    {"merged wrapper", [list: [1, 2]]}
  ]

  for {name, fields} <- @decoded do
    test "#{name}: decodes as Python does" do
      fields = unquote(Macro.escape(fields))
      assert Everything.decode(@bytes[unquote(name)]) == {:ok, received(fields)}
    end
  end

  test "messages inside one another" do
    innermost = received(count: 1)
    middle = received(flag: true, inner: innermost)
    assert Everything.decode(@bytes["inner"]) == {:ok, received(inner: middle)}

    bytes =
      IO.iodata_to_binary(Everything.encode(sent(inner: sent(flag: true, inner: sent(count: 1)))))

    assert bytes == @bytes["inner"]

    assert {:ok, merged} = Everything.decode(@bytes["merged deeply"])
    assert merged.inner == received(leaf: %Leaf{name: "a", weight: 2}, texts: ["x", "y"])
  end

  test "every vector is used" do
    used = for {name, _} <- @values ++ @decoded, do: name
    # Two above, one in the test of errors.
    assert Enum.sort(Map.keys(@bytes) -- used) == ["google.rpc.Status", "inner", "merged deeply"]
  end

  defp sent(fields), do: struct!(struct!(Everything, @absent), fields)

  # What an absent `list` decodes to is its default.
  defp received(fields), do: struct!(Everything, fields)
end
