defmodule SynapseBridge.Client.LeftoversTest do
  # Counts processes, so nothing else may run beside it.
  use ExUnit.Case, async: false

  @moduletag :capture_log

  alias SynapseBridge.{Channel, ScriptedServer, Wire}
  alias SynapseBridge.Channel.Table

  import SynapseBridge.Eventually

  @calls 10_000
  @at_once 100

  # Answers each call with headers and an item, and counts how many were cancelled.
  defp absorb(connection, cancelled) do
    case ScriptedServer.read(connection) do
      {:headers, id, fields} ->
        answer(connection, id, Map.new(fields)[":path"])

      {:rst_stream, _id, :cancel} ->
        :counters.add(cancelled, 1, 1)

      _other ->
        :ok
    end

    absorb(connection, cancelled)
  end

  defp answer(_connection, _id, "/feed.v1.FeedService/Total"), do: :ok

  defp answer(connection, id, _path) do
    item = Wire.data(id, Wire.message(<<10, 1, ?a>>))
    ScriptedServer.write(connection, [Wire.response_headers(id), item])
  end

  defp run(kind, channel) do
    forever = Stream.repeatedly(fn -> Process.sleep(:infinity) end)

    case kind do
      :halted ->
        ["a"] = Enum.take(Feed.tail!("log", channel: channel), 1)

      :raised ->
        try do
          Enum.each(Feed.tail!("log", channel: channel), fn _ -> throw(:no) end)
        catch
          :no -> :ok
        end

      :dead ->
        pid = spawn(fn -> Enum.to_list(Feed.tail!("log", channel: channel)) end)
        kill(pid)

      :deadline ->
        {:error, %{code: :deadline_exceeded}} = Feed.total(forever, channel: channel, timeout: 20)

      :dead_producer ->
        pid = spawn(fn -> Feed.total(forever, channel: channel) end)
        kill(pid)

      :both_ways ->
        {:ok, stream} = Feed.scale(Stream.concat([[1]], forever), factor: 1, channel: channel)
        # Its item is no number of ScaleResponse.
        assert_raise SynapseBridge.Error, fn -> Enum.to_list(stream) end

      :messages ->
        {:ok, %{ref: ref} = stream} = Feed.tail_stream("log", channel: channel)
        assert_receive {^ref, [item: "a"]}
        SynapseBridge.Stream.cancel(stream)

      :dead_owner ->
        pid = spawn(fn -> {:ok, _} = Feed.tail_stream("log", channel: channel) |> idle() end)
        kill(pid)

      :unary ->
        pid = spawn(fn -> Channel.unary(channel, "/p.S/M", "x") end)
        kill(pid)
    end
  end

  defp idle(result), do: Process.sleep(:infinity) && result

  # After its call was made, most of the time.
  defp kill(pid) do
    monitor = Process.monitor(pid)
    eventually(fn -> Process.info(pid, :status) in [nil, {:status, :waiting}] end)
    Process.exit(pid, :kill)
    assert_receive {:DOWN, ^monitor, :process, ^pid, _}
  end

  @kinds [:halted, :raised, :dead, :deadline, :dead_producer, :both_ways, :messages] ++
           [:dead_owner, :unary]

  @tag timeout: 120_000
  test "is left after #{@calls} calls of all kinds were cancelled" do
    server = ScriptedServer.listen()
    channel = start_supervised!({Channel, target: server.target})
    connection = ScriptedServer.accept_http2(server)
    cancelled = :counters.new(1, [])
    start_supervised!({Task, fn -> absorb(connection, cancelled) end})
    {:ok, table} = Table.fetch(channel)
    eventually(fn -> Table.connection(table) != nil end)
    process = Table.connection(table)
    # Before the count: what is made once, as the header blocks of methods are.
    for kind <- @kinds, do: run(kind, channel)
    eventually(fn -> idle?(process) end)
    before = count(process, table)

    1..@calls
    |> Task.async_stream(fn n -> run(Enum.at(@kinds, rem(n, length(@kinds))), channel) end,
      max_concurrency: @at_once,
      timeout: :infinity
    )
    |> Stream.run()

    eventually(fn -> idle?(process) end)
    eventually(fn -> count(process, table) == before end)
    assert :counters.get(cancelled, 1) >= @calls * 0.9
    assert Process.info(self(), :message_queue_len) == {:message_queue_len, 0}
  end

  defp idle?(process) do
    state = :sys.get_state(process)

    state.streams == %{} and state.http2.streams == %{} and state.queued == 0 and
      state.swept == nil
  end

  defp count(process, table) do
    {length(Process.list()), length(:ets.all()), length(:erlang.ports()),
     Process.info(process, [:monitors, :links, :message_queue_len]), :ets.info(table.ets, :size)}
  end
end
