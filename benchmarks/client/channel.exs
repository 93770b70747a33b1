# Makes unary calls on a channel: "seconds in_flight" on standard input, "rate cpu" on standard output.

defmodule Caller do
  alias SynapseBridge.Channel

  def measure(seconds, in_flight, path, request) do
    stop = System.monotonic_time(:millisecond) + round(seconds * 1000)
    before = cpu()
    callers = for _ <- 1..in_flight, do: Task.async(fn -> call(path, request, stop, 0) end)
    calls = callers |> Task.await_many(:infinity) |> Enum.sum()
    {calls / seconds, (cpu() - before) / calls}
  end

  defp call(path, request, stop, calls) do
    {:ok, "Hello, World!", []} = Channel.unary(__MODULE__, path, request, timeout: 10_000)

    if System.monotonic_time(:millisecond) < stop,
      do: call(path, request, stop, calls + 1),
      else: calls + 1
  end

  # User and system time of this process in microseconds (proc(5)); the clock ticks 100 times a second.
  defp cpu do
    [_, rest] = "/proc/self/stat" |> File.read!() |> String.split(") ")

    rest
    |> String.split()
    |> Enum.slice(11, 2)
    |> Enum.map(&String.to_integer/1)
    |> Enum.sum()
    |> Kernel.*(10_000)
  end
end

[port, path, request] = System.argv()
{:ok, _channel} = SynapseBridge.Channel.start_link(name: Caller, target: "127.0.0.1:#{port}")

for line <- IO.stream(:stdio, :line) do
  [seconds, in_flight] = String.split(line)

  {rate, cpu} =
    Caller.measure(String.to_float(seconds), String.to_integer(in_flight), path, request)

  IO.puts("#{rate} #{cpu}")
end
