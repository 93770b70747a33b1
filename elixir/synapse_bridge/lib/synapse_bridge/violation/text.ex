defmodule SynapseBridge.Violation.Text do
  @moduledoc false
  # What every rule says. The first table is pydantic's own wording, kept to the letter so that a
  # check made here reads like the same check made by the server; test/vectors/constraints.json
  # holds pydantic's answers. The second table is of faults pydantic cannot see.

  @type context ::
          nil
          | (bound :: number() | :nan | :infinity | :negative_infinity | String.t())
          | {container :: String.t(), bound :: non_neg_integer(), got :: non_neg_integer()}

  @spec message(atom(), context()) :: String.t()
  def message(rule, context)

  def message(:missing, _), do: "Field required"
  def message(:extra_forbidden, _), do: "Extra inputs are not permitted"
  def message(:unexpected_keyword_argument, _), do: "Unexpected keyword argument"
  def message(:multiple_argument_values, _), do: "Got multiple values for argument"

  def message(:bool_type, _), do: "Input should be a valid boolean"
  def message(:int_type, _), do: "Input should be a valid integer"
  def message(:float_type, _), do: "Input should be a valid number"
  def message(:string_type, _), do: "Input should be a valid string"
  def message(:bytes_type, _), do: "Input should be a valid bytes"
  def message(:list_type, _), do: "Input should be a valid list"
  def message(:iterable_type, _), do: "Input should be iterable"
  def message(:dict_type, _), do: "Input should be a valid dictionary"
  def message(:model_type, name), do: "Input should be a valid dictionary or instance of #{name}"
  def message(:enum, expected), do: "Input should be #{expected}"
  def message(:literal_error, expected), do: "Input should be #{expected}"

  def message(:string_unicode, _),
    do: "Input should be a valid string, unable to parse raw data as a unicode string"

  def message(:greater_than, bound), do: "Input should be greater than #{number(bound)}"

  def message(:greater_than_equal, bound),
    do: "Input should be greater than or equal to #{number(bound)}"

  def message(:less_than, bound), do: "Input should be less than #{number(bound)}"

  def message(:less_than_equal, bound),
    do: "Input should be less than or equal to #{number(bound)}"

  def message(:multiple_of, bound), do: "Input should be a multiple of #{number(bound)}"

  def message(:string_too_short, bound),
    do: "String should have at least #{count(bound, "character")}"

  def message(:string_too_long, bound),
    do: "String should have at most #{count(bound, "character")}"

  def message(:string_pattern_mismatch, pattern), do: "String should match pattern '#{pattern}'"
  def message(:bytes_too_short, bound), do: "Data should have at least #{count(bound, "byte")}"
  def message(:bytes_too_long, bound), do: "Data should have at most #{count(bound, "byte")}"

  def message(:too_short, {container, bound, got}),
    do: "#{container} should have at least #{count(bound, "item")} after validation, not #{got}"

  # Where pydantic counts, it says how many; in a dictionary it stops at the first one too many.
  def message(:too_long, {"Dictionary", bound, _}),
    do: "Dictionary should have at most #{count(bound, "item")} after validation, not more"

  def message(:too_long, {container, bound, got}),
    do: "#{container} should have at most #{count(bound, "item")} after validation, not #{got}"

  # Ours.

  def message(:float_inexact, _),
    do: "Input should be a float, or an integer that a 64-bit float holds exactly"

  def message(:too_deep, _), do: "Input should be nested at most 100 levels deep"
  def message(:truncated, _), do: "The bytes end in the middle of a value"
  def message(:varint_too_long, _), do: "The bytes hold a number of more than 64 bits"
  def message(:field_number, _), do: "The bytes hold a field number that does not exist"

  def message(:wire_type, _),
    do:
      "The bytes hold a value of another wire type; was the client generated from another " <>
        "version of the service?"

  defp count(1, noun), do: "1 #{noun}"
  defp count(n, noun), do: "#{n} #{noun}s"

  # Floats as Rust prints them: the shortest digits, no exponent, no fraction where there is none.
  defp number(n) when is_integer(n), do: Integer.to_string(n)
  defp number(:infinity), do: "inf"
  defp number(:negative_infinity), do: "-inf"
  defp number(:nan), do: "NaN"

  defp number(x) when is_float(x) do
    case x |> Float.to_string() |> String.split("e") do
      [decimal] -> String.trim_trailing(decimal, ".0")
      [mantissa, exponent] -> shift(mantissa, String.to_integer(exponent))
    end
  end

  defp shift("-" <> mantissa, exponent), do: "-" <> shift(mantissa, exponent)

  defp shift(mantissa, exponent) do
    [whole, fraction] = String.split(mantissa, ".")
    fraction = if fraction == "0", do: "", else: fraction

    if exponent < 0 do
      "0." <> String.duplicate("0", -exponent - 1) <> whole <> fraction
    else
      whole <> String.pad_trailing(fraction, exponent, "0")
    end
  end
end
