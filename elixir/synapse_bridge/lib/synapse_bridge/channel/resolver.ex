defmodule SynapseBridge.Channel.Resolver do
  @moduledoc """
  Looks up the addresses of a `dns:` target: at the start, every `resolve_interval`, and when asked to
  because a connection was lost, though not more than once a second.

  A server is expected at each IPv4 address of the name, or, where it has none, at each IPv6 address.
  The one who started it gets `{:endpoints, target, {:ok, targets} | {:error, text}}` each time. A
  lookup may take long, so it has a process of its own.
  """

  use GenServer, restart: :temporary

  alias SynapseBridge.Transport.{Socket, Target}

  # In milliseconds, between two lookups.
  @least 1_000
  # In milliseconds, for the lookup when a channel starts.
  @patience 3_000

  @doc "Starts a process, linked to the caller, that reports to it."
  @spec start_link(Target.t(), interval :: pos_integer()) :: GenServer.on_start()
  def start_link(target, interval),
    do: GenServer.start_link(__MODULE__, {target, interval, self()})

  @doc """
  Looks up the names of a channel that starts, unless it may wait for its servers: a name that is not
  known is most often misspelt. `dns:` targets are for names that may come later.

  The error is a text. A lookup that takes longer than a name server in reach would is given up.
  """
  @spec check([Target.t()], wait_for_ready :: boolean()) :: :ok | {:error, String.t()}
  def check(_targets, true), do: :ok

  def check(targets, false) do
    names = for %Target{address: {:name, _name}} = target <- targets, do: target
    lookup = Task.async(fn -> Enum.find_value(names, :ok, &unknown/1) end)

    case Task.yield(lookup, @patience) || Task.shutdown(lookup, :brutal_kill) do
      {:ok, result} -> result
      _none -> :ok
    end
  end

  defp unknown(%Target{authority: authority} = target) do
    case Socket.addresses(target) do
      {:ok, _addresses} ->
        nil

      {:error, text} ->
        {:error,
         "#{text}: expected a name or an address that is known here. \"dns:#{authority}\", or " <>
           "wait_for_ready: true, lets a channel start before its server's name is known"}
    end
  end

  @doc "Asks for a lookup now, or as soon as the last one is a second ago."
  @spec again(pid()) :: :ok
  def again(resolver), do: GenServer.cast(resolver, :again)

  @impl true
  def init({target, interval, owner}) do
    state = %{target: target, interval: interval, owner: owner, timer: nil, at: nil}
    {:ok, state, {:continue, :resolve}}
  end

  @impl true
  def handle_continue(:resolve, state), do: {:noreply, resolve(state)}

  @impl true
  def handle_cast(:again, state) do
    wait = max(state.at + @least - now(), 0)
    left = Process.read_timer(state.timer) || 0
    {:noreply, if(wait < left, do: schedule(state, wait), else: state)}
  end

  @impl true
  def handle_info({:timeout, timer, :resolve}, %{timer: timer} = state),
    do: {:noreply, resolve(state)}

  def handle_info(_late, state), do: {:noreply, state}

  defp resolve(state) do
    send(state.owner, {:endpoints, state.target, lookup(state.target)})
    schedule(%{state | at: now()}, state.interval)
  end

  defp schedule(state, time) do
    if state.timer, do: Process.cancel_timer(state.timer)
    %{state | timer: :erlang.start_timer(time, self(), :resolve)}
  end

  @doc "The servers at the addresses of a name."
  @spec lookup(Target.t()) :: {:ok, [Target.t()]} | {:error, String.t()}
  def lookup(%Target{address: {:dns, name}} = target) do
    case addresses(String.to_charlist(name), [:inet, :inet6]) do
      [] -> {:error, "the host name #{inspect(name)} does not resolve"}
      ips -> {:ok, ips |> Enum.uniq() |> Enum.map(&Target.at(target, &1))}
    end
  end

  defp addresses(_name, []), do: []

  defp addresses(name, [family | others]) do
    case :inet.getaddrs(name, family) do
      {:ok, ips} -> ips
      {:error, _reason} -> addresses(name, others)
    end
  end

  defp now, do: System.monotonic_time(:millisecond)
end
