defmodule SynapseBridge.Client.DeadlinesTest do
  # Where the deadline of a call comes from, as the server is told it: the call, else the method, else
  # the channel.
  use ExUnit.Case, async: true

  @moduletag :capture_log

  alias SynapseBridge.{Channel, Error, ScriptedServer, Status, Wire}

  import ScriptedServer, only: [accept_http2: 1, read: 1, read_call: 1, write: 2]

  defp start(opts) do
    server = ScriptedServer.listen()
    channel = start_supervised!({Channel, [target: server.target] ++ opts}, id: make_ref())
    {channel, accept_http2(server)}
  end

  # The milliseconds that the server of the next call is told, or `nil`.
  defp told(connection) do
    {:headers, id, fields} = next_headers(connection)
    write(connection, [Wire.response_headers(id), Wire.trailers(id, "12")])

    case Map.new(fields) do
      %{"grpc-timeout" => text} ->
        {left, "m"} = Integer.parse(text)
        left

      _none ->
        nil
    end
  end

  defp next_headers(connection) do
    case read(connection) do
      {:headers, _id, _fields} = headers -> headers
      _others -> next_headers(connection)
    end
  end

  defp make(call) do
    Task.async(fn ->
      try do
        call.()
      rescue
        Error -> :ok
      end
    end)
  end

  # How long the test may have been held up between a call and what the server is told of it.
  @slack 10_000

  for {title, opts, given, expected} <- [
        {"a call's own goes first", [timeout: 20_000], [timeout: 90_000], 90_000},
        {"else it is the channel's", [timeout: 20_000], [], 20_000},
        {"which is a minute where it says nothing", [], [], 60_000},
        {"and none at all where that is said", [timeout: :infinity], [], nil}
      ] do
    @opts opts
    @given given
    @expected expected
    test "of calls without streams: #{title}" do
      {channel, connection} = start(@opts)

      call =
        make(fn ->
          MyPythonAgent.process_data(%{name: "A", age: 3}, [channel: channel] ++ @given)
        end)

      assert_told(connection, @expected)
      Task.await(call)
    end
  end

  for {title, opts, given, expected} <- [
        {"a call's own goes first", [stream_timeout: 20_000], [timeout: 90_000], 90_000},
        {"else it is the channel's", [stream_timeout: 20_000], [], 20_000},
        {"and none where it says nothing", [timeout: 20_000], [], nil}
      ] do
    @opts opts
    @given given
    @expected expected
    test "of streams: #{title}" do
      {channel, connection} = start(@opts)
      call = make(fn -> Feed.total([1], [channel: channel] ++ @given) end)
      assert_told(connection, @expected)
      Task.await(call)
    end
  end

  test "a method's own goes before the channel's, and a call's before that" do
    {channel, connection} = start(stream_timeout: 5_000)

    for {given, expected} <- [{[], 30_000}, {[timeout: 90_000], 90_000}] do
      call = make(fn -> "log" |> Feed.tail!([channel: channel] ++ given) |> Enum.to_list() end)
      assert_told(connection, expected)
      Task.await(call)
    end
  end

  defp assert_told(connection, nil), do: assert(told(connection) == nil)

  defp assert_told(connection, milliseconds),
    do: assert(told(connection) in (milliseconds - @slack)..milliseconds)

  test "the channel's deadline ends a call, of either kind" do
    {channel, connection} = start(timeout: 300, stream_timeout: 300)
    assert {:error, %Status{code: 4}} = Channel.unary(channel, "/p.S/M", "x")
    read_call(connection)
    assert {:rst_stream, 1, :cancel} = read(connection)
    {:ok, exchange} = Channel.open_stream(channel, "/p.S/M", "x")
    assert {:error, %Status{code: 4}} = Channel.next(exchange)
  end
end
