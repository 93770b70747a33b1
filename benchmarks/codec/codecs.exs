# Measures both codecs, interleaved. Arguments: rounds, and milliseconds for each measurement.

defmodule Codecs do
  def cases do
    owner = %Codec.Owner{id: 1234, name: "Grace Hopper", score: 0.75}

    account = %Codec.Account{
      id: 1_234_567,
      name: "Ada Lovelace",
      email: "ada@example.org",
      age: 36,
      score: 99.5,
      active: true,
      tags: ["mathematics", "engine", "poetry"],
      payload: :binary.copy(<<0xFF>>, 64),
      delta: 300,
      owner: owner
    }

    [
      {"10 fields", account, ByHand.Account},
      {"1,536 doubles", %Codec.Embedding{values: for(n <- 1..1536, do: :math.sin(n))},
       ByHand.Embedding},
      {"1,000 messages",
       %Codec.Owners{owners: for(n <- 1..1000, do: %{owner | id: n, name: "name #{n}"})},
       ByHand.Owners},
      {"200 fields", wide(), ByHand.Wide}
    ]
  end

  defp wide do
    fields =
      for n <- 1..200 do
        value = Enum.at([n / 7, n * 3, "value #{n}", rem(n, 8) == 3], rem(n, 4))
        {:"field_#{n}", value}
      end

    struct!(Codec.Wide, fields)
  end

  @doc "Nanoseconds of a call, over a time."
  def time(function, times) do
    :erlang.garbage_collect()
    start = System.monotonic_time(:nanosecond)
    repeat(function, times)
    (System.monotonic_time(:nanosecond) - start) / times
  end

  defp repeat(_, 0), do: :ok

  defp repeat(function, times) do
    function.()
    repeat(function, times - 1)
  end

  @doc "How many calls take so many milliseconds."
  def calibrate(function, milliseconds) do
    time(function, 100)
    max(round(milliseconds * 1_000_000 / time(function, 200)), 1)
  end

  def median(list), do: list |> Enum.sort() |> Enum.at(div(length(list), 2))
end

[rounds, milliseconds] = Enum.map(System.argv(), &String.to_integer/1)

for {name, %module{} = message, hand} <- Codecs.cases() do
  bytes = message |> module.encode() |> IO.iodata_to_binary()
  # The same bytes, and the same message from them, or there is nothing to compare.
  ^bytes = message |> hand.encode() |> IO.iodata_to_binary()
  {:ok, ^message} = module.decode(bytes)
  ^message = hand.decode(bytes)

  for {direction, ours, theirs} <- [
        {"encode", fn -> module.encode(message) end, fn -> hand.encode(message) end},
        {"decode", fn -> module.decode(bytes) end, fn -> hand.decode(bytes) end}
      ] do
    times = Codecs.calibrate(theirs, milliseconds)
    for f <- [ours, theirs], do: Codecs.time(f, times)

    pairs = for _ <- 1..rounds, do: {Codecs.time(ours, times), Codecs.time(theirs, times)}
    best = fn place -> pairs |> Enum.map(&elem(&1, place)) |> Enum.min() end
    ratio = pairs |> Enum.map(fn {a, b} -> a / b end) |> Codecs.median()
    numbers = [round(best.(0)), round(best.(1)), best.(0) / best.(1), ratio]
    IO.puts(Enum.join([name, direction | numbers], "\t"))
  end
end
