defmodule SynapseBridge.Kind.Timestamp do
  @moduledoc false
  # An instant: a `DateTime` in UTC to the microsecond, `google.protobuf.Timestamp` on the wire
  # (https://protobuf.dev/reference/protobuf/google.protobuf/#timestamp). A `DateTime` of any time
  # zone is taken.

  import SynapseBridge.Kind.Gregorian, only: [is_instant: 1]

  alias SynapseBridge.Cast
  alias SynapseBridge.Kind.Gregorian

  # A struct can be changed into a day that there is not, of which the calendar knows nothing.
  def value(:datetime, %DateTime{calendar: Calendar.ISO} = value, path, _) do
    if Calendar.ISO.valid_date?(value.year, value.month, value.day),
      do: instant(value, path),
      else: Cast.invalid(path, :datetime_range)
  end

  def value(:datetime, %DateTime{} = value, path, _), do: instant(value, path)
  def value(:datetime, %NaiveDateTime{}, path, _), do: Cast.invalid(path, :timezone_aware)
  def value(:datetime, _, path, _), do: Cast.invalid(path, :datetime_type)

  defp instant(value, path) do
    case DateTime.to_gregorian_seconds(value) do
      {seconds, microsecond} when is_instant(seconds) -> utc(seconds, microsecond)
      _ -> Cast.invalid(path, :datetime_range)
    end
  end

  def __encode__(%DateTime{} = value) do
    case DateTime.to_gregorian_seconds(value) do
      {seconds, microsecond} when is_instant(seconds) ->
        Gregorian.encode(Gregorian.to_unix(seconds), microsecond)

      _ ->
        raise ArgumentError, "cannot encode #{inspect(value)}: years 1 to 9999 can be sent"
    end
  end

  def __decode__(binary, depth) do
    case Gregorian.decode(binary, depth) do
      {:"$error", _, _} = error -> error
      {_, microsecond} when microsecond < 0 -> {:"$error", [], :nanos_range}
      {seconds, microsecond} -> decoded(Gregorian.from_unix(seconds), microsecond)
    end
  end

  defp decoded(seconds, microsecond) when is_instant(seconds), do: utc(seconds, microsecond)
  defp decoded(_, _), do: {:"$error", [], :datetime_range}

  defp utc(seconds, microsecond) do
    {{year, month, day}, {hour, minute, second}} =
      :calendar.gregorian_seconds_to_datetime(seconds)

    %DateTime{
      year: year,
      month: month,
      day: day,
      hour: hour,
      minute: minute,
      second: second,
      microsecond: {microsecond, 6},
      std_offset: 0,
      utc_offset: 0,
      time_zone: "Etc/UTC",
      zone_abbr: "UTC"
    }
  end
end
