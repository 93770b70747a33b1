defmodule GreeterContractTest do
  use ExUnit.Case, async: true

  @moduletag built_in: "the library does not show what a server says of its contract"

  alias Integration.Server
  alias SynapseBridge.Error

  # A client that was generated before the service changed.
  defmodule Stale do
    use SynapseBridge.Client,
      service: "my_python_agent.v1.MyPythonAgentService",
      contract: "0000000000000000"

    rpc(
      :process_data,
      "ProcessData",
      MyPythonAgent.ProcessDataRequest,
      MyPythonAgent.ProcessDataResponse,
      fingerprint: "00000000"
    )

    rpc(:retired, "Retired", MyPythonAgent.ProcessDataRequest, MyPythonAgent.ProcessDataResponse,
      fingerprint: "00000000"
    )

    def process_data(data, opts \\ []), do: call(:process_data, %{data: data}, opts)
  end

  @moduletag :capture_log
  @alice %{name: "Alice", age: 30}
  @greeting "Hello, Alice! You are 30 years old."

  defp start(opts) do
    opts = [target: Server.target()] ++ opts
    channel = start_supervised!({SynapseBridge.Channel, opts}, id: make_ref())

    test = self()
    id = make_ref()

    SynapseBridge.Telemetry.attach(id, [[:synapse_bridge, :contract, :stale]], fn _,
                                                                                  _,
                                                                                  event,
                                                                                  _ ->
      if event.channel == channel, do: send(test, {:stale, event})
    end)

    on_exit(fn -> SynapseBridge.Telemetry.detach(id) end)
    channel
  end

  test "a client that is up to date notices nothing, however strict its channel" do
    for on_stale <- [:warn, :error] do
      channel = start(on_stale: on_stale)
      assert MyPythonAgent.process_data(@alice, channel: channel) == {:ok, @greeting}
    end

    refute_received {:stale, _}
  end

  test "a stale client is told once, and its calls work as far as they can" do
    channel = start([])

    for _ <- 1..2,
        do: assert(Stale.process_data(@alice, channel: channel) == {:ok, @greeting})

    assert_receive {:stale, %{client: Stale, expected: "0000000000000000", served: served}}
    assert served == MyPythonAgent.__synapse__(:contract)
    refute_received {:stale, _}
  end

  test "a stale client of a strict channel hears what differs, and nothing is sent" do
    channel = start(on_stale: :error)

    assert {:error, %Error{code: :failed_precondition, message: message}} =
             Stale.process_data(@alice, channel: channel)

    assert message =~ "ProcessData has changed, Retired is not there any more"
    assert_receive {:stale, _}
  end
end
