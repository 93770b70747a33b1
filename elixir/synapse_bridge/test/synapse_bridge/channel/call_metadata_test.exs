defmodule SynapseBridge.Channel.CallMetadataTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.Channel.CallMetadata
  alias SynapseBridge.Telemetry

  @given [{"tenant", "a"}]
  @traceparent "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

  defp complete(channel, call, exposed \\ nil),
    do: CallMetadata.complete(@given, %{credentials: channel}, call, fn _options -> exposed end)

  test "without credentials and trace, metadata stays as it was given" do
    assert complete(nil, []) == {:ok, @given}
    assert complete(nil, credentials: nil, traceparent: nil) == {:ok, @given}
  end

  test "the channel's credentials are added, and a call's own come in their place" do
    assert complete(fn -> "channel" end, []) ==
             {:ok, [{"authorization", "Bearer channel"} | @given]}

    for own <- ["own", fn -> {:ok, "own"} end] do
      assert complete(fn -> "channel" end, credentials: {:bearer, own}) ==
               {:ok, [{"authorization", "Bearer own"} | @given]}
    end
  end

  test "a call's own credentials stay here where others could read them" do
    assert {:denied, "call option :credentials: it is a public place"} =
             complete(nil, [credentials: {:bearer, "own"}], "it is a public place")

    # The channel has said so about its own already, when it started.
    assert {:ok, [{"authorization", _token}, _tenant]} =
             complete(fn -> "channel" end, [], "it is a public place")
  end

  test "the reason of a function that has no token is told" do
    assert complete(fn -> {:error, :expired} end, []) ==
             {:denied, "there is no token for the call: :expired"}
  end

  test "the trace is that of the call, else that of the process" do
    assert complete(nil, traceparent: @traceparent) ==
             {:ok, [{"traceparent", @traceparent} | @given]}

    Telemetry.put_traceparent(@traceparent)
    assert complete(nil, []) == {:ok, [{"traceparent", @traceparent} | @given]}
  end
end
