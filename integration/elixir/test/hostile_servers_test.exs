defmodule HostileServersTest do
  @moduledoc "The client against servers that flood it, stall it, and leave it at each moment."

  use ExUnit.Case

  @moduletag built_in: "what the library takes of a server is for the library to say"

  import Integration.Eventually

  alias Integration.{Kinds, Server}
  alias SynapseBridge.Error

  @deadline 20_000
  @kinds [:unary, :server_stream]
  # What a rogue answers to these.
  @right %{unary: :ok, server_stream: {:ok, []}}
  # Of the virtual machine, after all garbage is gone: that nothing which a server sends is kept.
  @kept 16 * 1024 * 1024

  defp meet(scenario, kind, timeout \\ @deadline) do
    port = Server.proxy("rogue #{scenario}")
    channel = Kinds.channel("127.0.0.1:#{port}")
    opts = [channel: channel, wait_for_ready: true]
    outcome = Kinds.call(kind, "x", [timeout: timeout] ++ opts)
    {time, after_it} = :timer.tc(fn -> Kinds.call(kind, "x", [timeout: @deadline] ++ opts) end)
    assert after_it == @right[kind], "it did not recover: #{inspect(after_it)}"
    IO.puts("| #{scenario} | #{kind} | #{told(outcome)} | #{div(time, 1000) + 1} ms |")
    outcome
  end

  defp told({:error, %Error{code: code}}), do: code
  defp told(_right), do: "right"

  defp memory do
    Enum.each(Process.list(), &:erlang.garbage_collect/1)
    :erlang.memory(:total)
  end

  describe "what is of no use, but allowed, changes no result:" do
    for scenario <- [
          "PING",
          "SETTINGS",
          "WINDOW_UPDATE",
          "PRIORITY",
          "empty DATA",
          "interim responses",
          "padding, PRIORITY and unknown frames",
          "REFUSED_STREAM"
        ] do
      test scenario do
        before = memory()
        for kind <- @kinds, do: assert(meet(unquote(scenario), kind) == @right[kind])
        assert eventually(fn -> memory() - before < @kept end)
      end
    end
  end

  describe "what goes beyond a limit is told to the call, and the next one is fine:" do
    for {scenario, codes} <- [
          {"RST_STREAM", [:internal]},
          {"CONTINUATION", [:unavailable]},
          {"a header bomb", [:resource_exhausted]},
          {"a huge frame", [:unavailable]},
          {"a response beyond the limit", [:resource_exhausted]}
        ] do
      test scenario do
        before = memory()

        for kind <- @kinds do
          assert {:error, %Error{code: code}} = meet(unquote(scenario), kind)
          assert code in unquote(codes)
        end

        assert eventually(fn -> memory() - before < @kept end)
      end
    end
  end

  test "a server that opens no window costs a call its deadline, and nothing more" do
    for kind <- @kinds do
      assert {:error, %Error{code: :deadline_exceeded}} = meet("no window", kind, 300)
    end
  end

  describe "GOAWAY" do
    for moment <- [
          "instead of SETTINGS",
          "before a call",
          "without the call",
          "before the head",
          "after the head",
          "before the trailers",
          "after the trailers"
        ] do
      test "#{moment} loses no call" do
        for kind <- @kinds, do: assert(meet("GOAWAY #{unquote(moment)}", kind) == @right[kind])
      end
    end

    test "and no trailers loses the call that it names, and says so" do
      for kind <- @kinds do
        assert {:error, %Error{code: :unavailable}} = meet("GOAWAY and no trailers", kind)
      end
    end
  end

  test "1,000 calls over a limit of 100: all are answered, and never are there more at once" do
    channel = Kinds.channel("127.0.0.1:#{Server.proxy("crowd")}")

    outcomes =
      1..1000
      |> Enum.map(
        &Task.async(fn -> Kinds.call(:unary, "#{&1}", channel: channel, timeout: @deadline) end)
      )
      |> Task.await_many(@deadline)

    assert Enum.frequencies(outcomes) == %{ok: 1000}
    assert Server.proxy("crowded") == "100 1000"
  end
end
