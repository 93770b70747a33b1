defmodule SynapseBridge.KindTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.{Bytes, Cast, Kind, Tensor, Violation}
  alias SynapseBridge.Kind.{BigInteger, NaiveDatetime, Timestamp}

  doctest SynapseBridge.Tensor

  @vectors Path.expand("../support/kinds/vectors.txt", __DIR__)

  defp cast(kind, value, depth \\ 0) do
    case Cast.value(kind, value, [], depth) do
      {:"$invalid", violations} -> Enum.map(violations, &{&1.path, &1.rule})
      value -> {:ok, value}
    end
  end

  # What comes back for bytes of a kind that is a message.
  defp decode(kind, bytes, depth \\ 99) do
    {:nested, {:remote, module}} = Kind.wire(kind)

    case module.__decode__(bytes, depth) do
      {:"$error", path, reason} -> {:error, Violation.new(path, reason)}
      value -> {:ok, value}
    end
  end

  defp encode(kind, value) do
    {:nested, {:remote, module}} = Kind.wire(kind)
    {io, size} = module.__encode__(value)
    bytes = IO.iodata_to_binary(io)
    assert byte_size(bytes) == size
    bytes
  end

  defp rule(kind, bytes, depth \\ 99) do
    assert {:error, violation} = decode(kind, bytes, depth)
    {violation.path, violation.rule}
  end

  describe "as Python's protobuf has them" do
    for line <- File.stream!(@vectors) do
      [kind, source, hex] = line |> String.trim_trailing("\n") |> String.split("\t")

      test "#{kind} #{source}" do
        kind = unquote(String.to_atom(kind))
        {value, _} = Code.eval_string(unquote(source))
        bytes = Base.decode16!(unquote(hex), case: :lower)
        assert cast(kind, value) == {:ok, value}
        assert encode(kind, value) == bytes
        assert decode(kind, bytes) == {:ok, value}
      end
    end
  end

  describe "a datetime" do
    test "of any time zone is taken, as the same instant in UTC to the microsecond" do
      paris = %{~U[2024-01-01 00:30:00Z] | utc_offset: 3600, time_zone: "Europe/Paris"}
      assert cast(:datetime, paris) == {:ok, ~U[2023-12-31 23:30:00.000000Z]}
    end

    test "of years that Python does not have is refused in both directions" do
      for value <- [~U[0000-12-31 23:59:59Z], %{~U[9999-12-31 23:30:00Z] | utc_offset: -3600}] do
        assert cast(:datetime, value) == [{"", "datetime_range"}]
        assert_raise ArgumentError, ~r/years 1 to 9999/, fn -> Timestamp.__encode__(value) end
      end

      assert rule(:datetime, encode_numbers(253_402_300_800, 0)) == {"", "datetime_range"}
      assert rule(:datetime, encode_numbers(-62_135_596_801, 0)) == {"", "datetime_range"}
      assert rule(:datetime, encode_numbers(-0x8000_0000_0000_0000, 0)) == {"", "datetime_range"}
    end

    test "with nanoseconds that are no microseconds, or too many, is refused" do
      assert rule(:datetime, encode_numbers(0, 1)) == {"", "nanos_inexact"}
      assert rule(:datetime, encode_numbers(0, 1_000_000_000)) == {"", "nanos_range"}
      assert rule(:datetime, encode_numbers(1, -1000)) == {"", "nanos_range"}
    end

    test "that is broken is refused with the part that is" do
      assert rule(:datetime, <<8, 0x80>>) == {"seconds", "truncated"}
      assert rule(:datetime, <<10, 1, 0>>) == {"seconds", "wire_type"}
      assert rule(:datetime, <<8, 1>>, -1) == {"", "too_deep"}
      assert decode(:datetime, <<24, 1, 8, 1>>) == {:ok, ~U[1970-01-01 00:00:01.000000Z]}
    end
  end

  describe "a naive datetime" do
    test "is ISO 8601 as Python writes it" do
      for {value, text} <- [
            {~N[2024-02-29 01:02:03.000000], "2024-02-29T01:02:03"},
            {~N[0001-01-01 00:00:00.000001], "0001-01-01T00:00:00.000001"},
            {~N[9999-12-31 23:59:59.999999], "9999-12-31T23:59:59.999999"}
          ] do
        assert NaiveDatetime.to_wire(:naive_datetime, value) == text
        assert NaiveDatetime.from_wire(:naive_datetime, text) == {:ok, value}
      end

      assert cast(:naive_datetime, ~N[2024-01-01 00:00:00]) ==
               {:ok, ~N[2024-01-01 00:00:00.000000]}
    end

    test "with a zone, of another form or of another year is refused" do
      for text <- [
            "2024-02-29T01:02:03Z",
            "2024-02-29T01:02:03+01:00",
            "2024-02-30T01:02:03",
            "2024-02-29",
            "2024-02-29T01:02:03.",
            "2024-02-29T01:02:03.1234567",
            "-024-02-29T01:02:03",
            "+024-02-29T01:02:03",
            "2024-02-29T25:02:03",
            ""
          ] do
        assert NaiveDatetime.from_wire(:naive_datetime, text) == {:error, :datetime_text}
      end

      assert NaiveDatetime.from_wire(:naive_datetime, "0000-02-29T01:02:03") ==
               {:error, :datetime_range}

      assert cast(:naive_datetime, ~N[0000-01-01 00:00:00]) == [{"", "datetime_range"}]
    end
  end

  test "a date of no calendar or of other years is refused in both directions" do
    assert cast(:date, ~D[0000-12-31]) == [{"", "date_range"}]

    for bytes <- [
          "",
          <<8, 1, 16, 2>>,
          <<8, 1, 16, 2, 24, 30>>,
          <<8, 1, 16, 13, 24, 1>>,
          <<8, 0x90, 0x4E, 16, 1, 24, 1>>
        ] do
      assert rule(:date, bytes) == {"", "date_range"}
    end

    assert rule(:date, <<16, 0xFF>>) == {"month", "truncated"}
    assert_raise ArgumentError, fn -> encode(:date, ~D[0000-12-31]) end
  end

  test "a time of no day is refused" do
    assert decode(:time, "") == {:ok, ~T[00:00:00.000000]}
    assert cast(:time, ~T[01:02:03]) == {:ok, ~T[01:02:03.000000]}
    assert rule(:time, <<8, 24>>) == {"", "time_range"}
    assert rule(:time, <<24, 60>>) == {"", "time_range"}
    assert rule(:time, <<32, 1>>) == {"", "nanos_inexact"}
    assert rule(:time, <<32, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F>>) == {"", "nanos_range"}
  end

  test "a span is microseconds within 10,000 years, of one sign" do
    most = 315_576_000_000_000_000
    assert cast(:timedelta, most) == {:ok, most}
    assert cast(:timedelta, most + 1) == [{"", "timedelta_range"}]
    assert cast(:timedelta, -most - 1) == [{"", "timedelta_range"}]
    assert rule(:timedelta, encode_numbers(315_576_000_000, 1000)) == {"", "timedelta_range"}
    assert rule(:timedelta, encode_numbers(-1, 1000)) == {"", "nanos_range"}
    assert rule(:timedelta, encode_numbers(1, -1000)) == {"", "nanos_range"}
    assert_raise ArgumentError, fn -> encode(:timedelta, most + 1) end
  end

  test "a Duration of weeks and less is taken, where Elixir has it" do
    # As `Duration.new!(week: 1, day: -1, hour: 2, second: 3, microsecond: {4, 6})`.
    duration = %{
      __struct__: Duration,
      year: 0,
      month: 0,
      week: 1,
      day: -1,
      hour: 2,
      minute: 0,
      second: 3,
      microsecond: {4, 6}
    }

    assert cast(:timedelta, duration) == {:ok, ((6 * 24 + 2) * 3600 + 3) * 1_000_000 + 4}
    assert cast(:timedelta, %{duration | month: 1}) == [{"", "timedelta_months"}]
  end

  test "an integer of any size is its digits" do
    big = Integer.pow(7, 5000)
    assert BigInteger.from_wire(:bigint, BigInteger.to_wire(:bigint, -big)) == {:ok, -big}

    for text <- ["", "-", "+1", "1.0", "1e3", " 1", "1_000", "٣"],
        do: assert(BigInteger.from_wire(:bigint, text) == {:error, :bigint_digits})
  end

  describe "any value" do
    test "is what Python has too, keys are strings" do
      assert cast(:any, %{a: 1}) == [{"a", "any_key"}]
      assert cast(:any, %{1 => 1}) == [{"[1]", "any_key"}]

      assert cast(:any, [1, {:ok, 2}, %{"x" => :atom}]) == [
               {"[1]", "any_type"},
               {"[2].x", "any_type"}
             ]

      assert cast(:any, ~D[2024-01-01]) == [{"", "any_type"}]
      assert cast(:any, [1 | 2]) == [{"", "any_type"}]
      assert cast(:any, %Bytes{data: 1}) == [{"", "any_type"}]
      assert cast(:any, [self()]) == [{"[0]", "any_type"}]
    end

    test "is UTF-8 unless it is bytes, which the violation says" do
      assert cast(:any, <<0xFF>>) == [{"", "any_unicode"}]
      assert cast(:any, %{<<0xFF>> => 1}) == [{"[<<255>>]", "string_unicode"}]
      assert Violation.new([], :any_unicode).message =~ "%SynapseBridge.Bytes{"
      assert rule(:any, <<50, 1, 0xFF>>) == {"", "string_unicode"}
      assert rule(:any, <<74, 7, 10, 5, 10, 1, 0xFF, 18, 0>>) == {"[<<255>>]", "string_unicode"}
    end

    test "stops where messages are 100 levels deep, on the way in and out" do
      lists = fn n -> Enum.reduce(1..n, nil, fn _, inner -> [inner] end) end
      maps = fn n -> Enum.reduce(1..n, nil, fn _, inner -> %{"k" => inner} end) end

      # A value is a message, a list two more, a map three.
      for {nested, most} <- [{lists, 49}, {maps, 33}] do
        assert {:ok, value} = cast(:any, nested.(most))
        assert decode(:any, encode(:any, value)) == {:ok, value}
        assert [{_, "too_deep"}] = cast(:any, nested.(most + 1))
        assert {_, "too_deep"} = rule(:any, encode(:any, nested.(most + 1)))
      end

      assert cast(:any, 1, 99) == {:ok, 1}
      assert cast(:any, 1, 100) == [{"", "too_deep"}]
      assert cast(:any, [], 99) == [{"", "too_deep"}]
    end

    test "of several kinds is the last one, and parts of lists and maps are joined" do
      assert decode(:any, <<24, 5, 50, 1, "x">>) == {:ok, "x"}
      assert decode(:any, <<66, 4, 10, 2, 24, 1, 66, 4, 10, 2, 24, 2>>) == {:ok, [1, 2]}
      assert decode(:any, <<66, 4, 10, 2, 24, 1, 8, 1>>) == {:ok, nil}
      assert decode(:any, <<0xA0, 6, 1, 16, 1, 0xA0, 6, 1>>) == {:ok, true}
    end

    test "of no kind, or broken, is refused with its path" do
      assert rule(:any, "") == {"", "any_kind"}
      assert rule(:any, <<0xA0, 6, 1>>) == {"", "any_kind"}
      assert rule(:any, <<66, 2, 10, 0>>) == {"[0]", "any_kind"}
      assert rule(:any, <<66, 2, 10, 5>>) == {"[0]", "truncated"}
      assert rule(:any, <<8, 0x80>>) == {"", "truncated"}
      assert rule(:any, <<9, 0::64>>) == {"", "wire_type"}
      assert rule(:any, <<34, 1, "x">>) == {"", "bigint_digits"}

      entry = fn key, value ->
        <<10, byte_size(value) + 5, 10, 1, key, 18, byte_size(value)>> <> value
      end

      object = entry.(?a, <<24, 1>>) <> entry.(?a, <<24, 2>>)
      assert rule(:any, <<74, byte_size(object)>> <> object) == {"a", "duplicate_key"}
      object = entry.(?a, <<50, 1, 0xFF>>)
      assert rule(:any, <<74, byte_size(object)>> <> object) == {"a", "string_unicode"}
    end
  end

  describe "a tensor" do
    test "is as long as its dtype and shape say" do
      assert {:ok, tensor} = Tensor.new("float64", [2], <<0::128>>)
      assert cast(:tensor, tensor) == {:ok, tensor}
      assert cast(:tensor, %{tensor | shape: [3]}) == [{"", "tensor_size"}]
      assert cast(:tensor, %{tensor | shape: [-1]}) == [{"", "tensor_shape"}]
      assert cast(:tensor, %{tensor | shape: [1 | 2]}) == [{"", "tensor_shape"}]
      assert cast(:tensor, %{tensor | dtype: "float128"}) == [{"", "tensor_dtype"}]
      assert cast(:tensor, %{tensor | data: 1}) == [{"", "bytes_type"}]
      assert cast(:tensor, [1]) == [{"", "tensor_type"}]
      assert rule(:tensor, <<10, 4, "bool", 18, 1, 2, 26, 1, 0>>) == {"", "tensor_size"}
    end
  end

  # Two numbers as fields 1 and 2.
  defp encode_numbers(a, b) do
    alias SynapseBridge.Codec.Write
    <<8>> <> Write.int64(a) <> <<16>> <> Write.int64(b)
  end
end
