defmodule Integration.Eventually do
  @moduledoc "Waiting for what another process will do, by looking at what it shows."

  @doc """
  Calls `observe` until it returns a true value, and returns that; fails after `within` ms.
  """
  def eventually(observe, within \\ 30_000) do
    poll(observe, System.monotonic_time(:millisecond) + within)
  end

  defp poll(observe, deadline) do
    cond do
      value = observe.() ->
        value

      System.monotonic_time(:millisecond) < deadline ->
        Process.sleep(10)
        poll(observe, deadline)

      true ->
        raise ExUnit.AssertionError, message: "it did not happen in time"
    end
  end
end
