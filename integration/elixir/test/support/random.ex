defmodule Integration.Random do
  @moduledoc """
  Random values of each kind, leaning towards the ends of each range.

  ExUnit seeds the generator of each test with its own `--seed`, so a failure can be repeated.
  """

  @ints [0, 1, -1, 127, 128, 2 ** 32, 2 ** 53 + 1, 2 ** 63 - 1, -(2 ** 63)]
  @doubles [0.0, -0.5, 0.1, 1.0e308, 5.0e-324, :nan, :infinity, :negative_infinity]
  @texts ["", " ", "\0", "ä", "日本語", "👩‍👩‍👧", "e\u0301", "\u{10FFFF}", "a\"b\\c\#{d}\n"]

  def bool, do: Enum.random([true, false])
  def int, do: Enum.random([Enum.random(@ints), Enum.random(-1000..1000)])
  def double, do: Enum.random([Enum.random(@doubles), (:rand.uniform() - 0.5) * 1.0e6])
  def text, do: Enum.map_join(1..Enum.random(1..4), fn _ -> Enum.random(@texts) end)
  def bytes, do: :rand.bytes(Enum.random(0..300))

  @doc "A list of up to `most` values."
  def list(make, most \\ 5), do: for(_ <- 1..Enum.random(0..most)//1, do: make.())

  @doc "A map of up to `most` entries."
  def map(key, value, most \\ 5), do: Map.new(list(fn -> {key.(), value.()} end, most))

  @doc "A value, or `nil`."
  def maybe(make), do: if(bool(), do: make.())
end
