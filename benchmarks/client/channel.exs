# Makes unary calls on a channel: "seconds in_flight" on standard input, "rate cpu" on standard output;
# or one after the other: "latency seconds", and "p50 p90" in microseconds.

Code.require_file("cpu.exs", __DIR__)

defmodule Caller do
  alias SynapseBridge.Channel

  def measure(seconds, in_flight, path, request, response) do
    stop = System.monotonic_time(:millisecond) + round(seconds * 1000)
    before = Cpu.microseconds()

    callers =
      for _ <- 1..in_flight, do: Task.async(fn -> call(path, request, response, stop, 0) end)

    calls = callers |> Task.await_many(:infinity) |> Enum.sum()
    {calls / seconds, (Cpu.microseconds() - before) / calls}
  end

  def latency(seconds, path, request, response) do
    stop = System.monotonic_time(:millisecond) + round(seconds * 1000)
    times = [] |> timed(path, request, response, stop) |> Enum.sort() |> List.to_tuple()
    {percentile(times, 0.5), percentile(times, 0.9)}
  end

  defp timed(times, path, request, response, stop) do
    before = System.monotonic_time()
    {:ok, ^response, []} = Channel.unary(__MODULE__, path, request, timeout: 10_000)
    times = [System.monotonic_time() - before | times]

    if System.monotonic_time(:millisecond) < stop,
      do: timed(times, path, request, response, stop),
      else: times
  end

  defp percentile(times, share) do
    time = elem(times, trunc(share * tuple_size(times)))
    System.convert_time_unit(time, :native, :nanosecond) / 1000
  end

  defp call(path, request, response, stop, calls) do
    {:ok, ^response, []} = Channel.unary(__MODULE__, path, request, timeout: 10_000)

    if System.monotonic_time(:millisecond) < stop,
      do: call(path, request, response, stop, calls + 1),
      else: calls + 1
  end
end

[port, path | messages] = System.argv()
[request, response] = Enum.map(messages, &Base.decode64!/1)
{:ok, _channel} = SynapseBridge.Channel.start_link(name: Caller, target: "127.0.0.1:#{port}")

for line <- IO.stream(:stdio, :line) do
  {one, other} =
    case String.split(line) do
      ["latency", seconds] ->
        Caller.latency(String.to_float(seconds), path, request, response)

      [seconds, in_flight] ->
        seconds = String.to_float(seconds)
        Caller.measure(seconds, String.to_integer(in_flight), path, request, response)
    end

  IO.puts("#{one} #{other}")
end
