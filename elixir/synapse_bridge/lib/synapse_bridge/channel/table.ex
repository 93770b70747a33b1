defmodule SynapseBridge.Channel.Table do
  @moduledoc """
  What a calling process needs to know of a channel, where it can read it without asking any process.

  The settings of a channel are a persistent term under its name and its pid. What changes is in an
  ETS table of the process that keeps it connected: the connection that takes calls, why there is
  none, and the header blocks of the methods called so far. The table goes when its owner goes, and
  then the channel counts as not running, whatever the persistent term says.
  """

  alias SynapseBridge.Channel.Options
  alias SynapseBridge.Transport.Request

  # Paths come from generated code. Should someone make them up, the table does not grow for ever.
  @most_heads 10_000

  @enforce_keys [:ets, :connector, :options, :scheme, :authority]
  defstruct [:ets, :connector, :options, :scheme, :authority]

  @type t :: %__MODULE__{
          ets: :ets.table(),
          connector: pid(),
          options: Options.t(),
          scheme: String.t(),
          authority: String.t()
        }

  @doc "Makes the calling process known as the one that keeps a channel connected."
  @spec register(Options.t()) :: t()
  def register(%Options{} = options) do
    table = %__MODULE__{
      ets: :ets.new(__MODULE__, [:set, :public, read_concurrency: true]),
      connector: self(),
      options: options,
      scheme: if(options.tls, do: "https", else: "http"),
      authority: options.authority || options.target.authority
    }

    for key <- keys(options), do: :persistent_term.put({__MODULE__, key}, table)
    table
  end

  @doc "Takes back what `register/1` did."
  @spec unregister(t()) :: :ok
  def unregister(%__MODULE__{options: options}) do
    for key <- keys(options), do: :persistent_term.erase({__MODULE__, key})
    :ok
  end

  defp keys(%Options{name: nil}), do: [self()]
  defp keys(%Options{name: name}), do: [self(), name]

  @doc "The table of the channel with this name or pid."
  @spec fetch(atom() | pid()) :: {:ok, t()} | :error
  def fetch(channel) do
    case :persistent_term.get({__MODULE__, channel}, nil) do
      nil -> :error
      table -> {:ok, table}
    end
  end

  @doc "Lets calls go to `connection`."
  @spec publish(t(), connection :: pid()) :: true
  def publish(%__MODULE__{ets: ets}, connection) do
    :ets.insert(ets, {:connection, connection})
    :ets.delete(ets, :failure)
  end

  @doc """
  Keeps new calls from `connection`, if it is the one that takes them. The connection does this
  itself as soon as it knows, so that no call goes its way while others still have to hear of it.
  """
  @spec withdraw(t(), connection :: pid()) :: true
  def withdraw(%__MODULE__{ets: ets}, connection) do
    :ets.delete_object(ets, {:connection, connection})
  rescue
    # The channel is gone already.
    ArgumentError -> true
  end

  @doc "Notes why there is no connection."
  @spec put_failure(t(), String.t()) :: true
  def put_failure(%__MODULE__{ets: ets}, text), do: :ets.insert(ets, {:failure, text})

  @doc "Why there was no connection last time, if there is none now."
  @spec failure(t()) :: String.t() | nil
  def failure(table), do: lookup(table, :failure)

  @doc "The connection that takes calls."
  @spec connection(t()) :: pid() | nil
  def connection(table), do: lookup(table, :connection)

  @doc "The header block that all calls of the method at `path` share, made with the first one."
  @spec head(t(), path :: String.t()) :: Request.block()
  def head(%__MODULE__{ets: ets} = table, path) do
    with nil <- lookup(table, path) do
      head = Request.head(table.scheme, table.authority, path)
      if :ets.info(ets, :size) < @most_heads, do: insert(table, {path, head})
      head
    end
  end

  # The table may be gone with the channel: then there is nothing in it.
  defp lookup(%__MODULE__{ets: ets}, key) do
    case :ets.lookup(ets, key) do
      [{_key, value}] -> value
      [] -> nil
    end
  rescue
    ArgumentError -> nil
  end

  defp insert(%__MODULE__{ets: ets}, row) do
    :ets.insert(ets, row)
  rescue
    ArgumentError -> false
  end
end
