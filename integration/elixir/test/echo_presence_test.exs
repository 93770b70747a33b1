defmodule EchoPresenceTest do
  @moduledoc "Absent, empty, None and defaulted are four things, in fields and in parameters."

  use ExUnit.Case

  import Integration.Refused

  alias Echo.{Point, Presence}
  alias Integration.Server
  alias SynapseBridge.{Error, Violation}

  setup_all do
    start_supervised!({Echo, Server.channel()})
    :ok
  end

  describe "absent, empty and None" do
    @required %{
      nullable: nil,
      items: [],
      items_nullable: nil,
      entries: %{},
      entries_nullable: nil
    }

    test "what is left out gets Python's default" do
      assert Echo.seen!(@required) == %{
               "nullable" => "None",
               "none_by_default" => "None",
               "seven_by_default" => "7",
               "made_or_none" => "8",
               "number" => "9",
               "made" => "10",
               "enum" => "<Colour.DARK_GREEN: 'g'>",
               "nullable_enum" => "<Colour.RED: 'r'>",
               "items" => "[]",
               "items_empty" => "[]",
               "items_made" => "[]",
               "items_default" => "[1, 2]",
               "items_not_empty" => "[3]",
               "items_nullable" => "None",
               "items_none" => "None",
               "items_or_none" => "[4]",
               "entries" => "{}",
               "entries_empty" => "{}",
               "entries_default" => "{'a': 1}",
               "entries_nullable" => "None",
               "entries_none" => "None",
               "point" => "None",
               "point_made" => "Point(x=1.0, y=0.0, label=None)"
             }
    end

    test "what is set in Python is what was sent, and what is empty by its absence" do
      sent = ~w(nullable seven_by_default number enum nullable_enum items items_empty items_made
        items_default items_not_empty items_nullable entries entries_empty entries_default
        entries_nullable)

      assert Echo.fields_set!(@required) == MapSet.new(sent)

      given = Map.merge(@required, %{made: 1, made_or_none: nil, point: nil})
      assert Echo.fields_set!(given) == MapSet.new(["made", "made_or_none" | sent])
    end

    test "what is given as nil is None" do
      nullable = ~w(nullable none_by_default seven_by_default made_or_none nullable_enum
        items_nullable items_none items_or_none entries_nullable entries_none point)

      value = Map.merge(@required, Map.new(nullable, &{String.to_existing_atom(&1), nil}))
      seen = Echo.seen!(value)
      assert for(name <- nullable, seen[name] != "None", do: name) == []
    end

    test "what is given empty is empty" do
      lists = ~w(items items_empty items_made items_default items_nullable items_none
        items_or_none)

      maps = ~w(entries entries_empty entries_default entries_nullable entries_none)

      value =
        @required
        |> Map.merge(Map.new(lists, &{String.to_existing_atom(&1), []}))
        |> Map.merge(Map.new(maps, &{String.to_existing_atom(&1), %{}}))

      seen = Echo.seen!(value)
      assert for(name <- lists, seen[name] != "[]", do: name) == []
      assert for(name <- maps, seen[name] != "{}", do: name) == []
      assert_refused(Echo.seen(Map.put(value, :items_not_empty, [])), "value.items_not_empty")
    end

    test "what is given is kept, zero and false too" do
      value =
        Map.merge(@required, %{
          nullable: 0,
          none_by_default: 0,
          seven_by_default: 0,
          made_or_none: 0,
          number: 0,
          made: 0,
          enum: :red,
          nullable_enum: :dark_green,
          items_nullable: [0],
          items_none: [0],
          items_or_none: [0],
          entries_none: %{"" => 0},
          point: %{x: 0.0},
          point_made: %{x: 0.0, label: ""}
        })

      seen = Echo.seen!(value)

      for name <- ~w(nullable none_by_default seven_by_default made_or_none number made) do
        assert {name, seen[name]} == {name, "0"}
      end

      for name <- ~w(items_nullable items_none items_or_none) do
        assert {name, seen[name]} == {name, "[0]"}
      end

      assert seen["enum"] == "<Colour.RED: 'r'>"
      assert seen["nullable_enum"] == "<Colour.DARK_GREEN: 'g'>"
      assert seen["entries_none"] == "{'': 0}"
      assert seen["point"] == "Point(x=0.0, y=0.0, label=None)"
      assert seen["point_made"] == "Point(x=0.0, y=0.0, label='')"
    end

    test "the answer tells them apart as well" do
      assert {:ok, %Presence{} = echo} =
               Echo.echo_presence(Map.merge(@required, %{seven_by_default: nil, items_none: []}))

      assert %Presence{nullable: nil, seven_by_default: nil, items_none: []} = echo
      assert %Presence{items_nullable: nil, entries_none: nil, point: nil} = echo
      assert %Presence{made_or_none: 8, made: 10, items_or_none: [4]} = echo
      assert %Presence{items_default: [1, 2], point_made: %Point{x: 1.0}} = echo
      assert Echo.echo_presence(echo) == {:ok, echo}
    end
  end

  describe "parameters" do
    test "with a default are options" do
      assert Echo.seen_parameters(nil) ==
               {:ok,
                %{
                  "required" => "None",
                  "seven" => "7",
                  "items" => "[1]",
                  "end" => "'end'",
                  "timeout" => "None",
                  "entries" => "None"
                }}
    end

    test "keep None, empty and reserved names apart" do
      assert Echo.seen_parameters(0,
               seven: nil,
               items: [],
               end_: "",
               timeout_: 1.5,
               entries: %{},
               timeout: 5_000
             ) ==
               {:ok,
                %{
                  "required" => "0",
                  "seven" => "None",
                  "items" => "[]",
                  "end" => "''",
                  "timeout" => "1.5",
                  "entries" => "{}"
                }}
    end

    test "that do not exist are refused" do
      assert {:error, %Error{code: :invalid_argument, violations: [violation]}} =
               Echo.seen_parameters(1, sevn: 7)

      assert %Violation{path: "sevn", rule: "unexpected_keyword_argument"} = violation
    end
  end
end
