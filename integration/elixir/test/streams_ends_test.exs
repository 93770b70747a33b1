defmodule StreamsEndsTest do
  @moduledoc "Every way in which a call may end early: Python hears of it, and nothing is left."

  use ExUnit.Case

  import Integration.Eventually

  alias Integration.Server
  alias SynapseBridge.Channel.Table
  alias SynapseBridge.Error

  # A call of each kind to a function of each kind, which goes on until something ends it; its
  # arguments before the label; and what may tell the function, as the service counts it.
  @functions %{
    never: {:unary, [], [:CancelledError]},
    never_in_thread: {:unary, [], [:flag]},
    wait: {:results, [], [:CancelledError, :GeneratorExit]},
    wait_in_thread: {:results, [], [:flag, :GeneratorExit]},
    add_async: {:argument, [:numbers], [:CancelledError]},
    add: {:argument, [:numbers], [:Cancelled]},
    scale_async: {:both, [:numbers], [:CancelledError, :GeneratorExit]},
    scale: {:both, [:numbers], [:Cancelled, :GeneratorExit]}
  }
  @ways [
    halted: [:results, :both],
    raised: [:results, :both],
    cancelled: [:results, :both],
    owner_died: [:results, :both],
    caller_died: [:unary, :results, :argument, :both],
    deadline: [:unary, :results, :argument, :both],
    argument_raised: [:argument, :both],
    argument_misfits: [:argument, :both]
  ]

  # Milliseconds in which Python is to hear of it.
  @promptly 100
  # A machine that is busy elsewhere may need longer now and then, and not each time.
  @attempts 8

  setup_all do
    start_supervised!({Streams, Server.channel()})
    :ok
  end

  setup %{test: test} do
    {:ok, label: Atom.to_string(test)}
  end

  for {way, kinds} <- @ways, {function, {kind, _, _}} <- @functions, kind in kinds do
    # The library leaves unary calls to their deadlines.
    if kind == :unary, do: @tag(built_in: "the library does not cancel unary calls")

    test "#{function}: #{way} reaches Python within #{@promptly} ms", %{label: label} do
      hears(unquote(function), unquote(way), label, [])
    end

    # Where both directions stream, grpcio's server does not tell a function the end of the call from
    # that of its argument.
    @tag if(kind == :both, do: :told, else: :told_anyway)
    if kind == :unary, do: @tag(built_in: "the library does not cancel unary calls")

    test "#{function}: #{way} is no end like any other", %{label: label} do
      ending(unquote(way), unquote(function), label)
      seen = eventually(fn -> ended(label) end)
      assert told(unquote(function), seen.counts) == 1, inspect(seen.counts)
    end
  end

  # Ends calls, until one was heard of in time: what is slow each time is slow.
  defp hears(function, way, label, delays) when length(delays) < @attempts do
    label_of_one = "#{label} #{length(delays)}"
    moment = ending(way, function, label_of_one)
    seen = eventually(fn -> ended(label_of_one) end)
    delay = seen.ended * 1000 - moment
    if delay >= @promptly, do: hears(function, way, label, [delay | delays])
  end

  defp hears(_function, _way, _label, delays),
    do: flunk("it took #{inspect(delays)} ms after the end of the call")

  defp ended(label) do
    seen = Streams.seen!(label)
    if seen.counts["ended"] == 1, do: seen
  end

  # How often the function learnt of the end in a way that is its own.
  defp told(function, counts) do
    {_kind, _arguments, signs} = @functions[function]
    signs |> Enum.map(&Map.get(counts, Atom.to_string(&1), 0)) |> Enum.sum()
  end

  defp started(label), do: eventually(fn -> Streams.seen!(label).counts["started"] == 1 end)

  # The call; `numbers` is what its streamed argument is, where it has one.
  defp call(function, suffix, label, opts \\ [], numbers \\ numbers()) do
    {_kind, arguments, _signs} = @functions[function]
    arguments = Enum.map(arguments, fn :numbers -> numbers end)
    apply(Streams, :"#{function}#{suffix}", arguments ++ [[label: label] ++ opts])
  end

  # One number, and then nothing for ever, in the process that goes through it.
  defp numbers, do: Stream.concat([1], Stream.repeatedly(fn -> Process.sleep(:infinity) end))

  # Makes a call and ends it in a way; the moment at which it did (`System.os_time/1`).
  defp ending(:halted, function, label) do
    [moment] = function |> call("!", label) |> Stream.map(fn _ -> now() end) |> Enum.take(1)
    moment
  end

  defp ending(:raised, function, label) do
    catch_throw(function |> call("!", label) |> Enum.each(fn _ -> throw(now()) end))
  end

  defp ending(:cancelled, function, label) do
    {:ok, %{ref: ref} = stream} = call(function, "_stream", label)
    assert_receive {^ref, [{:item, _}]}, 20_000
    moment = now()
    SynapseBridge.Stream.cancel(stream)
    moment
  end

  defp ending(:owner_died, function, label) do
    killed(fn -> call(function, "_stream", label) && Process.sleep(:infinity) end, label)
  end

  defp ending(:caller_died, function, label) do
    killed(fn -> function |> call("", label, timeout: :infinity) |> drain() end, label)
  end

  defp ending(:deadline, function, label) do
    timeout = 300
    moment = now() + timeout
    error = function |> call("", label, timeout: timeout) |> failed()
    assert %Error{code: :deadline_exceeded} = error
    moment
  end

  defp ending(:argument_raised, function, label) do
    test = self()
    numbers = once_started(label, fn -> send(test, {label, now()}) && raise "no number" end)

    assert_raise RuntimeError, "no number", fn ->
      function |> call("", label, [], numbers) |> drain()
    end

    assert_receive {^label, moment}
    moment
  end

  defp ending(:argument_misfits, function, label) do
    test = self()
    numbers = once_started(label, fn -> send(test, {label, now()}) && 2 ** 70 end)
    error = function |> call("", label, [], numbers) |> failed()
    assert %Error{code: :invalid_argument, violations: [%{path: "numbers[1]"}]} = error
    assert_receive {^label, moment}
    moment
  end

  # A number, and once Python has it what `last` is worth.
  defp once_started(label, last) do
    Stream.concat(
      [1],
      Stream.map([:last], fn :last ->
        eventually(fn -> Streams.seen!(label).counts["read"] == 1 end)
        last.()
      end)
    )
  end

  defp killed(work, label) do
    pid = spawn(work)
    started(label)
    moment = now()
    Process.exit(pid, :kill)
    moment
  end

  defp drain({:ok, stream}), do: Stream.run(stream)
  defp drain(result), do: result

  defp failed({:error, error}), do: error

  defp failed({:ok, stream}) do
    Stream.run(stream)
    flunk("the call ended well")
  rescue
    error in Error -> error
  end

  defp now, do: System.os_time(:millisecond)

  # The most threads that a server has by default, for sync functions.
  @pool 32

  @tag built_in:
         "a late answer to a call that was cancelled can end the connection of the library"
  @tag :long
  @tag timeout: 240_000
  test "10,000 calls that are ended in every way leave nothing behind", %{label: label} do
    ways =
      for {way, kinds} <- @ways,
          {function, {kind, _, _}} <- @functions,
          kind in kinds,
          do: {way, function}

    for {way, function} <- ways, do: abandon(way, function, label)
    eventually(fn -> settled?(label) end)
    before = Streams.seen!(label)
    here = left_here()

    1..10_000
    |> Task.async_stream(
      fn n ->
        {way, function} = Enum.at(ways, rem(n, length(ways)))
        abandon(way, function, label)
      end,
      max_concurrency: 50,
      timeout: 60_000
    )
    |> Stream.run()

    eventually(fn -> settled?(label) end, 30_000)

    eventually(fn ->
      Enum.zip(left_here(), here) |> Enum.all?(fn {now, then} -> now <= then end)
    end)

    assert eventually(fn -> Streams.seen!(label).tasks <= before.tasks end)

    # Threads of the pool stay, as many as were needed at once. None of them is held: as many calls
    # as there may be threads get through together.
    assert Streams.seen!(label).threads <= before.threads + @pool

    sums =
      1..@pool
      |> Enum.map(&Task.async(fn -> Streams.add!([&1, 1]) end))
      |> Task.await_many(20_000)

    assert sums == Enum.to_list(2..(@pool + 1))
  end

  defp settled?(label) do
    counts = Streams.seen!(label).counts
    counts["ended"] == counts["started"]
  end

  # Processes, and what the connections of the channel hold of calls.
  defp left_here do
    {:ok, table} = Table.fetch(Streams)

    open =
      for pid <- Table.connections(table), reduce: 0 do
        open ->
          state = :sys.get_state(pid)
          open + map_size(state.http2.streams) + map_size(state.streams) + state.queued
      end

    [length(Process.list()), length(:ets.all()), length(:erlang.ports()), open]
  end

  # As `ending/3`, wherever the call is by then: most of them have reached Python.
  defp abandon(:deadline, function, label),
    do: function |> call("", label, timeout: 20) |> failed()

  defp abandon(:owner_died, function, label),
    do: kill(fn -> call(function, "_stream", label) && Process.sleep(:infinity) end)

  defp abandon(:caller_died, function, label),
    do: kill(fn -> function |> call("", label, timeout: :infinity) |> drain() end)

  defp abandon(:argument_raised, function, label) do
    numbers = Stream.concat([1], Stream.map([:last], fn :last -> raise "no number" end))
    assert_raise RuntimeError, fn -> function |> call("", label, [], numbers) |> drain() end
  end

  defp abandon(:argument_misfits, function, label),
    do: function |> call("", label, [], [1, 2 ** 70]) |> failed()

  defp abandon(way, function, label), do: ending(way, function, label)

  defp kill(work) do
    {pid, monitor} = spawn_monitor(work)
    eventually(fn -> Process.info(pid, :status) in [nil, {:status, :waiting}] end)
    Process.exit(pid, :kill)
    assert_receive {:DOWN, ^monitor, :process, ^pid, _}
  end
end
