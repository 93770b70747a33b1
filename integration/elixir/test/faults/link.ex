defmodule Integration.Link do
  @moduledoc """
  A way to the server that leads through the driver's proxy, which can be told to do harm.

  `faults/proxy.py` describes the faults, their directions and their numbers.
  """

  alias Integration.Server

  @enforce_keys [:id, :target]
  defstruct @enforce_keys

  @doc "A new link without faults."
  def open do
    [id, port] = "link" |> Server.proxy() |> String.split()
    %__MODULE__{id: id, target: "127.0.0.1:#{port}"}
  end

  @doc "From now on, this happens in the direction `:up` or `:down`."
  def fault(link, kind, direction, number \\ 0) do
    "ok" = Server.proxy("fault #{link.id} #{kind} #{direction} #{number}")
    :ok
  end

  @doc "Nothing happens any more, and bytes are counted anew."
  def clear(link) do
    "ok" = Server.proxy("clear #{link.id}")
    :ok
  end

  @doc "How many bytes went up and down since the faults of these directions were set."
  def passed(link) do
    "passed #{link.id}"
    |> Server.proxy()
    |> String.split()
    |> Enum.map(&String.to_integer/1)
    |> List.to_tuple()
  end

  @doc "Waits until a fault has struck; whether one has."
  def struck?(link), do: Server.proxy("struck #{link.id}") == "yes"
end
