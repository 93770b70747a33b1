defmodule SynapseBridge.Kind.Span do
  @moduledoc false
  # A span of time: an integer, in microseconds; `google.protobuf.Duration` on the wire, whose range
  # of ±10,000 years it keeps to. A `Duration`, which newer versions of Elixir have, is taken where
  # it has no months and years, for those are of no fixed length.

  alias SynapseBridge.Cast
  alias SynapseBridge.Kind.Gregorian

  @max_seconds 315_576_000_000
  @max @max_seconds * 1_000_000

  def value(:timedelta, value, _, _) when is_integer(value) and value >= -@max and value <= @max,
    do: value

  def value(:timedelta, value, path, _) when is_integer(value),
    do: Cast.invalid(path, :timedelta_range)

  # The struct is not named: older versions of Elixir do not have it.
  def value(:timedelta, %{__struct__: Duration} = value, path, depth) do
    case value do
      %{year: 0, month: 0, microsecond: {microsecond, _}} ->
        hours = (value.week * 7 + value.day) * 24 + value.hour
        seconds = (hours * 60 + value.minute) * 60 + value.second
        value(:timedelta, Gregorian.join(seconds, microsecond), path, depth)

      _ ->
        Cast.invalid(path, :timedelta_months)
    end
  end

  def value(:timedelta, _, path, _), do: Cast.invalid(path, :time_delta_type)

  def __encode__(value) when is_integer(value) and value >= -@max and value <= @max do
    {seconds, microseconds} = Gregorian.split(value)
    Gregorian.encode(seconds, microseconds)
  end

  def __encode__(value) do
    raise ArgumentError,
          "cannot encode #{inspect(value)}: expected microseconds of at most 10,000 years"
  end

  def __decode__(binary, depth) do
    case Gregorian.decode(binary, depth) do
      {:"$error", _, _} = error -> error
      # The protobuf guide: both parts are of one sign.
      {s, us} when (s < 0 and us > 0) or (s > 0 and us < 0) -> {:"$error", [], :nanos_range}
      {s, us} -> in_range(Gregorian.join(s, us))
    end
  end

  defp in_range(value) when value >= -@max and value <= @max, do: value
  defp in_range(_), do: {:"$error", [], :timedelta_range}
end
