defmodule SynapseBridge.Transport.GRPCTest do
  # Each kind of call against Python is in the integration suites, with SYNAPSE_TRANSPORT=grpc.
  use ExUnit.Case, async: true

  @moduletag :capture_log

  unless Code.ensure_loaded?(SynapseBridge.Transport.GRPC) do
    @moduletag skip: "the library grpc is not compiled in: SYNAPSE_BRIDGE_GRPC names none"
  end

  alias SynapseBridge.{Error, ScriptedServer}

  import SynapseBridge.Eventually

  defp spec(options),
    do: Feed.child_spec([transport: SynapseBridge.Transport.GRPC] ++ options)

  # The library asks a name server for the addresses of names, so a server is named by its address.
  defp target do
    server = ScriptedServer.listen()
    ScriptedServer.stop_listening(server)
    server.target
  end

  defp start(options) do
    name = :"grpc_#{System.unique_integer([:positive])}"
    start_supervised!(spec([name: name] ++ options))
    name
  end

  test "wrong options are refused with their names" do
    for {options, text} <- [
          {[], ~r/needs the option :target/},
          {[target: "http://localhost"], ~r/:target: .*looks like a URL/},
          {[target: "localhost:1", pool_size: 2], ~r/option :pool_size is unknown/},
          {[target: "localhost:1", connect: :gun], ~r/:connect: expected a keyword list/},
          {[target: "example.org:1", credentials: {:bearer, "t"}],
           ~r/:credentials: whoever is on/}
        ] do
      assert {:error, {%ArgumentError{message: message}, _stack}} =
               start_supervised(spec(options)) |> unwrap()

      assert message =~ text
    end
  end

  defp unwrap({:error, {{:EXIT, reason}, _child}}), do: {:error, reason}

  test "without a server, calls of each kind are :unavailable, and it says where" do
    target = target()
    channel = start(target: target)
    assert {:error, %Error{code: :unavailable} = error} = Feed.total([1], channel: channel)
    assert error.message =~ "no connection to " <> target
    assert_raise Error, ~r/unavailable/, fn -> Enum.to_list(Feed.tail!("x", channel: channel)) end
  end

  test "a call that waits for a server waits until its deadline" do
    channel = start(target: target(), backoff: [initial: 10, max: 50])

    assert {:error, %Error{code: :deadline_exceeded}} =
             Feed.total([1], channel: channel, wait_for_ready: true, timeout: 200)
  end

  test "metadata that is not allowed is refused before anything is sent" do
    channel = start(target: target())

    assert {:error, %Error{code: :invalid_argument, message: message}} =
             Feed.total([1], channel: channel, metadata: [{"grpc-x", "1"}])

    assert message =~ "grpc-x"
  end

  test "a channel that was stopped is not found any more" do
    channel = start(target: target())
    stop_supervised!(channel)

    eventually(fn ->
      match?({:error, %Error{code: :unavailable}}, Feed.total([1], channel: channel))
    end)

    assert SynapseBridge.Transport.find(channel) == {SynapseBridge.Channel, channel}
  end
end
