# Calls the ledger at a share of what it can take, and prints what became of it as JSON on its last line.

defmodule Soak do
  @callers 32
  # Of a stream.
  @items Enum.to_list(0..19)
  @text String.duplicate("synapse ", 16)

  def run(target, seconds, share) do
    {:ok, _supervisor} = Supervisor.start_link([{Ledger, target: target}], strategy: :one_for_one)
    most = drive(min(seconds / 5, 10.0), nil, 0)
    rate = most.calls / most.seconds * share
    IO.puts("#{round(most.calls / most.seconds)} calls/s at most, #{round(rate)} calls/s from now on")

    # What is made once and kept has been made by now: a tenth of the time counts for no memory.
    warm = drive(seconds / 10, rate, 1)
    begin = memory()
    parts = for part <- 1..5, do: drive(seconds * 0.9 / 5, rate, part + 1, "#{part} of 5")
    finish = memory()
    runs = [most, warm | parts]
    ledger = Ledger.ledger!()

    report = %{
      calls: sum(runs, :calls),
      wrong: sum(runs, :wrong),
      came: ledger.calls,
      repeated: ledger.repeated,
      missing: ledger.missing,
      rate: round(sum(parts, :calls) / sum(parts, :seconds)),
      share: share,
      begin: begin,
      end: finish
    }

    IO.puts(json(report))
  end

  defp sum(runs, key), do: runs |> Enum.map(&Map.fetch!(&1, key)) |> Enum.sum()

  # Every caller makes one call after the other: as soon as it can, or at its share of the rate.
  defp drive(seconds, rate, round, title \\ nil) do
    start = System.monotonic_time(:microsecond)
    stop = start + round(seconds * 1_000_000)
    pause = rate && @callers * 1_000_000 / rate

    {calls, wrong} =
      for caller <- 1..@callers do
        Task.async(fn -> calls(round * @callers + caller, 0, 0, {start, stop, pause}) end)
      end
      |> Task.await_many(:infinity)
      |> Enum.reduce({0, 0}, fn {calls, wrong}, {all, all_wrong} -> {all + calls, all_wrong + wrong} end)

    took = (System.monotonic_time(:microsecond) - start) / 1_000_000
    if title, do: IO.puts("#{title}: #{calls} calls, #{wrong} wrong, #{inspect(memory())}")
    %{calls: calls, wrong: wrong, seconds: took}
  end

  defp calls(caller, number, wrong, {start, stop, pause} = times) do
    now = System.monotonic_time(:microsecond)
    due = if pause, do: start + round(number * pause), else: now

    cond do
      max(due, now) >= stop ->
        {number, wrong}

      due - now >= 1000 ->
        Process.sleep(div(due - now, 1000))
        calls(caller, number, wrong, times)

      true ->
        wrong = if right?(rem(number, 20), caller, number), do: wrong, else: wrong + 1
        calls(caller, number + 1, wrong, times)
    end
  end

  # One call in twenty is a stream, of each kind.
  defp right?(0, caller, number), do: stream(fn -> Ledger.count!(caller, number, 20) end, @items)

  defp right?(7, caller, number), do: Ledger.add(caller, number, @items) == {:ok, 190}

  defp right?(14, caller, number) do
    stream(fn -> Ledger.double!(caller, number, @items) end, Enum.map(@items, &(&1 * 2)))
  end

  defp right?(_kind, caller, number), do: Ledger.echo(caller, number, @text) == {:ok, @text}

  defp stream(call, items) do
    Enum.to_list(call.()) == items
  rescue
    _error in SynapseBridge.Error -> false
  end

  defp memory do
    Enum.each(Process.list(), &:erlang.garbage_collect/1)
    [_size, resident | _] = "/proc/self/statm" |> File.read!() |> String.split()
    ledger = Ledger.ledger!()

    %{
      beam: :erlang.memory(:total),
      beam_resident: String.to_integer(resident) * 4096,
      processes: length(Process.list()),
      server_resident: ledger.resident,
      server_blocks: ledger.blocks
    }
  end

  defp json(map) when is_map(map) do
    "{" <> Enum.map_join(map, ", ", fn {key, value} -> ~s("#{key}": #{json(value)}) end) <> "}"
  end

  defp json(number), do: to_string(number)
end

[target, seconds, share] = System.argv()
Soak.run(target, String.to_float(seconds), String.to_float(share))
