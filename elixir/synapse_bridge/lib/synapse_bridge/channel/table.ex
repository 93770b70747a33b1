defmodule SynapseBridge.Channel.Table do
  @moduledoc """
  What a calling process needs to know of a channel, where it can read it without asking any process.

  The settings of a channel are a persistent term under its name and its pid. What changes is in an
  ETS table of the process that keeps it connected: the connections that take calls, or why there are
  none. The table goes when its owner goes, and then the channel counts as not running, whatever the
  persistent term says.
  """

  alias SynapseBridge.Channel.{Balancer, Options}
  alias SynapseBridge.Server
  alias SynapseBridge.Transport.Request

  @enforce_keys [:ets, :connector, :options, :head, :label, :turn]
  defstruct [:supervisor | @enforce_keys]

  @typedoc """
    * `head` - the beginning of all header blocks
    * `label` - the servers, for a person
    * `turn` - counts the calls, for taking turns (`SynapseBridge.Channel.Balancer`)
  """
  @type t :: %__MODULE__{
          ets: :ets.table(),
          connector: pid(),
          options: Options.t(),
          head: Request.block(),
          label: String.t(),
          turn: :atomics.atomics_ref(),
          supervisor: pid() | nil
        }

  @doc """
  Makes the calling process known as the one that keeps a channel connected. The channel can also be
  found by the pid of `supervisor`.
  """
  @spec register(Options.t(), supervisor :: pid() | nil) :: t()
  def register(%Options{} = options, supervisor) do
    scheme = if options.tls, do: "https", else: "http"

    table = %__MODULE__{
      ets: :ets.new(__MODULE__, [:set, :public, read_concurrency: true]),
      connector: self(),
      options: options,
      head: Request.head(scheme, options.authority || authority(options.targets)),
      label: label(options),
      supervisor: supervisor,
      turn: :atomics.new(1, signed: false)
    }

    for key <- keys(table), do: :persistent_term.put({__MODULE__, key}, table)
    table
  end

  # Where a server of ours listens, it is called as it would be on a Unix socket.
  defp authority([]), do: "localhost"
  defp authority([target | _others]), do: target.authority

  defp label(%{server: nil, targets: targets}), do: Enum.join(targets, ", ")
  defp label(%{server: server}), do: Server.label(server)

  @doc "Takes back what `register/1` did."
  @spec unregister(t()) :: :ok
  def unregister(%__MODULE__{} = table) do
    for key <- keys(table), do: :persistent_term.erase({__MODULE__, key})
    :ok
  end

  defp keys(table) do
    Enum.reject([table.connector, table.supervisor, table.options.name], &is_nil/1)
  end

  @doc "What the channel is called: its name, or the pid that it was started with."
  @spec name(t()) :: atom() | pid()
  def name(table), do: hd(Enum.reverse(keys(table)))

  @doc "The table of the channel with this name or pid."
  @spec fetch(atom() | pid()) :: {:ok, t()} | :error
  def fetch(channel) do
    case :persistent_term.get({__MODULE__, channel}, nil) do
      nil -> :error
      table -> {:ok, table}
    end
  end

  @doc "Lets calls go to these connections, and no others."
  @spec publish(t(), [Balancer.member()]) :: true
  def publish(%__MODULE__{ets: ets}, members) do
    if members != [], do: :ets.delete(ets, :failure)
    :ets.insert(ets, {:ready, List.to_tuple(members)})
  end

  @doc """
  Keeps new calls from `connection`. The connection does this itself as soon as it knows, so that no
  call goes its way while others still have to hear of it.
  """
  @spec withdraw(t(), connection :: pid()) :: :ok
  def withdraw(%__MODULE__{ets: ets} = table, connection) do
    with [{:ready, members} = row] <- :ets.lookup(ets, :ready),
         {:ok, others} <- Balancer.without(members, connection) do
      # Only if nobody has changed the row in the meantime.
      new = {{:ready, {:const, others}}}
      if :ets.select_replace(ets, [{row, [], [new]}]) == 0, do: withdraw(table, connection)
    end

    :ok
  rescue
    # The channel is gone already.
    ArgumentError -> :ok
  end

  @doc "Notes why there is no connection."
  @spec put_failure(t(), String.t()) :: true
  def put_failure(%__MODULE__{ets: ets}, text), do: :ets.insert(ets, {:failure, text})

  @doc "Why there was no connection last time, if there is none now."
  @spec failure(t()) :: String.t() | nil
  def failure(table), do: lookup(table, :failure)

  @doc "Whether there is a connection that takes calls."
  @spec ready?(t()) :: boolean()
  def ready?(table), do: lookup(table, :ready) not in [nil, {}]

  @doc "The connections that take calls."
  @spec connections(t()) :: [pid()]
  def connections(table), do: table |> lookup(:ready) |> Balancer.pids()

  @doc "A connection that takes calls: the one whose turn it is."
  @spec connection(t()) :: pid() | nil
  def connection(%__MODULE__{turn: turn} = table) do
    case lookup(table, :ready) do
      nil -> nil
      members -> Balancer.choose(members, turn)
    end
  end

  @doc "Notes that a server has complained of too many PINGs."
  @spec complain(t()) :: integer()
  def complain(%__MODULE__{ets: ets}) do
    :ets.update_counter(ets, :complaints, 1, {:complaints, 0})
  rescue
    ArgumentError -> 0
  end

  @doc "How often servers have complained."
  @spec complaints(t()) :: non_neg_integer()
  def complaints(table), do: lookup(table, :complaints) || 0

  @doc "Notes something about a connection, unless that is noted already."
  @spec note(t(), connection :: pid(), what :: term(), value :: term()) :: boolean()
  def note(%__MODULE__{ets: ets}, connection, what, value) do
    :ets.insert_new(ets, {{connection, what}, value})
  rescue
    ArgumentError -> false
  end

  @doc "What is noted about a connection."
  @spec noted(t(), connection :: pid(), what :: term()) :: term()
  def noted(table, connection, what), do: lookup(table, {connection, what})

  @doc "Forgets what is noted about a connection."
  @spec forget(t(), connection :: pid()) :: true
  def forget(%__MODULE__{ets: ets}, connection),
    do: :ets.match_delete(ets, {{connection, :_}, :_})

  # The table may be gone with the channel: then there is nothing in it.
  defp lookup(%__MODULE__{ets: ets}, key) do
    case :ets.lookup(ets, key) do
      [{_key, value}] -> value
      [] -> nil
    end
  rescue
    ArgumentError -> nil
  end
end
