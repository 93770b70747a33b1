defmodule UnionsTest do
  @moduledoc "Composite values: what was sent is what Python builds, and the other way round."

  use ExUnit.Case

  import Integration.Refused

  alias Integration.Server
  alias SynapseBridge.Error

  alias Unions.{
    Card,
    Cat,
    Corner,
    Dog,
    Everything,
    GoldCard,
    Open,
    Order,
    PageOfCorner,
    Voucher
  }

  setup_all do
    start_supervised!({Unions, Server.channel()})
    :ok
  end

  describe "a union of models" do
    test "is the member that was sent, though others have the same fields" do
      assert Unions.describe(%Card{number: "1"}) == {:ok, "Card"}
      assert Unions.describe(%Voucher{number: "1"}) == {:ok, "Voucher"}
      assert Unions.describe(%GoldCard{number: "1", limit: 2}) == {:ok, "GoldCard"}
      assert Unions.describe(:cash) == {:ok, "str"}
    end

    test "takes a map that fits one member only" do
      assert Unions.describe(%{limit: 1}) == {:ok, "GoldCard"}
      assert {:error, %Error{code: :invalid_argument}} = Unions.describe(%{number: "1"})
      assert Unions.describe({:voucher, %{number: "1"}}) == {:ok, "Voucher"}
    end

    test "keeps the fields of a subclass" do
      value = %Everything{payment: %GoldCard{number: "1", limit: 5}}
      assert {:ok, %Everything{payment: %GoldCard{limit: 5}}} = Unions.echo(value)
    end

    test "is told by its discriminator" do
      assert Unions.describe_animal(%Cat{lives: 3}) == {:ok, "Cat"}
      assert Unions.describe_animal(%{kind: :wolf}) == {:ok, "Dog"}
    end

    test "has violations with the path of the value, without the member" do
      assert_refused(Unions.describe_animal(%{kind: :cat, lives: 0}), "animal.lives")
    end
  end

  describe "a union of other values" do
    test "keeps booleans, integers and floats apart" do
      assert Unions.describe_number(true) == {:ok, "bool"}
      assert Unions.describe_number(1) == {:ok, "int"}
      assert Unions.describe_number(1.0) == {:ok, "float"}

      for value <- [true, false, 0, 1, 1.0, nil] do
        assert {:ok, %Everything{number: number}} = Unions.echo(%{number: value})
        assert number === value
      end
    end

    test "does not take text for a date" do
      assert Unions.describe_when(~D[2024-02-29]) == {:ok, "date"}
      assert Unions.describe_when("2024-02-29") == {:ok, "str"}
    end

    test "is bare where the value tells its member, and tagged where it does not" do
      for value <- [:metre, %{"a" => 1}, {:list, [1]}, {:list_2, ["a"]}] do
        assert {:ok, %Everything{value: ^value}} = Unions.echo(%{value: value})
      end

      for value <- [{:bytes, <<255>>}, {:str, "text"}] do
        assert {:ok, %Everything{value: ^value}} = Unions.echo(%{value: value})
      end
    end

    test "shows its value to validators in Python" do
      assert {:ok, %Everything{upper: "ABC"}} = Unions.echo(%{upper: "abc"})
      assert {:ok, %Everything{upper: 3}} = Unions.echo(%{upper: 3})
    end

    test "nests in itself" do
      tree = [1, [2, [], [3]], 4]
      assert Unions.echo_tree(tree) == {:ok, tree}
      assert Unions.total(tree) == {:ok, 10}
    end
  end

  describe "containers" do
    test "sets are sets" do
      assert Unions.echo_tags(MapSet.new(["a", "b"])) == {:ok, MapSet.new(["a", "b"])}
      assert Unions.echo_tags(["a"]) == {:ok, MapSet.new(["a"])}
      assert {:error, %Error{code: :invalid_argument}} = Unions.echo_tags(["a", "a"])
    end

    test "tuples are tuples, and named ones structs" do
      corner = %Corner{x: 1, y: 2}
      assert Unions.echo_corner(corner) == {:ok, {corner, []}}

      assert Unions.echo_corner(%{x: 1}, pair: {2, ["a"]}) ==
               {:ok, {%Corner{x: 1, y: 0}, ["a", "a"]}}

      assert {:error, %Error{code: :invalid_argument}} = Unions.echo_corner(corner, pair: {1})
    end

    test "maps have keys of any type" do
      grid = %{{0, 0} => [:metre], {-1, 2} => []}
      assert Unions.echo_grid(grid) == {:ok, grid}

      by_day = %{~D[2024-02-29] => %Dog{name: "Rex"}, ~D[1969-12-31] => nil}
      assert {:ok, %Everything{by_day: ^by_day}} = Unions.echo(%{by_day: by_day})
    end
  end

  describe "classes" do
    test "typed dicts are maps, in which an absent key stays absent" do
      for value <- [%{size: 1}, %{size: 1, note: nil}, %{size: 1, note: "n"}] do
        assert Unions.echo_options(value) == {:ok, value}
      end
    end

    test "open models keep what they do not know" do
      value = %Open{name: "n", extra: %{"other" => [1, %{"a" => nil}], "n" => 1.5}}
      assert Unions.echo_open(value) == {:ok, value}
    end

    test "what is extra cannot be a field" do
      answer = Unions.echo_open(%Open{name: "n", extra: %{"name" => "m"}})
      assert {:error, %Error{code: :invalid_argument}} = answer
    end

    test "generic models have a struct for each list of arguments" do
      page = %PageOfCorner{items: [%Corner{x: 1, y: 0}], following: nil}
      assert Unions.echo_page(page) == {:ok, page}
    end

    test "computed fields come from Python and are not sent" do
      assert {:ok, %Order{total: 6.0, ids: [1]}} =
               Unions.echo_order(%{price: 2.0, count: 3, ids: [1]})
    end

    test "results that would lose something are told" do
      for {what, words} <- [{:subclass, "a subclass would lose limit"}, {:pair, "result.pair"}] do
        assert {:error, %Error{code: :internal, message: message}} = Unions.misfit(what)
        assert message =~ words
      end

      assert {:error, %Error{code: :internal}} = Unions.misfit(:set)
    end
  end
end
