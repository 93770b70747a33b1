defmodule SynapseBridge.TransportTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.{Channel, Status, Transport}

  defmodule Recorder do
    @moduledoc false
    # A transport that answers what the channel says, and tells who calls it.
    @behaviour Transport

    @impl true
    def child_spec(options),
      do: %{id: options[:name], start: {Agent, :start_link, [fn -> nil end]}}

    @impl true
    def unary(answer, path, request, options) do
      send(self(), {:unary, path, IO.iodata_to_binary(request), options})
      answer
    end

    @impl true
    def open_stream(_answer, path, request, options) do
      send(self(), {:open_stream, path, request, options})
      {:error, Status.local(:unimplemented, "this only records")}
    end

    @impl true
    def produce(_exchange, _items, _encode), do: raise("nothing is opened")
    @impl true
    def next(_exchange, _one, _other), do: raise("nothing is opened")
    @impl true
    def alive?(_exchange), do: false
    @impl true
    def cancel(_exchange), do: :ok
  end

  defmodule Message do
    use SynapseBridge.Message

    message do
      field :result, 1, :string, required: true
    end
  end

  defmodule Client do
    use SynapseBridge.Client, service: "p.v1.S", contract: "0123456789abcdef"

    rpc :say, "Say", Message, Message
    rpc :tail, "Tail", Message, Message, stream: :server

    def say(result, options \\ []), do: call(:say, %{result: result}, options)
    def tail(result, options \\ []), do: call(:tail, %{result: result}, options)
    def tail_stream(result, options \\ []), do: call_stream(:tail, %{result: result}, options)
  end

  setup do
    channel = self()
    response = %Message{result: "b"} |> Message.encode() |> IO.iodata_to_binary()
    :ok = Transport.register(channel, Recorder, {:ok, response, []})
    on_exit(fn -> Transport.unregister(channel) end)
    {:ok, channel: channel}
  end

  test "the built-in one carries what nobody has registered" do
    assert Transport.find(:some_name) == {Channel, :some_name}
    assert Transport.find(self()) != {Channel, self()}

    assert %{start: {Channel, :start_link, [[target: "localhost:1"]]}} =
             Transport.child_spec(target: "localhost:1")

    behaviours = Channel.module_info(:attributes) |> Keyword.get_values(:behaviour)
    assert Transport in List.flatten(behaviours)
  end

  test "a client's calls go through the transport of their channel", %{channel: channel} do
    assert Client.say("a", channel: channel, timeout: 50) == {:ok, "b"}
    assert_received {:unary, "/p.v1.S/Say", request, options}
    assert Message.decode(request) == {:ok, %Message{result: "a"}}
    assert options[:timeout] == 50
    assert {"synapse-contract", "0123456789abcdef"} in options[:metadata]
  end

  test "so do calls that stream", %{channel: channel} do
    {:ok, items} = Client.tail("a", channel: channel)
    assert_raise SynapseBridge.Error, ~r/only records/, fn -> Enum.to_list(items) end
    assert_received {:open_stream, "/p.v1.S/Tail", _request, _options}
  end

  test "a channel is started by the transport that its options name" do
    assert %{id: Client, start: {Agent, _, _}} = Client.child_spec(transport: Recorder)

    for wrong <- [NoSuchModule, Message, "grpc"] do
      assert_raise ArgumentError,
                   ~r/option :transport: expected a module with the callbacks/,
                   fn ->
                     Client.child_spec(transport: wrong, target: "localhost:1")
                   end
    end
  end

  unless Code.ensure_loaded?(Transport.GRPC) do
    test "where the library grpc is not compiled in, the error says how to get it" do
      for fun <- [
            fn -> Client.child_spec(transport: Transport.GRPC, target: "localhost:1") end,
            fn -> Client.say("a", channel: %{__struct__: GRPC.Channel}) end
          ] do
        assert_raise ArgumentError, ~r/set SYNAPSE_BRIDGE_GRPC=hex/, fun
      end
    end
  end
end
