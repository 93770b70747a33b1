defmodule SynapseBridge.Kind.NaiveDatetime do
  @moduledoc false
  # A date and a time of day without a zone: a `NaiveDateTime` to the microsecond, ISO 8601 as
  # Python's `datetime.isoformat()` writes it on the wire.

  import SynapseBridge.Kind.Gregorian, only: [is_year: 1]

  alias SynapseBridge.Cast

  def value(
        :naive_datetime,
        %NaiveDateTime{calendar: Calendar.ISO, year: year} = value,
        path,
        _
      ) do
    if is_year(year) and Calendar.ISO.valid_date?(year, value.month, value.day),
      do: to_microsecond(value),
      else: Cast.invalid(path, :datetime_range)
  end

  def value(:naive_datetime, %NaiveDateTime{} = value, path, depth) do
    case NaiveDateTime.convert(value, Calendar.ISO) do
      {:ok, value} -> value(:naive_datetime, value, path, depth)
      _ -> Cast.invalid(path, :datetime_range)
    end
  end

  def value(:naive_datetime, %DateTime{}, path, _), do: Cast.invalid(path, :timezone_naive)
  def value(:naive_datetime, _, path, _), do: Cast.invalid(path, :datetime_type)

  defp to_microsecond(%{microsecond: {microsecond, _}} = value),
    do: %{value | microsecond: {microsecond, 6}}

  def to_wire(:naive_datetime, %NaiveDateTime{calendar: Calendar.ISO, year: year} = value)
      when is_year(year) do
    case value.microsecond do
      {0, _} -> NaiveDateTime.to_iso8601(%{value | microsecond: {0, 0}})
      {microsecond, _} -> NaiveDateTime.to_iso8601(%{value | microsecond: {microsecond, 6}})
    end
  end

  def to_wire(:naive_datetime, value) do
    raise ArgumentError,
          "cannot encode #{inspect(value)}: expected a NaiveDateTime of the years 1 to 9999"
  end

  # Elixir's own parser would take a zone, and forget it.
  def from_wire(:naive_datetime, <<_::binary-size(10), ?T, _::binary-size(8)>> = text),
    do: parse(text)

  def from_wire(
        :naive_datetime,
        <<_::binary-size(10), ?T, _::binary-size(8), ?., f::binary>> = text
      )
      when byte_size(f) in 1..6 do
    if f =~ ~r/\A[0-9]+\z/, do: parse(text), else: {:error, :datetime_text}
  end

  def from_wire(:naive_datetime, _), do: {:error, :datetime_text}

  defp parse(<<first, _::binary>> = text) when first in ?0..?9 do
    case NaiveDateTime.from_iso8601(text) do
      {:ok, %{year: year} = value} when is_year(year) -> {:ok, to_microsecond(value)}
      {:ok, _} -> {:error, :datetime_range}
      _ -> {:error, :datetime_text}
    end
  end

  defp parse(_), do: {:error, :datetime_text}
end
