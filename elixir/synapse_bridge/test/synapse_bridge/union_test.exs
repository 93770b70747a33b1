defmodule SynapseBridge.UnionTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.Fixtures.{Cat, Containers, Dog, Pet, Scalars}
  alias SynapseBridge.Union.Member
  alias SynapseBridge.Violation

  defp cast(union, value) do
    case union.__cast__(value, ["x"], 0) do
      {:"$invalid", violations} -> Enum.map(violations, &{&1.path, &1.rule})
      value -> value
    end
  end

  defp encode(union, value) do
    {io, size} = union.__encode__(value)
    bytes = IO.iodata_to_binary(io)
    assert byte_size(bytes) == size
    bytes
  end

  defp fault(union, bytes, depth \\ 99) do
    assert {:"$error", path, reason} = union.__decode__(bytes, depth)
    violation = Violation.new(path, reason)
    {violation.path, violation.rule, violation.message}
  end

  defp module(name, rows, before \\ "") do
    name = "SynapseBridge.UnionTest.#{name}#{System.unique_integer([:positive])}"

    source = """
    defmodule #{name} do
      #{before}
      @moduledoc "A union."
      use SynapseBridge.Union
      union do
        #{rows}
      end
    end
    """

    source |> Code.compile_string() |> List.last() |> elem(0)
  end

  describe "messages that a field tells apart" do
    test "come as structs, maps, keywords, or with their tag" do
      dog = %Dog{kind: :puppy, name: "Rex", lives: 1}

      for input <- [
            dog,
            %{kind: :puppy, name: "Rex"},
            %{"kind" => "puppy", "name" => "Rex"},
            [kind: "puppy", name: "Rex"],
            {:dog, %{kind: :puppy, name: "Rex"}}
          ] do
        assert cast(Pet, input) == dog
      end

      assert encode(Pet, dog) == encode(Pet, {:dog, dog})
      assert Pet.__decode__(encode(Pet, dog), 99) == dog
    end

    test "are never guessed" do
      assert cast(Pet, %{name: "Rex"}) == [{"x", "union_tag_not_found"}]
      assert cast(Pet, %{kind: "cow"}) == [{"x", "union_tag_invalid"}]
      assert cast(Pet, %{kind: "dog"}) == [{"x.name", "missing"}]
      assert cast(Pet, {:dog, %{kind: "dog"}}) == [{"x.name", "missing"}]
      assert cast(Pet, {:cow, %{}}) == [{"x", "union_no_match"}]
      assert cast(Pet, "Rex") == [{"x", "union_no_match"}]
      assert cast(Pet, ~D[2024-01-01]) == [{"x", "union_no_match"}]
    end
  end

  test "a member that may be nil has its tag, for nil alone may be no member" do
    union = module("Maybe", "member :root, 1, {:wrapped, {:nullable, :int64}}
         member :str, 2, :string")

    for value <- [{:root, nil}, {:root, 1}, "a"] do
      assert cast(union, value) == value
      assert union.__decode__(encode(union, value), 99) == value
    end
  end

  test "messages without such a field are told by the fields that fit" do
    union = module("Shapes", "member :cat, 1, {:message, SynapseBridge.Fixtures.Cat}
         member :leaf, 2, {:message, SynapseBridge.Fixtures.Leaf}
         member :open, 3, {:message, SynapseBridge.Fixtures.Open}")

    assert cast(union, %{lives: 3}) == %Cat{lives: 3}
    assert cast(union, %{weight: 3}) == %SynapseBridge.Fixtures.Leaf{weight: 3, marks: []}
    assert cast(union, %{}) == [{"x", "union_ambiguous"}]
    # Open takes any key, but the one that has the field fits better.
    assert cast(union, %{"name" => "x"}) == [{"x", "union_ambiguous"}]
    assert %{extra: %{"y" => 1}} = cast(union, %{"name" => "x", "y" => 1})
    assert cast(union, %{no: 1}) == [{"x", "union_no_match"}]
    assert cast(union, {:leaf, %{}}) == %SynapseBridge.Fixtures.Leaf{marks: []}
  end

  test "the exact member decides: a boolean is no integer, an integer no float" do
    for value <- [
          true,
          false,
          1,
          0,
          1.0,
          :nan,
          ~U[2024-01-01 00:00:00.000000Z],
          [1, 2],
          {1, 2, 3}
        ] do
      assert cast(Scalars, value) === value
      assert Scalars.__decode__(encode(Scalars, value), 99) === value
    end
  end

  test "members that the BEAM cannot tell apart are tagged" do
    for value <- [
          {:str, "x"},
          {:bytes, "x"},
          {:bytes, <<0xFF>>},
          {:pair, {true, 1}},
          {:color, :red}
        ] do
      assert cast(Scalars, value) == value
      assert Scalars.__decode__(encode(Scalars, value), 99) == value
    end

    assert cast(Scalars, "x") == [{"x", "union_ambiguous"}]
    # Bytes that are no text fit one member only.
    assert cast(Scalars, <<0xFF>>) == {:bytes, <<0xFF>>}
    assert cast(Scalars, {true, 1}) == {:pair, {true, 1}}
    assert cast(Scalars, {:color, "RED"}) == {:color, :red}

    tags = for %Member{bare?: false, tag: tag} <- Scalars.__synapse__(:members), do: tag
    assert tags == [:str, :bytes, :color, :pair]
  end

  test "a map beside a message has its tag, so that what was decoded can be sent" do
    union = module("Payload", "member :dict, 1, {:wrapped, {:map, :string, :any}}
         member :cat, 2, {:message, SynapseBridge.Fixtures.Cat}")

    for value <- [{:dict, %{}}, {:dict, %{"lives" => 3}}, %Cat{lives: 3}] do
      decoded = union.__decode__(encode(union, value), 99)
      assert decoded == value
      assert cast(union, decoded) == decoded
    end

    assert cast(union, %{}) == [{"x", "union_ambiguous"}]
    assert cast(union, %{"more" => 3}) == {:dict, %{"more" => 3}}
    assert cast(union, %{lives: 3}) == %Cat{lives: 3}
  end

  test "a list of pairs beside a message is a list" do
    pair = "{:tuple, [{:enum, SynapseBridge.Fixtures.Color}, :int64]}"
    union = module("Pairs", "member :list, 1, {:wrapped, {:list, #{pair}}}
         member :cat, 2, {:message, SynapseBridge.Fixtures.Cat}")

    decoded = union.__decode__(encode(union, red: 1), 99)
    assert decoded == [red: 1]
    assert cast(union, decoded) == decoded
    assert cast(union, []) == []
    assert cast(union, lives: 3) == [{"x[0][0]", "enum"}]
  end

  test "a literal is bare beside what it cannot be mixed up with" do
    union = module("Open", "member :color, 1, {:enum, SynapseBridge.Fixtures.Color}
         member :date, 2, :date
         member :any, 3, :double")

    assert cast(union, "RED") == :red
    assert cast(union, 3) === 3.0
    assert union.__decode__(encode(union, {:unknown, 99}), 99) == {:unknown, 99}
    assert cast(union, :purple) == [{"x", "union_no_match"}]
  end

  test "of several members on the wire the last one counts" do
    cat = encode(Pet, %Cat{lives: 3})
    dog = encode(Pet, %Dog{kind: :dog, name: "Rex"})
    assert %Dog{} = Pet.__decode__(cat <> dog, 99)
    assert %Cat{lives: 3} = Pet.__decode__(dog <> cat, 99)
    assert Pet.__decode__(cat <> dog <> <<10, 2, 16, 5>>, 99) == %Cat{lives: 5}

    # Parts of one message are joined, unknown fields skipped.
    assert Pet.__decode__(cat <> <<0xA0, 6, 1>> <> <<10, 2, 16, 5>>, 99) == %Cat{lives: 5}
  end

  test "what is no member, or broken, is refused" do
    assert {"", "union_member", text} = fault(Pet, "")
    assert text =~ "cat, dog"
    assert {"", "union_member", _} = fault(Pet, <<26, 0>>)
    assert {"", "wire_type", _} = fault(Pet, <<8, 1>>)
    assert {"", "truncated", _} = fault(Pet, <<10, 5, 8>>)
    assert {"name", "missing", _} = fault(Pet, <<18, 2, 8, 1>>)
    assert {"", "too_deep", _} = fault(Pet, <<10, 0>>, -1)
    assert {"", "too_deep", _} = fault(Pet, <<10, 0>>, 0)
    assert {"", "field_number", _} = fault(Pet, <<0>>)
  end

  test "a value that is no member is not encoded, and not shown" do
    error = assert_raise ArgumentError, fn -> Pet.__encode__("a secret") end
    refute error.message =~ "a secret"
  end

  test "a union that holds itself stops at 100 levels" do
    nested = fn n -> Enum.reduce(1..n, nil, fn _, inner -> %Cat{friend: inner} end) end

    assert {:ok, _} = Containers.new(pet: nested.(50), days: [], pair: {1, nil})
    assert {:error, [violation]} = Containers.new(pet: nested.(51), days: [], pair: {1, nil})
    assert violation.rule == "too_deep"
  end

  test "is documented and typed by its members" do
    assert Pet.__synapse__(:kind) == :union
    assert Pet.__synapse__(:discriminator) == "kind"
    {:docs_v1, _, _, _, %{"en" => doc}, _, _} = Code.fetch_docs(Pet)
    assert doc =~ "## Members\n\n  * `SynapseBridge.Fixtures.Cat.t()` - Meows.\n"
    {:docs_v1, _, _, _, %{"en" => doc}, _, _} = Code.fetch_docs(Scalars)
    assert doc =~ "`{:str, String.t()}`"

    {:ok, types} = Code.Typespec.fetch_types(Scalars)

    types =
      for {:type, type} <- types, do: type |> Code.Typespec.type_to_quoted() |> Macro.to_string()

    assert Enum.any?(types, &(&1 =~ "{:bytes, binary()}"))
  end

  test "two members of one tag or number, and containers that are not wrapped, are an error" do
    for {rows, message} <- [
          {"member :a, 1, :bool\nmember :a, 2, :int64", ~r/two members of the tag :a/},
          {"member :a, 1, :bool\nmember :b, 1, :int64", ~r/two members of the number 1/},
          {"member :a, 1, {:list, :bool}", ~r/must be {:wrapped, type}/},
          {"member :a, 1, {:nullable, :bool}", ~r/must be {:wrapped, type}/},
          {"member :a, 1, {:message, No.Such}", ~r/is not there .* above the union/}
        ] do
      error = catch_error(module("Wrong", rows))
      assert Exception.message(error) =~ message
    end
  end
end
