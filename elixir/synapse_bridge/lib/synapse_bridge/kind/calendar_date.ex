defmodule SynapseBridge.Kind.CalendarDate do
  @moduledoc false
  # A day: a `Date`, `google.type.Date` on the wire.

  import SynapseBridge.Kind.Gregorian, only: [is_year: 1]

  alias SynapseBridge.Cast
  alias SynapseBridge.Codec.{Read, Write}

  @fields [{1, ["year"]}, {2, ["month"]}, {3, ["day"]}]

  # A struct can be changed into a day that there is not.
  def value(:date, %Date{calendar: Calendar.ISO, year: year} = value, path, _) do
    if is_year(year) and Calendar.ISO.valid_date?(year, value.month, value.day),
      do: value,
      else: Cast.invalid(path, :date_range)
  end

  def value(:date, %Date{} = value, path, depth) do
    case Date.convert(value, Calendar.ISO) do
      {:ok, value} -> value(:date, value, path, depth)
      _ -> Cast.invalid(path, :date_range)
    end
  end

  def value(:date, _, path, _), do: Cast.invalid(path, :date_type)

  def __encode__(%Date{calendar: Calendar.ISO, year: year, month: month, day: day})
      when is_year(year) do
    year = Write.varint(year)
    {[8, year, 16, month, 24, day], 5 + byte_size(year)}
  end

  def __encode__(value),
    do:
      raise(
        ArgumentError,
        "cannot encode #{inspect(value)}: expected a Date of the years 1 to 9999"
      )

  def __decode__(_, depth) when depth < 0, do: {:"$error", [], :too_deep}

  def __decode__(binary, _) do
    case Read.varints(binary, @fields, %{}) do
      {:"$error", _, _} = error -> error
      %{1 => year, 2 => month, 3 => day} when is_year(year) -> date(year, month, day)
      _ -> {:"$error", [], :date_range}
    end
  end

  defp date(year, month, day) do
    case Date.new(year, month, day) do
      {:ok, date} -> date
      _ -> {:"$error", [], :date_range}
    end
  end
end
