defmodule RowsValuesTest do
  @moduledoc """
  Every row of the type table at every place where a type can stand, over the wire.

  `rows.py` has a model of each row, a function that gives one, and a function that takes it back,
  compares it with its own, and returns a value alone. The table here has the same values in Elixir's
  terms, in the same order.
  """

  use ExUnit.Case

  import Integration.Refused

  alias Integration.Server
  alias Rows.{Cat, Dog, Open, Other, Pair, Point, Puppy, Segment}
  alias SynapseBridge.{Bytes, Error, Tensor}

  @noon ~U[2024-05-01 12:30:00.000001Z]
  @day ~D[2024-02-29]
  @ints [0, 1, -1, 2 ** 63 - 1, -(2 ** 63)]
  @point %Point{x: 1.0, label: "here"}

  @rows [
    bool: [true, false],
    int64: @ints,
    uint64: [0, 2 ** 64 - 1],
    bigint: [0, 10 ** 40, -(2 ** 64)],
    double: [0.0, -0.0, 5.0e-324, :infinity, :negative_infinity, :nan],
    decimal: ["1.50", "-1E+40", "0"],
    string: ["", "\0", "äöü\u{1F600}", "a\"\#{}\\"],
    bytes: ["", <<255, 0>>],
    bytearray: ["", <<255>>],
    secret_string: ["hush", ""],
    secret_bytes: [<<255>>, ""],
    datetime: [
      @noon,
      ~U[0001-01-01 00:00:00.000000Z],
      ~U[9999-12-31 23:59:59.999999Z],
      ~U[1969-12-31 23:59:59.000001Z]
    ],
    naive_datetime: [~N[1969-01-01 00:00:00.000007], ~N[9999-01-01 00:00:00.000000]],
    email: ["a@example.org"],
    date: [@day, ~D[0001-01-01], ~D[9999-12-31]],
    time: [~T[23:59:59.999999], ~T[00:00:00.000000]],
    timedelta: [0, -1, -400 * 86_400_000_000],
    uuid: ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    path: ["/a b/ä", "."],
    url: ["https://example.org/a?b=c#d"],
    regex: ["^\\d+$", ""],
    ipv4: ["127.0.0.1"],
    ipv6: ["2001:db8::1"],
    ip: ["::", "1.2.3.4"],
    ipv4_interface: ["10.0.0.1/8"],
    ipv6_interface: ["2001:db8::1/64"],
    ip_interface: ["10.0.0.1/8"],
    ipv4_network: ["10.0.0.0/8"],
    ipv6_network: ["2001:db8::/32"],
    ip_network: ["::/0"],
    any: [
      nil,
      true,
      1,
      2 ** 70,
      -0.0,
      "",
      %Bytes{data: <<255>>},
      [1, [2.0]],
      %{"a" => %{"" => nil}}
    ],
    bare_dict: [%{"a" => 1}, %{}],
    tensor: [
      %Tensor{
        dtype: "float32",
        shape: [1, 2],
        data: <<1.5::32-little-float, 2.5::32-little-float>>
      },
      %Tensor{dtype: "bool", shape: [], data: <<1>>}
    ],
    list: [[], [1, 2]],
    sequence: [["a"], []],
    tuple_of_any_length: [[1.0], []],
    deque: [[@day]],
    set: [MapSet.new(), MapSet.new([1, 2])],
    frozenset: [MapSet.new(["a"])],
    abstract_set: [MapSet.new([@day])],
    tuple: [{0, []}, {1, ["a"]}],
    map: [%{}, %{"" => 0, "a" => 1}],
    map_by_date: [%{@day => [1]}, %{}],
    defaultdict: [%{"a" => 1.0}],
    ordered: [%{1 => "a", 2 => "b"}],
    nullable: [0, nil],
    model: [%Point{x: 0.0, label: "here"}, %Point{x: 1.0, label: nil}],
    dataclass: [
      %Segment{start: @point, length: 1},
      %Segment{start: %Point{x: 2.0, label: "here"}, length: 0}
    ],
    named_tuple: [%Pair{left: 1, right: "r"}, %Pair{left: 0, right: ""}],
    typed_dict: [%{size: 1}, %{size: 0, note: nil}],
    open_model: [%Open{name: ""}, %Open{name: "a", extra: %{"more" => [1], "b" => nil}}],
    enum: [:red, :green],
    int_enum: [:low, :high],
    str_enum: [:glad],
    literal: [:a, 1, :ÿ, nil],
    union: [1, true, "1", [], [@point]],
    numbers: [true, 1, 1.0],
    subclasses: [%Dog{kind: :dog, name: ""}, %Puppy{kind: :dog, name: "p", weeks: 3}],
    tagged: [%Cat{kind: :cat}, %Dog{kind: :dog, name: "d"}],
    nested: [1, [], [1, [2, []]]],
    root: [[], ["a"]],
    custom: [0, 3],
    open_literal: [:b, "c", ""],
    by_schema: [%{}, %{"a" => 1.0, "b" => -0.0}],
    lists: [{:list, [1.0]}, {:list_2, [[1.0]]}, {:list_2, [[]]}, {:list, []}],
    generic_root: [1, [@point], []],
    wrapped: [[], [nil, %{}, %{"a" => nil, "b" => 0}]]
  ]

  setup_all do
    start_supervised!({Rows, Server.channel()})
    :ok
  end

  defp give!(name), do: apply(Rows, :"give_#{name}!", [])
  defp echo(name, row, opts), do: apply(Rows, :"echo_#{name}", [row, opts])

  # A value alone, or with the tag that it has in a union.
  defp assert_in_union(value, expected) do
    assert value === expected or match?({tag, ^expected} when is_atom(tag), value)
  end

  test "no row is left out" do
    given = for {name, 1} <- Rows.__info__(:functions), "give_" <> row <- ["#{name}"], do: row
    rows = for row <- given, not String.ends_with?(row, "!"), do: row
    assert Enum.sort(rows) == @rows |> Keyword.keys() |> Enum.map(&"#{&1}") |> Enum.sort()
  end

  for {name, values} <- @rows do
    @values values

    test "#{name}: what Python gives is the same at each place" do
      row = give!(unquote(name))
      last = List.last(@values)

      assert row.required === last
      assert row.default === last
      assert row.items === @values
      assert row.entries === Map.new(Enum.with_index(@values), fn {v, n} -> {"#{n}", v} end)
      assert row.maybe === last
      assert row.maybe_absent === last
      assert row.page.item === last
      assert row.page.following === @values
      assert row.tree.leaf === last
      assert [%{leaf: leaf, branches: []}] = row.tree.branches
      assert leaf === hd(@values)

      {values, [other]} = Enum.split(row.either, -1)
      assert_in_union(other, %Other{no: 1})
      for {value, expected} <- Enum.zip(values, @values), do: assert_in_union(value, expected)

      [other | values] = row.either_order
      assert_in_union(other, %Other{no: 1})
      for {value, expected} <- Enum.zip(values, @values), do: assert_in_union(value, expected)
    end

    test "#{name}: Python takes what it gave, and each value alone" do
      row = give!(unquote(name))
      for value <- @values, do: assert(echo(unquote(name), row, value: value) === {:ok, value})
      # Python's default, for it is not sent.
      assert echo(unquote(name), row, []) === {:ok, hd(@values)}
    end
  end

  describe "what a row cannot hold is refused, with the path and the rule:" do
    @wrong [
      bool: [{1, "bool_type"}, {"true", "bool_type"}],
      int64: [
        {2 ** 63, "less_than_equal"},
        {-(2 ** 63) - 1, "greater_than_equal"},
        {1.0, "int_type"},
        {true, "int_type"}
      ],
      uint64: [{-1, "greater_than_equal"}, {2 ** 64, "less_than_equal"}],
      bigint: [{"1", "int_type"}],
      double: [{"1", "float_type"}, {:nil_, "float_type"}],
      string: [{<<255>>, "string_unicode"}, {:a, "string_type"}],
      bytes: [{[1], "bytes_type"}],
      datetime: [
        {~N[2024-01-01 00:00:00], "timezone_aware"},
        {%{@noon | month: 13}, "datetime_range"}
      ],
      date: [{~D[0000-12-31], "date_range"}, {%{@day | day: 30}, "date_range"}],
      time: [{"12:30", "time_type"}],
      timedelta: [{10 ** 18, "timedelta_range"}],
      uuid: [{"1234", "uuid_parsing"}],
      ipv4: [{"1.2.3", "ip_v4_address"}],
      list: [{%{}, "list_type"}],
      set: [{[1, 1], "duplicate_item"}],
      tuple: [{{1}, "missing"}, {[1, ["a"]], "tuple_type"}],
      map: [{[1], "dict_type"}],
      enum: [{:blue, "enum"}],
      subclasses: [{%{name: "d"}, "union_ambiguous"}],
      tagged: [{%{kind: :cow}, "union_tag_invalid"}],
      model: [{%{x: 1.0, lable: "l"}, "extra_forbidden"}, {%{}, "missing"}]
    ]

    for {name, cases} <- @wrong do
      @cases cases

      test "#{name}" do
        row = give!(unquote(name))

        for {value, rule} <- @cases do
          assert {:error, %Error{code: :invalid_argument, violations: [violation]}} =
                   echo(unquote(name), row, value: value)

          assert {inspect(value), violation.rule} == {inspect(value), rule}
          assert "value" <> _ = violation.path
        end
      end
    end
  end

  test "a year after 9999, or before 1, is refused" do
    for year <- [10_000, 0] do
      assert_refused(echo(:datetime, give!(:datetime), value: %{@noon | year: year}), "value")
      assert_refused(echo(:date, give!(:date), value: %{@day | year: year}), "value")
    end
  end

  test "a number that an enum does not have is carried to the server, which refuses it" do
    row = give!(:enum)
    assert_refused(echo(:enum, %{row | items: [:red, {:unknown, 99}]}, []), "row.items[1]")
  end

  test "values that nest deeper than 100 messages are refused before they are sent" do
    tree = Enum.reduce(1..120, give!(:bool).tree, fn _, inner -> %{inner | branches: [inner]} end)

    assert {:error, %Error{violations: violations}} =
             echo(:bool, %{give!(:bool) | tree: tree}, [])

    assert [%{rule: "too_deep"}] = violations
  end
end
