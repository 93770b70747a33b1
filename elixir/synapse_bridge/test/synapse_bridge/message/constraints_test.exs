defmodule SynapseBridge.Message.ConstraintsTest do
  # Against what pydantic says (test/support/pydantic).
  use ExUnit.Case, async: true

  alias SynapseBridge.{Cast, Violation}
  alias SynapseBridge.Constraint.Pattern
  alias SynapseBridge.Message.Type

  @vectors Path.expand("../../support/pydantic/vectors.txt", __DIR__)

  setup_all do
    vectors =
      for line <- File.stream!(@vectors) do
        [type, value | errors] = line |> String.trim_trailing("\n") |> String.split("\t")
        {evaluate(type), evaluate(value), errors |> Enum.chunk_every(3) |> Enum.map(&violation/1)}
      end

    {patterns, others} = Enum.split_with(vectors, fn {type, _, _} -> pattern(type) != nil end)
    %{patterns: patterns, others: others}
  end

  defp evaluate(source), do: source |> Code.eval_string() |> elem(0)

  defp violation([location, rule, message]) do
    steps = for step <- evaluate(location), step != "[key]", do: step(step)
    %Violation{path: Violation.render(steps), rule: rule, message: evaluate(message)}
  end

  defp step(text) when is_binary(text), do: {:key, text}
  defp step(index), do: index

  defp pattern({:string, constraints}), do: constraints[:pattern]
  defp pattern(_), do: nil

  defp cast(type, value) do
    case Cast.value(Type.parse!(type), value, [], 0) do
      {:"$invalid", violations} -> violations
      _ -> []
    end
  end

  test "every violation has pydantic's rule, words and place", %{others: vectors} do
    assert length(vectors) > 2000

    for {type, value, expected} <- vectors do
      assert {type, value, cast(type, value)} == {type, value, expected}
    end
  end

  test "a pattern refuses nothing that pydantic takes, and what it refuses reads the same",
       %{patterns: vectors} do
    refused =
      for {type, value, expected} <- vectors, got = cast(type, value), got != [] do
        assert {type, value, got} == {type, value, expected}
      end

    # What is left to the server, because PCRE may see it differently, is the exception.
    wrong = Enum.count(vectors, fn {_, _, expected} -> expected != [] end)
    assert length(refused) > 0.65 * wrong
  end

  test "an everyday pattern is judged completely for ASCII text", %{patterns: vectors} do
    for {type, value, expected} <- vectors,
        source = pattern(type),
        Pattern.new(source).checks != :none,
        value == for(<<c <- value>>, c < 128, into: "", do: <<c>>) do
      assert {source, value, cast(type, value)} == {source, value, expected}
    end
  end

  test "patterns that the two engines read differently are left to the server" do
    for source <- [
          "[a-z&&[^b]]",
          "a++",
          "(?x) a",
          "[[:alpha:]]",
          "(?U)a+",
          "\\v",
          "a{,2}",
          "(?=a)"
        ] do
      assert Pattern.new(source).checks == :none, source
    end

    for source <- ["\\w", "(?i)a", "\\bx", "\\p{L}"],
        do: assert(Pattern.new(source).checks == :ascii, source)

    for source <- ["^[A-Z]{2}-[0-9]+$", "(?P<n>a)", "a|b", "(?:x)?"],
        do: assert(Pattern.new(source).checks == :all, source)
  end

  test "a pattern that PCRE gives up on refuses nothing" do
    pattern = Pattern.new("^(a+)+$")
    refute Pattern.match?(pattern, "aab")
    assert Pattern.match?(pattern, String.duplicate("a", 60) <> "b")
  end

  test "an integer beyond the wire's range is told the bound" do
    assert [%{rule: "less_than_equal", message: message}] = cast(:int64, Integer.pow(2, 63))
    assert message == "Input should be less than or equal to 9223372036854775807"

    assert [%{rule: "greater_than_equal", message: message}] =
             cast(:int64, -Integer.pow(2, 63) - 1)

    assert message == "Input should be greater than or equal to -9223372036854775808"

    assert [%{rule: "less_than_equal", message: message}] = cast(:uint64, Integer.pow(2, 64))
    assert message == "Input should be less than or equal to 18446744073709551615"

    assert [%{rule: "greater_than_equal", message: message}] = cast(:uint64, -1)
    assert message == "Input should be greater than or equal to 0"

    assert [%{message: "Input should be less than or equal to 5"}] =
             cast({:int64, le: 5}, Integer.pow(2, 70))
  end

  test "an integer is a float only where the float is the same number" do
    assert Cast.value(:double, 3, [], 0) === 3.0
    assert Cast.value(:double, Integer.pow(2, 60), [], 0) === 1_152_921_504_606_846_976.0
    assert [%{rule: "float_inexact"}] = cast(:double, Integer.pow(2, 53) + 1)
    assert [%{rule: "float_type"}] = cast(:double, Integer.pow(10, 400))
    assert [%{rule: "float_type"}] = cast(:double, -Integer.pow(10, 400))
  end

  test "strings must be UTF-8" do
    assert [%{rule: "string_unicode"}] = cast(:string, <<0xFF>>)
    assert [%{rule: "string_unicode"}] = cast({:string, min_length: 1}, <<"a", 0xED, 0xA0, 0x80>>)
    assert [] = cast(:bytes, <<0xFF>>)
  end
end
