defmodule SynapseBridge.Kind.Gregorian do
  @moduledoc false
  # The days that Python's `datetime` module has: 0001-01-01 to 9999-12-31 in the proleptic
  # Gregorian calendar. Instants and spans are counted in whole microseconds, so nothing is lost
  # before 1970 either.

  alias SynapseBridge.Codec.{Read, Write}

  @second 1_000_000
  @nanos 1_000_000_000

  # Seconds from year 0, as `:calendar` counts them.
  @epoch 62_167_219_200
  @first :calendar.datetime_to_gregorian_seconds({{1, 1, 1}, {0, 0, 0}})
  @last :calendar.datetime_to_gregorian_seconds({{9999, 12, 31}, {23, 59, 59}})

  @doc "Whether seconds from year 0 are within the years 1 to 9999."
  defguard is_instant(seconds) when seconds >= @first and seconds <= @last

  @doc "Whether a year is one of Python's."
  defguard is_year(year) when is_integer(year) and year >= 1 and year <= 9999

  @doc "Seconds from 1970 as seconds from year 0, and back."
  @spec from_unix(integer()) :: integer()
  def from_unix(seconds), do: seconds + @epoch

  @spec to_unix(integer()) :: integer()
  def to_unix(seconds), do: seconds - @epoch

  @doc """
  The fields `{int64, int32}` with the numbers 1 and 2 of Timestamp and Duration: seconds and
  nanoseconds.
  """
  @spec encode(integer(), integer()) :: {iodata(), non_neg_integer()}
  def encode(0, 0), do: {[], 0}

  def encode(0, microseconds) do
    nanos = Write.int64(microseconds * 1000)
    {[16 | nanos], 1 + byte_size(nanos)}
  end

  def encode(seconds, 0) do
    seconds = Write.int64(seconds)
    {[8 | seconds], 1 + byte_size(seconds)}
  end

  def encode(seconds, microseconds) do
    seconds = Write.int64(seconds)
    nanos = Write.int64(microseconds * 1000)
    {[8, seconds, 16 | nanos], 2 + byte_size(seconds) + byte_size(nanos)}
  end

  @doc "Seconds and microseconds from those fields, or the error of a decode function."
  @spec decode(binary(), integer()) ::
          {integer(), integer()} | {:"$error", [String.t()], atom()}
  def decode(_, depth) when depth < 0, do: {:"$error", [], :too_deep}

  def decode(binary, _) do
    case Read.varints(binary, [{1, ["seconds"]}, {2, ["nanos"]}], %{}) do
      {:"$error", _, _} = error -> error
      fields -> seconds_and_microseconds(fields)
    end
  end

  defp seconds_and_microseconds(fields) do
    nanos = Read.signed(Map.get(fields, 2, 0))

    cond do
      nanos <= -@nanos or nanos >= @nanos -> {:"$error", [], :nanos_range}
      rem(nanos, 1000) != 0 -> {:"$error", [], :nanos_inexact}
      true -> {Read.signed(Map.get(fields, 1, 0)), div(nanos, 1000)}
    end
  end

  @doc "Microseconds as whole seconds and what is left of them, of one sign."
  @spec split(integer()) :: {integer(), integer()}
  def split(microseconds), do: {div(microseconds, @second), rem(microseconds, @second)}

  @spec join(integer(), integer()) :: integer()
  def join(seconds, microseconds), do: seconds * @second + microseconds
end
