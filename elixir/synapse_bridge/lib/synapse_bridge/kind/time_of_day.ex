defmodule SynapseBridge.Kind.TimeOfDay do
  @moduledoc false
  # A time of day: a `Time` to the microsecond, `google.type.TimeOfDay` on the wire.

  alias SynapseBridge.Cast
  alias SynapseBridge.Codec.{Read, Write}

  @fields [{1, ["hours"]}, {2, ["minutes"]}, {3, ["seconds"]}, {4, ["nanos"]}]

  def value(:time, %Time{calendar: Calendar.ISO, microsecond: {microsecond, _}} = value, _, _),
    do: %{value | microsecond: {microsecond, 6}}

  def value(:time, %Time{} = value, path, depth) do
    case Time.convert(value, Calendar.ISO) do
      {:ok, value} -> value(:time, value, path, depth)
      _ -> Cast.invalid(path, :time_type)
    end
  end

  def value(:time, _, path, _), do: Cast.invalid(path, :time_type)

  def __encode__(%Time{calendar: Calendar.ISO, microsecond: {microsecond, _}} = value) do
    nanos = Write.varint(microsecond * 1000)

    {[8, value.hour, 16, value.minute, 24, value.second, 32 | nanos], 7 + byte_size(nanos)}
  end

  def __encode__(value),
    do: raise(ArgumentError, "cannot encode #{inspect(value)}: expected a Time")

  def __decode__(_, depth) when depth < 0, do: {:"$error", [], :too_deep}

  def __decode__(binary, _) do
    case Read.varints(binary, @fields, %{}) do
      {:"$error", _, _} = error -> error
      fields -> time(fields, Map.get(fields, 4, 0))
    end
  end

  defp time(fields, nanos) when nanos < 1_000_000_000 and rem(nanos, 1000) == 0 do
    [hour, minute, second] = for number <- 1..3, do: Map.get(fields, number, 0)

    case Time.new(hour, minute, second, {div(nanos, 1000), 6}) do
      {:ok, time} -> time
      _ -> {:"$error", [], :time_range}
    end
  end

  defp time(_, nanos) when nanos < 1_000_000_000, do: {:"$error", [], :nanos_inexact}
  defp time(_, _), do: {:"$error", [], :nanos_range}
end
