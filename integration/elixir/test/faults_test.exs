defmodule FaultsTest do
  @moduledoc "Every kind of call on a bad network, and a server that is killed in every phase."

  use ExUnit.Case

  @moduletag built_in: "what becomes of calls over the library is for the library to say"

  import Integration.Eventually

  alias Integration.{Kinds, Link, Server, Tally}
  alias SynapseBridge.Error

  # A call that is told of its failure ends long before.
  @deadline 20_000
  # Positions in each direction of each kind of call at which a fault strikes.
  @positions 12

  setup_all do
    opts = [target: Server.target(), backoff: [initial: 20, max: 200]] ++ tls()
    start_supervised!({Streams, opts})
    :ok
  end

  setup do
    # A test that fails may leave the server dead or paused.
    Server.resume()
    Server.start()
    :ok
  end

  # Where the server has a certificate, the driver names its authority.
  defp tls do
    case System.fetch_env("SYNAPSE_CA") do
      {:ok, authority} -> [tls: [cacerts: [Base.decode64!(authority)]]]
      :error -> []
    end
  end

  # Does something for each kind of call at the same time.
  defp each_kind(work) do
    Kinds.all()
    |> Enum.map(&Task.async(fn -> work.(&1) end))
    |> Task.await_many(110_000)
  end

  # A link and a channel through it, which has made a call.
  defp connect(kind, opts \\ []) do
    link = Link.open()
    channel = Kinds.channel(link.target, opts ++ tls())
    assert again(kind, channel) == Kinds.right(kind)
    {link, channel}
  end

  defp label(kind), do: "#{kind} #{System.unique_integer([:positive])}"

  defp again(kind, channel, deadline \\ @deadline) do
    opts = [channel: channel, wait_for_ready: true, timeout: deadline]
    Kinds.call(kind, label(kind), opts)
  end

  # The milliseconds that it took, and what it returned.
  defp timed(work) do
    {microseconds, result} = :timer.tc(work)
    {div(microseconds, 1000) + 1, result}
  end

  # The bytes of a call in both directions.
  defp size(kind, link, channel) do
    Link.clear(link)
    assert again(kind, channel) == Kinds.right(kind)
    {up, down} = Link.passed(link)
    %{up: up, down: down}
  end

  defp positions(size) when size <= @positions, do: Enum.to_list(0..(size - 1))
  defp positions(size), do: for(n <- 0..(@positions - 1), do: div(n * (size - 1), @positions - 1))

  # Damage to a connection may show only in the next calls on it: where a window or a stream's number
  # was hit, by their deadlines.
  defp recovered(kind, channel, attempts \\ 6) do
    case again(kind, channel, 2_000) do
      {:error, %Error{}} when attempts > 1 -> recovered(kind, channel, attempts - 1)
      outcome -> outcome
    end
  end

  # Makes a call that meets a fault, and one after it.
  defp meet(tally, kind, link, channel, fault, direction, position, deadline \\ @deadline) do
    label = label(kind)
    Link.fault(link, fault, direction, position)
    started = System.monotonic_time(:millisecond)
    outcome = Kinds.call(kind, label, channel: channel, timeout: deadline)
    took = System.monotonic_time(:millisecond) - started
    assert took < deadline + 5_000, "#{kind} took #{took} ms: #{inspect(outcome)}"
    Link.clear(link)

    after_it =
      timed(fn ->
        if fault == "corrupt", do: recovered(kind, channel), else: again(kind, channel)
      end)

    Tally.count(tally, outcome, Kinds.right(kind), Kinds.ran(label), after_it)
  end

  for {fault, number} <- [delay: 20, split: 0, throttle: 20_000] do
    test "a connection with #{fault} changes no result" do
      each_kind(fn kind ->
        {link, channel} = connect(kind)

        for direction <- [:up, :down],
            do: Link.fault(link, unquote(fault), direction, unquote(number))

        label = label(kind)
        outcome = Kinds.call(kind, label, channel: channel, timeout: @deadline)
        after_it = timed(fn -> again(kind, channel) end)
        Tally.count(%Tally{}, outcome, Kinds.right(kind), Kinds.ran(label), after_it)
      end)
      |> Tally.sum()
      |> Tally.report(unquote(fault))
      |> then(&assert(%Tally{calls: 4, right: 4, duplicated: 0, recovered: 4} = &1))
    end
  end

  for fault <- [:reset, :close] do
    test "a connection that ends (#{fault}) is told to its call, wherever it is, and no call is repeated" do
      tally =
        each_kind(fn kind ->
          {link, channel} = connect(kind)
          size = size(kind, link, channel)

          for direction <- [:up, :down],
              position <- positions(size[direction]),
              reduce: %Tally{} do
            tally -> meet(tally, kind, link, channel, unquote(fault), direction, position)
          end
        end)
        |> Tally.sum()
        |> Tally.report(unquote(fault))

      assert %Tally{lost: 0, duplicated: 0} = tally
      assert tally.recovered == tally.calls
      assert Map.keys(tally.told) == [:unavailable]
      assert tally.told.unavailable >= div(tally.calls, 2)
    end
  end

  @tag :damage
  test "bytes that are turned on the way end no channel, and no call late" do
    tally =
      each_kind(fn kind ->
        {link, channel} = connect(kind, keepalive: [interval: 100, timeout: 500])
        size = size(kind, link, channel)

        for direction <- [:up, :down], position <- positions(size[direction]), reduce: %Tally{} do
          tally -> meet(tally, kind, link, channel, "corrupt", direction, position, 1_000)
        end
      end)
      |> Tally.sum()
      |> Tally.report("corrupt, TLS: #{tls() != []}")

    assert tally.duplicated == 0
    assert tally.recovered == tally.calls

    # Without TLS nobody can know that a number has been turned into another one, so a result may be
    # wrong there: what counts is that calls end, once, and that the channel goes on.
    if tls() != [] do
      assert tally.lost == 0
      assert Map.keys(tally.told) -- [:unavailable, :deadline_exceeded] == []
    end
  end

  test "a network that swallows everything is noticed by keepalive, and by the deadline without" do
    # A busy server may take long to answer a PING, and is not to be given up for that.
    tally =
      each_kind(fn kind ->
        {link, channel} = connect(kind, keepalive: [interval: 200, timeout: 1_500])
        size = size(kind, link, channel)

        for direction <- [:up, :down], position <- [0, size[direction] - 1], reduce: %Tally{} do
          tally -> meet(tally, kind, link, channel, "stall", direction, position)
        end
      end)
      |> Tally.sum()
      |> Tally.report("stall")

    assert %Tally{lost: 0, duplicated: 0} = tally
    assert tally.recovered == tally.calls
    assert Map.keys(tally.told) == [:unavailable]

    {link, channel} = connect(:unary)
    Link.fault(link, "stall", :down)

    assert {:error, %Error{code: :deadline_exceeded}} =
             Streams.seen("x", channel: channel, timeout: 300)
  end

  describe "kill -9 of the server" do
    # The four kinds at once, each on a connection of its own; `prepare` brings the call to its
    # phase and returns what waits until it is there.
    defp killed(phase, prepare) do
      links = for kind <- Kinds.all(), into: %{}, do: {kind, connect(kind)}
      sizes = Map.new(links, fn {kind, {link, channel}} -> {kind, size(kind, link, channel)} end)
      labels = Map.new(links, fn {kind, _link} -> {kind, label(kind)} end)
      for {kind, {link, _channel}} <- links, do: prepare.(:before, kind, link, sizes[kind])

      calls =
        for {kind, {_link, channel}} <- links do
          opts = [channel: channel, timeout: @deadline]
          {kind, Task.async(fn -> Kinds.call(kind, labels[kind], opts) end)}
        end

      for {kind, {link, _channel}} <- links, do: prepare.(:reached, kind, link, sizes[kind])
      killed = System.monotonic_time(:millisecond)
      Server.kill()

      outcomes = for {kind, task} <- calls, into: %{}, do: {kind, Task.await(task, @deadline)}
      took = System.monotonic_time(:millisecond) - killed
      for {_kind, {link, _channel}} <- links, do: Link.clear(link)
      Server.start()

      # What the server counted died with it: what runs now is what was repeated.
      tally =
        for {kind, {_link, channel}} <- links, reduce: %Tally{} do
          tally ->
            after_it = timed(fn -> again(kind, channel) end)
            ran = 1 + Kinds.ran(labels[kind])
            Tally.count(tally, outcomes[kind], Kinds.right(kind), ran, after_it)
        end

      Tally.report(tally, "kill -9 #{phase}, known after #{took} ms at most")
      assert %Tally{calls: 4, told: %{unavailable: 4}, duplicated: 0, recovered: 4} = tally
      assert took < div(@deadline, 2)
    end

    test "before the response" do
      killed("before headers", fn
        :before, :unary, _link, _size ->
          Server.pause()

        :before, _kind, _link, _size ->
          :ok

        :reached, _kind, link, size ->
          eventually(fn -> elem(Link.passed(link), 0) >= div(size.up, 2) end)
      end)
    end

    test "in the middle of the response" do
      killed("mid-response", fn
        :before, _kind, link, size -> Link.fault(link, "stall", :down, div(size.down, 2))
        :reached, _kind, link, _size -> assert Link.struck?(link)
      end)
    end

    test "before the end of the trailers" do
      killed("before trailers", fn
        :before, _kind, link, size -> Link.fault(link, "stall", :down, size.down - 8)
        :reached, _kind, link, _size -> assert Link.struck?(link)
      end)
    end

    test "after the request, while the function runs" do
      calls = [
        unary: &Streams.never(label: "held", channel: &1, timeout: @deadline),
        server_stream:
          &held(fn channel -> Streams.wait!(label: "held", channel: channel) end, &1),
        client_stream:
          &Streams.add_async(forever(), label: "held", channel: &1, timeout: @deadline),
        both_streams:
          &held(
            fn channel -> Streams.scale_async!(forever(), label: "held", channel: channel) end,
            &1
          )
      ]

      tasks =
        for {kind, call} <- calls do
          {_link, channel} = connect(kind)
          {kind, channel, Task.async(fn -> call.(channel) end)}
        end

      assert eventually(fn -> Streams.seen!("held").counts["started"] == 4 end)
      Server.kill()

      outcomes =
        for {kind, channel, task} <- tasks, do: {kind, channel, Task.await(task, @deadline)}

      Server.start()

      tally =
        for {kind, channel, outcome} <- outcomes, reduce: %Tally{} do
          tally ->
            Tally.count(
              tally,
              outcome,
              Kinds.right(kind),
              1 + Kinds.ran("held"),
              timed(fn -> again(kind, channel) end)
            )
        end

      Tally.report(tally, "kill -9 while it runs")
      assert %Tally{told: %{unavailable: 4}, duplicated: 0, recovered: 4} = tally
    end

    defp held(stream, channel) do
      {:ok, Enum.to_list(stream.(channel))}
    rescue
      error in Error -> {:error, error}
    end

    defp forever, do: Stream.concat([1], Stream.repeatedly(fn -> Process.sleep(:infinity) end))
  end
end
