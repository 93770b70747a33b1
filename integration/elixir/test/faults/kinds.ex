defmodule Integration.Kinds do
  @moduledoc "A call of each kind to the streams service, whose effects are counted under a label."

  alias SynapseBridge.{Channel, Error}

  @numbers Enum.to_list(1..8)

  @doc "The kinds of call."
  def all, do: [:unary, :server_stream, :client_stream, :both_streams]

  @doc "Makes a call, to its end: `:ok`, `{:ok, result}` or `{:error, error}`."
  def call(:unary, label, opts), do: Streams.go_on(label, 1, opts)
  def call(:client_stream, label, opts), do: Streams.add_async(@numbers, [label: label] ++ opts)

  def call(:server_stream, label, opts),
    do: taken(fn -> Streams.count_async!(8, [label: label] ++ opts) end)

  def call(:both_streams, label, opts),
    do: taken(fn -> Streams.scale_async!(@numbers, [label: label] ++ opts) end)

  @doc "What a call of the kind is to return."
  def right(:unary), do: :ok
  def right(:client_stream), do: {:ok, 36}
  def right(:server_stream), do: {:ok, Enum.to_list(0..7)}
  def right(:both_streams), do: {:ok, Enum.map(@numbers, &(&1 * 2))}

  @doc "How often the server ran a call with the label, asked on a connection without faults."
  def ran(label) do
    counts = Streams.seen!(label, wait_for_ready: true).counts
    Map.get(counts, "started", 0) + Map.get(counts, "allowed", 0)
  end

  @doc "Starts a channel that finds a server again soon; its name."
  def channel(target, opts \\ []) do
    name = :"channel #{System.unique_integer([:positive])}"
    opts = [name: name, target: target, backoff: [initial: 1, max: 50]] ++ opts
    {:ok, _pid} = Channel.start_link(opts)
    name
  end

  defp taken(stream) do
    {:ok, Enum.to_list(stream.())}
  rescue
    error in Error -> {:error, error}
  end
end
