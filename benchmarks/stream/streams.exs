# Takes messages of a stream: "seconds" on standard input, "messages-per-second cpu" on standard output.

defmodule Static.Request do
  use SynapseBridge.Message

  message do
  end
end

defmodule Static.Response do
  use SynapseBridge.Message

  message do
    field :result, 1, :string, required: true
  end
end

defmodule Static do
  use SynapseBridge.Client, service: "benchmark.StaticService", contract: "0"

  rpc :lines, "Lines", Static.Request, Static.Response, stream: :server
  def lines(opts), do: call!(:lines, %{}, opts)
  def unused(opts), do: {call(:lines, %{}, opts), call_stream(:lines, %{}, opts)}

  def measure(seconds) do
    stop = System.monotonic_time(:millisecond) + round(seconds * 1000)
    before = cpu()

    count =
      Enum.reduce_while(lines([]), 0, fn line, count ->
        48 = byte_size(line)

        if rem(count, 1000) == 0 and System.monotonic_time(:millisecond) >= stop,
          do: {:halt, count + 1},
          else: {:cont, count + 1}
      end)

    {count / seconds, (cpu() - before) / count}
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

[port] = System.argv()
{:ok, _channel} = Static.child_spec(target: "127.0.0.1:#{port}") |> Map.fetch!(:start) |> then(fn {m, f, a} -> apply(m, f, a) end)

for line <- IO.stream(:stdio, :line) do
  {rate, cpu} = line |> String.trim() |> String.to_float() |> Static.measure()
  IO.puts("#{rate} #{cpu}")
end
