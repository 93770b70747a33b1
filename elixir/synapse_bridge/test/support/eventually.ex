defmodule SynapseBridge.Eventually do
  @moduledoc "Waiting for what other processes do, without guessing how long they take."

  @doc "Returns once `condition` holds; the test's timeout bounds it."
  @spec eventually((() -> boolean())) :: :ok
  def eventually(condition) do
    if condition.() do
      :ok
    else
      Process.sleep(1)
      eventually(condition)
    end
  end
end
