defmodule SynapseBridge.Violation.Text do
  @moduledoc false
  # What every rule says. The first table is pydantic's own wording, kept to the letter so that a
  # check made here reads like the same check made by the server; test/vectors/constraints.json
  # holds pydantic's answers. The second table is of faults pydantic cannot see.

  @type context ::
          nil
          | (bound :: number() | :nan | :infinity | :negative_infinity | String.t())
          | {container :: String.t(), bound :: non_neg_integer(), got :: non_neg_integer()}
          | {tag :: String.t(), discriminator :: String.t(), expected :: [String.t()]}
          | [String.t()]

  @spec message(atom(), context()) :: String.t()
  def message(rule, context)

  def message(:missing, _), do: "Field required"
  def message(:extra_forbidden, nil), do: "Extra inputs are not permitted"

  # What follows pydantic's words is ours.
  def message(:extra_forbidden, name),
    do: "Extra inputs are not permitted; did you mean #{name}?"

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

  def message(:set_type, _), do: "Input should be a valid set"
  def message(:tuple_type, _), do: "Input should be a valid tuple"
  def message(:datetime_type, _), do: "Input should be a valid datetime"
  def message(:timezone_aware, _), do: "Input should have timezone info"
  def message(:timezone_naive, _), do: "Input should not have timezone info"
  def message(:date_type, _), do: "Input should be a valid date"
  def message(:time_type, _), do: "Input should be a valid time"
  def message(:time_delta_type, _), do: "Input should be a valid timedelta"
  def message(:uuid_type, _), do: "UUID input should be a string, bytes or UUID object"
  def message(:uuid_parsing, why), do: "Input should be a valid UUID, #{why}"
  def message(:url_type, _), do: "URL input should be a string or URL"
  def message(:url_parsing, why), do: "Input should be a valid URL, #{why}"
  def message(:path_type, _), do: "Input is not a valid path for <class 'pathlib.Path'>"
  def message(:pattern_type, _), do: "Input should be a valid pattern"
  def message(:value_error, text), do: text
  def message(:ip_v4_address, _), do: "Input is not a valid IPv4 address"
  def message(:ip_v6_address, _), do: "Input is not a valid IPv6 address"
  def message(:ip_any_address, _), do: "value is not a valid IPv4 or IPv6 address"
  def message(:ip_v4_interface, _), do: "Input is not a valid IPv4 interface"
  def message(:ip_v6_interface, _), do: "Input is not a valid IPv6 interface"
  def message(:ip_any_interface, _), do: "value is not a valid IPv4 or IPv6 interface"
  def message(:ip_v4_network, _), do: "Input is not a valid IPv4 network"
  def message(:ip_v6_network, _), do: "Input is not a valid IPv6 network"
  def message(:ip_any_network, _), do: "value is not a valid IPv4 or IPv6 network"
  def message(:decimal_parsing, _), do: "Input should be a valid decimal"
  def message(:finite_number, _), do: "Input should be a finite number"

  def message(:decimal_type, _),
    do: "Decimal input should be an integer, float, string or Decimal object"

  def message(:union_tag_not_found, discriminator),
    do: "Unable to extract tag using discriminator '#{discriminator}'"

  def message(:union_tag_invalid, {tag, discriminator, expected}) do
    "Input tag '#{tag}' found using '#{discriminator}' does not match any of the expected tags: " <>
      Enum.map_join(expected, ", ", &"'#{&1}'")
  end

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

  # Where pydantic counts, it says how many; in a dictionary or a set it stops at the first one too many.
  def message(:too_long, {container, bound, _}) when container in ["Dictionary", "Set"],
    do: "#{container} should have at most #{count(bound, "item")} after validation, not more"

  def message(:too_long, {container, bound, got}),
    do: "#{container} should have at most #{count(bound, "item")} after validation, not #{got}"

  # Ours.

  def message(:float_inexact, _),
    do: "Input should be a float, or an integer that a 64-bit float holds exactly"

  def message(:datetime_range, _), do: "Input should be a datetime of the years 1 to 9999"
  def message(:date_range, _), do: "Input should be a date of the years 1 to 9999"
  def message(:time_range, _), do: "Input should be a time from 00:00:00 to 23:59:59.999999"

  def message(:timedelta_range, _),
    do: "Input should be a timedelta of at most 315576000000 seconds (10000 years)"

  def message(:timedelta_months, _),
    do: "Input should be a timedelta without years and months, whose lengths differ"

  def message(:nanos_range, _),
    do: "Input should have nanoseconds of its own sign, below a second"

  def message(:nanos_inexact, _), do: "Input should be whole microseconds"
  def message(:datetime_text, _), do: "Input should be a datetime in ISO 8601 without a time zone"
  def message(:bigint_digits, _), do: "Input should be an integer in decimal digits"
  def message(:decimal_text, _), do: "Input should be a decimal number"

  def message(:any_type, _) do
    "Input should be nil, a boolean, a number, a string, %SynapseBridge.Bytes{}, a list, or a map " <>
      "with string keys"
  end

  def message(:any_unicode, _),
    do: "Input should be valid UTF-8; bytes are %SynapseBridge.Bytes{data: bytes}"

  def message(:any_key, _), do: "Keys should be strings"
  def message(:any_kind, _), do: "The bytes hold a value of no kind that this version knows"
  def message(:duplicate_key, _), do: "Input should have each key once"
  def message(:duplicate_item, _), do: "Input should have each item once"

  def message(:multiple_values, _),
    do: "Input should have each field once: this key is the name of a field of the model"

  def message(:tensor_type, _), do: "Input should be a %SynapseBridge.Tensor{}"
  def message(:tensor_dtype, _), do: "The dtype should be one of numpy's of a fixed size"
  def message(:tensor_shape, _), do: "The shape should be a list of non-negative integers"
  def message(:tensor_size, _), do: "The data should be as long as dtype and shape say"

  def message(:union_no_match, members), do: "Input should fit one of #{Enum.join(members, ", ")}"

  def message(:union_ambiguous, members) do
    "Input fits several of #{Enum.join(members, ", ")}: say which with a struct or as {member, value}"
  end

  def message(:union_member, members) do
    "The bytes hold no member of the union that this version knows (#{Enum.join(members, ", ")}); " <>
      "was the client generated from another version of the service?"
  end

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
