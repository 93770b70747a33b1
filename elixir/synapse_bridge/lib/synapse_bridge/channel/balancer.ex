defmodule SynapseBridge.Channel.Balancer do
  @moduledoc """
  Which connection a call takes. The calling process chooses, without asking any other.

  With `:round_robin` the connections take turns. With `:least_loaded` each has a `t:load/0`: callers
  count the calls that they hand it, the connection notes how many of them are over, and the
  difference is what it has to do, in its mailbox and queue as well as at the server.
  """

  @typedoc "A connection, with its load where the channel balances by that."
  @type member :: pid() | {pid(), load()}

  @opaque load :: :atomics.atomics_ref()

  @given 1
  @over 2

  @doc "The load of a new connection: none."
  @spec new_load() :: load()
  def new_load, do: :atomics.new(2, signed: false)

  @doc "Notes that `count` calls are over. Only the connection does this."
  @spec put_over(load() | nil, non_neg_integer()) :: :ok
  def put_over(nil, _count), do: :ok
  def put_over(load, count), do: :atomics.put(load, @over, count)

  @doc "How many calls a connection has to do."
  @spec calls(load()) :: non_neg_integer()
  def calls(load) do
    # In this order: the other way round, a call that comes and goes in between would make it negative.
    over = :atomics.get(load, @over)
    max(:atomics.get(load, @given) - over, 0)
  end

  @doc """
  One of the connections. `turn` is the channel's counter; it also decides between connections with
  the same load, so that each gets its share.
  """
  @spec choose(tuple(), :atomics.atomics_ref()) :: pid() | nil
  def choose({}, _turn), do: nil
  def choose({connection}, _turn) when is_pid(connection), do: connection

  def choose(members, turn) do
    size = tuple_size(members)
    first = rem(:atomics.add_get(turn, 1, 1), size)

    case elem(members, first) do
      {_connection, _load} = member -> least(members, size, first + 1, size - 1, member)
      connection -> connection
    end
  end

  defp least(members, size, index, left, {_connection, load} = member) do
    least(members, size, index, left, member, calls(load))
  end

  defp least(_members, _size, _index, left, {connection, load}, fewest)
       when left == 0 or fewest == 0 do
    :atomics.add(load, @given, 1)
    connection
  end

  defp least(members, size, index, left, member, fewest) do
    {_connection, load} = other = elem(members, rem(index, size))

    case calls(load) do
      calls when calls < fewest -> least(members, size, index + 1, left - 1, other, calls)
      _more -> least(members, size, index + 1, left - 1, member, fewest)
    end
  end

  @doc "The connections other than this one; `:error` when it is not among them."
  @spec without(tuple(), pid()) :: {:ok, tuple()} | :error
  def without(members, connection) do
    all = Tuple.to_list(members)

    case Enum.reject(all, &(pid(&1) == connection)) do
      ^all -> :error
      others -> {:ok, List.to_tuple(others)}
    end
  end

  @doc "The processes of members, none without any."
  @spec pids(tuple() | nil) :: [pid()]
  def pids(nil), do: []
  def pids(members), do: members |> Tuple.to_list() |> Enum.map(&pid/1)

  defp pid({connection, _load}), do: connection
  defp pid(connection), do: connection
end
