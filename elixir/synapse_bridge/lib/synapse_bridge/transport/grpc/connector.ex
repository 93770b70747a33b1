if Code.ensure_loaded?(GRPC.Stub) do
  defmodule SynapseBridge.Transport.GRPC.Connector do
    @moduledoc false
    # Connects a supervised channel, again and again until there is a server, and holds the library's
    # channel, which keeps itself connected from then on.

    use GenServer

    alias SynapseBridge.Channel.{Backoff, Call, Resolver}
    alias SynapseBridge.{Status, Transport}
    alias SynapseBridge.Transport.GRPC.Options

    @enforce_keys [:ets, :pid, :options]
    defstruct [:ets, :pid, :options]

    @typedoc "What calls need to know of a channel."
    @type t :: %__MODULE__{ets: :ets.table(), pid: pid(), options: map()}

    @doc "Starts a channel; it connects in the background."
    @spec start_link(keyword()) :: GenServer.on_start()
    def start_link(options) do
      options = Options.new!(options)

      with {:error, text} <- Resolver.check([options.target], options.wait_for_ready),
           do: raise(ArgumentError, "channel option :target: " <> text)

      GenServer.start_link(__MODULE__, options)
    end

    @doc "The options of a channel."
    @spec options(t() | struct()) :: map()
    def options(%__MODULE__{options: options}), do: options

    def options(%GRPC.Channel{cred: cred}),
      do: %{Options.defaults() | connect: fn -> [cred: cred] end}

    @doc "The library's channel, if need be once it is connected."
    @spec channel(t() | struct(), wait? :: boolean(), timeout(), Call.deadline()) ::
            {:ok, struct()} | {:error, Status.t()}
    def channel(%GRPC.Channel{} = channel, _wait?, _timeout, _deadline), do: {:ok, channel}

    def channel(%__MODULE__{ets: ets, pid: pid}, wait?, timeout, deadline) do
      case state(ets) do
        {:connected, channel} -> {:ok, channel}
        {:failed, text} when not wait? -> unavailable(text)
        _state -> ask(pid, wait?, timeout, deadline)
      end
    end

    defp state(ets) do
      [state: state] = :ets.lookup(ets, :state)
      state
    rescue
      ArgumentError -> {:failed, "the channel is not running"}
    end

    defp ask(pid, wait?, timeout, deadline) do
      time = deadline |> Call.remaining() |> Call.receive_timeout()

      case GenServer.call(pid, {:channel, wait?}, time) do
        {:connected, channel} -> {:ok, channel}
        {:failed, text} -> unavailable(text)
      end
    catch
      :exit, {:timeout, _call} ->
        text = "no connection within #{timeout} ms"
        {:error, Status.local(:deadline_exceeded, text)}

      :exit, _reason ->
        unavailable("the channel is not running")
    end

    defp unavailable(text), do: {:error, Status.local(:unavailable, text)}

    @impl true
    def init(options) do
      # So that `terminate/2` is called.
      Process.flag(:trap_exit, true)
      ets = :ets.new(__MODULE__, [:set, :protected, read_concurrency: true])
      :ets.insert(ets, {:state, :connecting})
      channel = %__MODULE__{ets: ets, pid: self(), options: options}
      for key <- keys(options), do: Transport.register(key, Transport.GRPC, channel)
      {:ok, %{channel: channel, failures: 0, waiting: []}, {:continue, :connect}}
    end

    defp keys(options), do: Enum.reject([self(), options.name], &is_nil/1)

    @impl true
    def handle_continue(:connect, state), do: {:noreply, connect(state)}

    @impl true
    def handle_info(:connect, state), do: {:noreply, connect(state)}
    def handle_info({:tried, {:ok, channel}}, state), do: {:noreply, connected(state, channel)}
    def handle_info({:tried, {:error, reason}}, state), do: {:noreply, failed(state, reason)}
    def handle_info({:EXIT, _pid, :normal}, state), do: {:noreply, state}
    def handle_info({:EXIT, _pid, reason}, state), do: {:noreply, failed(state, reason)}
    def handle_info(_of_the_library, state), do: {:noreply, state}

    @impl true
    def handle_call({:channel, wait?}, from, state) do
      case state(state.channel.ets) do
        {:connected, _channel} = outcome -> {:reply, outcome, state}
        {:failed, _text} = outcome when not wait? -> {:reply, outcome, state}
        _state -> {:noreply, %{state | waiting: [{from, wait?} | state.waiting]}}
      end
    end

    # The library takes its time, and this process may have to stop meanwhile.
    defp connect(%{channel: %{options: options}} = state) do
      connector = self()

      spawn_link(fn ->
        target = Options.target(options.target)
        send(connector, {:tried, GRPC.Stub.connect(target, options.connect.())})
      end)

      state
    end

    defp connected(state, channel) do
      outcome = {:connected, channel}
      :ets.insert(state.channel.ets, {:state, outcome})
      for {from, _wait?} <- state.waiting, do: GenServer.reply(from, outcome)
      %{state | failures: 0, waiting: []}
    end

    defp failed(%{channel: %{ets: ets, options: options}} = state, reason) do
      outcome = {:failed, "no connection to #{options.target}: #{text(reason)}"}
      :ets.insert(ets, {:state, outcome})
      {waiting, others} = Enum.split_with(state.waiting, fn {_from, wait?} -> wait? end)
      for {from, _wait?} <- others, do: GenServer.reply(from, outcome)
      failures = state.failures + 1
      Process.send_after(self(), :connect, Backoff.delay(options.backoff, failures))
      %{state | failures: failures, waiting: waiting}
    end

    defp text(reason) when is_binary(reason), do: reason
    defp text(reason), do: inspect(reason)

    @impl true
    def terminate(_reason, %{channel: %{ets: ets, options: options}}) do
      for key <- keys(options), do: Transport.unregister(key)
      with {:connected, channel} <- state(ets), do: GRPC.Stub.disconnect(channel)
    end
  end
end
