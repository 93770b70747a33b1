# Takes messages of a stream: "seconds" on standard input, "rate cpu" on standard output. Or waits for
# them: "idle form count" on standard input, "bytes-each count" on standard output.

Code.require_file("cpu.exs", __DIR__)

defmodule Static.Request do
  use SynapseBridge.Message

  message do
  end
end

defmodule Static.Response do
  use SynapseBridge.Message

  message do
    field(:result, 1, :string, required: true)
  end
end

defmodule Static do
  use SynapseBridge.Client, service: "benchmark.StaticService", contract: "0"

  rpc(:lines, "Lines", Static.Request, Static.Response, stream: :server)
  def lines(opts), do: call!(:lines, %{}, opts)

  def measure(seconds) do
    stop = System.monotonic_time(:millisecond) + round(seconds * 1000)
    before = Cpu.microseconds()

    count =
      Enum.reduce_while(lines([]), 0, fn line, count ->
        48 = byte_size(line)

        if rem(count, 1000) == 0 and System.monotonic_time(:millisecond) >= stop,
          do: {:halt, count + 1},
          else: {:cont, count + 1}
      end)

    {count / seconds, (Cpu.microseconds() - before) / count}
  end

  # How many bytes of memory each of `count` streams takes that wait for what never comes.
  def weigh(count, form) do
    before = memory()
    test = self()

    waiting =
      for _ <- 1..count do
        spawn_link(fn ->
          send(test, :started)
          wait(form)
        end)
      end

    for _ <- waiting, do: receive(do: (:started -> :ok))
    await_streams(count)
    weight = (memory() - before) / count
    for pid <- waiting, do: Process.unlink(pid) && Process.exit(pid, :kill)
    {weight, count}
  end

  # Until all are open, so that the memory is really that of streams.
  defp await_streams(count) do
    {:ok, table} = SynapseBridge.Channel.Table.fetch(__MODULE__)
    connection = SynapseBridge.Channel.Table.connection(table)
    open = if connection, do: map_size(:sys.get_state(connection).streams), else: 0
    if open < count, do: await_streams(count)
  end

  defp wait("enumerable"), do: Enum.to_list(lines([]))

  defp wait("messages") do
    {:ok, %{ref: ref}} = call_stream(:lines, %{}, [])
    receive(do: ({^ref, _events} -> :ok))
  end

  defp memory do
    for pid <- Process.list(), do: :erlang.garbage_collect(pid)
    :erlang.memory(:total)
  end
end

[port] = System.argv()

{:ok, _} = Supervisor.start_link([{Static, target: "127.0.0.1:#{port}"}], strategy: :one_for_one)

for line <- IO.stream(:stdio, :line) do
  {one, other} =
    case String.split(line) do
      ["idle", form, count] -> Static.weigh(String.to_integer(count), form)
      [seconds] -> seconds |> String.to_float() |> Static.measure()
    end

  IO.puts("#{one} #{other}")
end
