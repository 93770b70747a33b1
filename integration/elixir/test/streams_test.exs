defmodule StreamsTest do
  @moduledoc "All kinds of call, and that each end of a call reaches the other side."

  use ExUnit.Case

  import Integration.Eventually

  alias Integration.Server
  alias Streams.{Item, OutOfStock}
  alias SynapseBridge.Error

  setup_all do
    # A server that is killed again and again is to be found again soon.
    backoff = [initial: 20, max: 200]
    start_supervised!({Streams, Server.channel(backoff: backoff)})
    :ok
  end

  setup %{test: test} do
    {:ok, label: Atom.to_string(test)}
  end

  defp seen(label, what), do: Map.get(Streams.seen!(label).counts, what, 0)

  # Something that waits for ever, in the process that goes through it.
  defp forever, do: Stream.repeatedly(fn -> Process.sleep(:infinity) end)

  describe "each kind of call" do
    test "server streams, from sync and async generators" do
      for function <- [:count!, :count_async!] do
        assert apply(Streams, function, [0]) |> Enum.to_list() == []
        assert apply(Streams, function, [1000]) |> Enum.to_list() == Enum.to_list(0..999)
      end
    end

    test "client streams, into sync and async functions" do
      for function <- [:add!, :add_async!] do
        assert apply(Streams, function, [[]]) == 0
        assert apply(Streams, function, [1..1000]) == 500_500
        assert apply(Streams, function, [Stream.map(1..10, &(&1 * 2))]) == 110
      end
    end

    test "streams both ways, with a plain parameter beside them" do
      for function <- [:scale!, :scale_async!] do
        assert apply(Streams, function, [1..1000, [factor: 3]]) |> Enum.to_list() ==
                 Enum.map(1..1000, &(&1 * 3))

        assert apply(Streams, function, [[]]) |> Enum.to_list() == []
      end
    end

    test "models and nothing, both ways" do
      wanted = [%{sku: "a"}, nil, %Item{sku: "b"}]

      assert wanted |> Streams.take!(stock: 5) |> Enum.to_list() ==
               [%Item{sku: "a", left: 4}, nil, %Item{sku: "b", left: 3}]
    end

    test "ten megabytes each way, in one message and in many" do
      one = [%{sku: String.duplicate("é", 5_000_000), left: 0}]
      many = for n <- 1..160, do: %{sku: String.duplicate(<<n::utf8>>, 65_536), left: 0}

      for wanted <- [one, many] do
        taken = wanted |> Streams.take!(stock: 1000) |> Enum.map(& &1.sku)
        assert taken == Enum.map(wanted, & &1.sku)
        assert taken |> Enum.map(&byte_size/1) |> Enum.sum() >= 10_000_000
      end
    end

    test "a conversation, where each number waits for the answer to the last" do
      test = self()

      numbers =
        Stream.repeatedly(fn ->
          send(test, {:next, self()})
          receive(do: ({:number, number} -> number))
        end)

      talk =
        Task.async(fn ->
          numbers |> Streams.scale_async!() |> Stream.each(&send(test, &1)) |> Enum.take(4)
        end)

      for number <- [1, 2, 4, 8] do
        assert_receive {:next, producer}, 20_000
        send(producer, {:number, number})
        twice = 2 * number
        assert_receive ^twice, 20_000
      end

      assert Task.await(talk, 20_000) == [2, 4, 8, 16]
    end

    test "messages to a process" do
      {:ok, %{ref: ref} = stream} = Streams.count_async_stream(10)
      assert collect(stream, ref, []) == Enum.to_list(0..9)
      {:ok, %{ref: ref} = stream} = Streams.scale_stream(1..10)
      assert collect(stream, ref, []) == Enum.map(1..10, &(&1 * 2))
    end

    defp collect(stream, ref, items) do
      assert_receive {^ref, events}, 20_000

      case Enum.split_with(events, &match?({:item, _}, &1)) do
        {new, [:done]} ->
          items ++ Keyword.values(new)

        {new, []} ->
          SynapseBridge.Stream.next(stream)
          collect(stream, ref, items ++ Keyword.values(new))
      end
    end

    @tag :long
    test "a thousand streams at once, of which each gets its own" do
      1..1000
      |> Enum.map(&Task.async(fn -> {&1, Enum.sum(Streams.count_async!(&1))} end))
      |> Task.await_many(60_000)
      |> Enum.each(fn {n, sum} -> assert sum == div(n * (n - 1), 2) end)
    end
  end

  test "a method's own deadline holds where the call has none" do
    assert_raise Error, ~r/deadline_exceeded/, fn -> Enum.to_list(Streams.hurried!()) end
    assert Enum.take(Streams.hurried!(timeout: 5000), 1) == [0]
  end

  test "a server that has heard enough answers, and the argument is gone through no further" do
    test = self()
    numbers = Stream.map(1..1_000_000_000, &(send(test, {:producer, self()}) && &1))
    assert Streams.add(numbers, most: 100) == {:ok, 105}
    assert_receive {:producer, producer}
    eventually(fn -> not Process.alive?(producer) end)
  end

  describe "errors" do
    test "that are declared keep their type and fields" do
      assert {:error, %OutOfStock{sku: "pen", asked: 7} = error} = Streams.reserve("pen")
      assert Exception.message(error) == "no pen left, 7 asked for"
      assert_raise OutOfStock, fn -> Streams.reserve!("pen") end
    end

    @tag built_in: "the library does not tell the server what headers it takes"
    @tag :large
    test "that are declared may be large" do
      sku = String.duplicate("x", 20_000)
      assert {:error, %OutOfStock{sku: ^sku, asked: 7}} = Streams.reserve(sku)

      wanted = [%{sku: "a", left: 1}, %{sku: sku, left: 1}]

      assert {[%Item{left: 0}], %OutOfStock{sku: ^sku}} =
               until_raised(Streams.take!(wanted, stock: 1))
    end

    test "that are too large for a channel are told without their fields" do
      name = :"#{inspect(__MODULE__)}.small"
      spec = Streams.child_spec(Server.channel(name: name) ++ small())
      start_supervised!(%{spec | id: name})
      sku = String.duplicate("x", 20_000)
      assert {:error, %Error{} = error} = Streams.reserve(sku, channel: name)
      assert error.code == :failed_precondition
      assert error.reason =~ "OutOfStock"
      assert error.hint =~ "has left out the exception streams.v1.OutOfStock"
    end

    # The library says nothing to the server anyway.
    defp small do
      if System.get_env("SYNAPSE_TRANSPORT", "") == "",
        do: [max_metadata_size: 16_384],
        else: []
    end

    test "come after the items before them" do
      for {error, check} <- [
            {"declared", &match?(%OutOfStock{sku: "pen", asked: 3}, &1)},
            {"value",
             &match?(%Error{code: :invalid_argument, reason: "builtins.ValueError"}, &1)},
            {"key", &match?(%Error{code: :not_found}, &1)},
            {"other", &match?(%Error{code: :internal, reason: "builtins.RuntimeError"}, &1)}
          ] do
        assert {[0, 1, 2], raised} = until_raised(Streams.fail!(3, error))
        assert check.(raised), "got #{inspect(raised)}"
      end
    end

    test "come to a stream both ways in the middle" do
      wanted = Stream.concat([%{sku: "a"}, %{sku: "b"}], forever())

      assert {[%Item{left: 0}], %OutOfStock{sku: "b"}} =
               until_raised(Streams.take!(wanted, stock: 1))
    end

    test "are the last event of a stream of messages" do
      {:ok, %{ref: ref} = stream} = Streams.fail_stream(0, "declared")
      assert_receive {^ref, [error: %OutOfStock{}]}, 20_000
      assert SynapseBridge.Stream.cancel(stream) == :ok
    end

    defp until_raised(stream) do
      test = self()
      ref = make_ref()

      try do
        Enum.each(stream, &send(test, {ref, &1}))
        flunk("nothing was raised")
      rescue
        error in [OutOfStock, Error] -> {flush(ref), error}
      end
    end

    defp flush(ref) do
      receive do
        {^ref, item} -> [item | flush(ref)]
      after
        0 -> []
      end
    end
  end

  describe "a server that is killed" do
    setup %{label: label} do
      on_exit(&restart/0)
      %{started: fn -> eventually(fn -> seen(label, "started") == 1 end) end}
    end

    # The other tests find the server as they left it.
    defp restart do
      Server.start()
      Streams.seen!("", wait_for_ready: true)
    end

    test "ends a stream at once, after the items before", %{label: label} do
      stream = Streams.wait!(label: label)
      assert {[0], %Error{code: :unavailable}} = until_raised(kill_with(stream, 0))
    end

    # The stream, during which the server dies with an item.
    defp kill_with(stream, item) do
      Stream.map(stream, fn ^item ->
        Server.kill()
        item
      end)
    end

    test "ends a streamed argument at once", %{label: label, started: started} do
      task = Task.async(fn -> Streams.add_async(forever(), label: label) end)
      started.()
      Server.kill()
      assert {:error, %Error{code: :unavailable}} = Task.await(task, 20_000)
    end

    test "ends a conversation at once" do
      stream = Streams.scale_async!(Stream.concat([1], forever()))
      assert {[2], %Error{code: :unavailable}} = until_raised(kill_with(stream, 2))
    end

    test "ends a stream of messages at once, and the next one finds the new server",
         %{label: label} do
      {:ok, %{ref: ref} = stream} = Streams.wait_stream(label: label)
      assert_receive {^ref, [item: 0]}, 20_000
      SynapseBridge.Stream.next(stream)
      Server.kill()
      assert_receive {^ref, [error: %Error{code: :unavailable}]}, 20_000
      Server.start()
      assert Enum.to_list(Streams.count!(3, wait_for_ready: true)) == [0, 1, 2]
    end
  end

  describe "back-pressure" do
    @describetag built_in: "the library reads and takes without bound"

    # What may be under way: windows of one to four megabytes, and the buffers of both sides.
    @ahead 16 * 1024 * 1024

    @tag :long
    @tag timeout: 180_000
    test "a slow consumer stops Python, and a million messages need no memory", %{label: label} do
      before = Streams.seen!(label).resident
      test = self()

      consumer =
        spawn_link(fn ->
          Streams.lines!(1_000_000, label: label)
          |> Stream.chunk_every(1000)
          |> Stream.with_index(1)
          |> Enum.each(fn {chunk, n} ->
            assert length(chunk) == 1000
            if n == 10, do: receive(do: (:go_on -> :ok))
            # A reader of 10 MB/s takes five milliseconds for a thousand of these.
            if n > 10, do: Process.sleep(5)
          end)

          send(test, :finished)
        end)

      # The consumer has got so many, and waits.
      yielded = stands_still(fn -> seen(label, "yielded") end, 10_000)
      assert (yielded - 10_000) * 57 < @ahead
      assert memory(consumer) < @ahead
      send(consumer, :go_on)
      sizes = watch(consumer, before, [])
      assert seen(label, "yielded") == 1_000_000
      assert Enum.max(for {here, _there} <- sizes, do: here) < @ahead
      assert Enum.max(for {_here, there} <- sizes, do: there) < 32 * 1024 * 1024
    end

    # The memory that the stream takes here, and by how much the server has grown, until the
    # consumer is finished.
    defp watch(consumer, before, sizes) do
      receive do
        :finished -> sizes
      after
        100 ->
          watch(consumer, before, [
            {memory(consumer), Streams.seen!("").resident - before} | sizes
          ])
      end
    end

    # Of the consumer and the channel's connections, with the binaries that their messages hold.
    defp memory(consumer) do
      {:ok, table} = SynapseBridge.Channel.Table.fetch(Streams)

      for pid <- [consumer | SynapseBridge.Channel.Table.connections(table)],
          [memory: memory, binary: binaries] <- [Process.info(pid, [:memory, :binary])],
          reduce: 0 do
        sum -> sum + memory + Enum.sum(for {_, size, _} <- binaries, do: size)
      end
    end

    for function <- [:read_slowly, :read_slowly_in_thread] do
      test "a slow Python consumer stops the argument: #{function}", %{label: label} do
        sent = :counters.new(1, [])
        part = :binary.copy("x", 10_000)

        parts =
          Stream.map(1..5000, fn _ ->
            :counters.add(sent, 1, 1)
            part
          end)

        task = Task.async(fn -> apply(Streams, unquote(function), [parts, [label: label]]) end)
        ahead = stands_still(fn -> :counters.get(sent, 1) end, 1)

        # How much is on its way is up to both ends; grpc.aio's window grows with the connection's speed.
        assert ahead * 10_000 < 2 * @ahead, "#{ahead} are sent"
        Streams.go_on!(label, 500)
        later = stands_still(fn -> :counters.get(sent, 1) end, 500)
        assert (later - 500) * 10_000 < 2 * @ahead, "#{later} are sent"
        Streams.go_on!(label, 5000)
        assert Task.await(task, 60_000) == {:ok, 50_000_000}
      end
    end

    # A number that has got to `least`, and has not changed for half a second.
    defp stands_still(read, least) do
      eventually(fn -> read.() >= least end, 60_000)
      {:ok, agent} = Agent.start_link(fn -> {nil, 0} end)

      eventually(fn ->
        now = read.()
        {last, times} = Agent.get(agent, & &1)
        Agent.update(agent, fn _ -> if last == now, do: {now, times + 1}, else: {now, 0} end)
        last == now and times > 50 and now
      end)
    end
  end
end
