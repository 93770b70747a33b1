# Runs the agent through its bridge. On standard input "run words" or "crowd runs seconds"; on standard
# output the seconds of the run, or the runs that were complete and the memory of the BEAM in bytes, in
# the second quarter of the time and in the last.

defmodule Agents do
  alias Talk.Writer

  def run(words) do
    {microseconds, ^words} =
      :timer.tc(fn -> "#{words} 0" |> Writer.text_stream!() |> Enum.count() end)

    microseconds / 1_000_000
  end

  # So many runs at once; who has finished one begins another. 40 words in two seconds, as a model may.
  def crowd(count, seconds) do
    start = System.monotonic_time(:millisecond)
    stop = start + seconds * 1000
    tasks = for _ <- 1..count, do: Task.async(fn -> runs(stop, 0) end)

    [second, last] =
      for {from, to} <- [{0.25, 0.5}, {0.75, 1.0}] do
        wait_until(start + from * seconds * 1000)
        sample(start + to * seconds * 1000, [])
      end

    done = tasks |> Task.await_many(:infinity) |> Enum.sum()
    "#{done} #{second} #{last}"
  end

  defp runs(stop, done) do
    if System.monotonic_time(:millisecond) < stop do
      40 = "40 50" |> Writer.text_stream!() |> Enum.count()
      runs(stop, done + 1)
    else
      done
    end
  end

  # The median of what is in use, garbage collected.
  defp sample(stop, found) do
    for pid <- Process.list(), do: :erlang.garbage_collect(pid)
    found = [:erlang.memory(:total) | found]
    now = System.monotonic_time(:millisecond)

    if now < stop do
      wait_until(min(now + 1000, stop))
      sample(stop, found)
    else
      found |> Enum.sort() |> Enum.at(div(length(found), 2))
    end
  end

  defp wait_until(time),
    do: Process.sleep(max(0, round(time - System.monotonic_time(:millisecond))))
end

[port] = System.argv()
{:ok, _} = Supervisor.start_link([{Talk, target: "127.0.0.1:#{port}"}], strategy: :one_for_one)

for line <- IO.stream(:stdio, :line) do
  case String.split(line) do
    ["run", words] ->
      words |> String.to_integer() |> Agents.run() |> IO.puts()

    ["crowd", count, seconds] ->
      count |> String.to_integer() |> Agents.crowd(String.to_integer(seconds)) |> IO.puts()
  end
end
