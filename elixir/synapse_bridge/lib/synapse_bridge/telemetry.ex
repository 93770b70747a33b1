defmodule SynapseBridge.Telemetry do
  @moduledoc """
  What happens in a channel, as events.

      SynapseBridge.Telemetry.attach(
        "log-slow-calls",
        [[:synapse_bridge, :call, :stop]],
        fn _event, %{duration: duration}, %{path: path}, limit ->
          if duration > limit, do: Logger.warning("slow: \#{path}")
        end,
        System.convert_time_unit(500, :millisecond, :native)
      )

  Where the library `:telemetry` runs, events go through it, and its own functions attach handlers as
  well. Otherwise a dispatcher of our own takes its place, with the same rules: a handler runs in the
  process that the event happens in, and one that raises is detached. Without handlers, and without
  the library, an event costs one look at a persistent term.

  ## Events

  All names begin with `:synapse_bridge`. Durations are in native time units.

  | event | measurements | metadata |
  |---|---|---|
  | `:call, :start` | `system_time` | `channel`, `path` (`"/package.Service/Method"`), `client` (the generated module, `nil` without one), `stream` (whether the call streams) |
  | `:call, :stop` | `duration`, `retries` | the same, and `code`: `:ok` or the name of a status, such as `:unavailable`; `:cancelled` for a stream that is left before its end |
  | `:call, :exception` | `duration` | the same as at the start, and `kind`, `reason`, `stacktrace` |
  | `:connection, :up` | `system_time` | `channel`, `target` |
  | `:connection, :down` | `duration` (since it was up) | `channel`, `target`, `reason` (a text) |
  | `:contract, :stale` | `system_time` | `channel`, `target`, `client`, `expected` and `served` (hashes of contracts); once for each connection and client |
  | `:server, :start` | `system_time` | `channel`, `server`, `os_pid`, `attempt` (from 1) |
  | `:server, :ready` | `duration` (since the start) | the same, and `target` |
  | `:server, :down` | `duration` (since the start) | the same as at the start, and `reason` (a text) |

  `channel` is the channel's name, or its pid without one; `server` is what a managed server is called
  in messages.

  ## Traces

  A call sends a `traceparent` (W3C Trace Context) if the option of that name gives it one, or else the
  one that `put_traceparent/1` has given its process. With OpenTelemetry, for example:

      [{"traceparent", value} | _] = :otel_propagator_text_map.inject([])
      SynapseBridge.Telemetry.put_traceparent(value)
  """

  alias SynapseBridge.Channel.Table
  alias SynapseBridge.Status

  require Logger

  # Every call looks these up, and an atom has its hash at hand.
  @handlers __MODULE__.Handlers
  @library __MODULE__.Library
  @traceparent __MODULE__.Traceparent
  @format ~r/\A[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\z/

  @type event :: [atom(), ...]
  @type handler :: (event(), measurements :: map(), metadata :: map(), config :: term() -> term())

  @doc """
  Lets `handler` be called for each of `events`. `{:error, :already_exists}` when the `id` is taken.
  """
  @spec attach(id :: term(), [event(), ...], handler(), config :: term()) ::
          :ok | {:error, :already_exists}
  def attach(id, events, handler, config \\ nil) when is_function(handler, 4) do
    if library?() do
      # The name is not known to the compiler, as it need not be there.
      apply(:telemetry, :attach_many, [id, events, handler, config])
    else
      change(fn handlers ->
        if List.keymember?(handlers, id, 0),
          do: {{:error, :already_exists}, handlers},
          else: {:ok, [{id, events, handler, config} | handlers]}
      end)
    end
  end

  @doc "Takes back what `attach/4` did."
  @spec detach(id :: term()) :: :ok | {:error, :not_found}
  def detach(id) do
    if library?() do
      apply(:telemetry, :detach, [id])
    else
      change(fn handlers ->
        if List.keymember?(handlers, id, 0),
          do: {:ok, List.keydelete(handlers, id, 0)},
          else: {{:error, :not_found}, handlers}
      end)
    end
  end

  # One change at a time; none is lost.
  defp change(fun) do
    :global.trans(
      {@handlers, self()},
      fn ->
        {result, handlers} = fun.(:persistent_term.get(@handlers, []))

        if handlers == [],
          do: :persistent_term.erase(@handlers),
          else: :persistent_term.put(@handlers, handlers)

        result
      end,
      [node()]
    )
  end

  @doc "Whether anybody may listen."
  @spec listened?() :: boolean()
  def listened? do
    :persistent_term.get(@handlers, nil) != nil or :persistent_term.get(@library, false)
  end

  @doc """
  Finds out whether the library runs, which a channel does when it starts: asking for each event would
  cost more than the event.
  """
  @spec detect() :: boolean()
  def detect do
    library? = library?()

    if library? != :persistent_term.get(@library, false),
      do: :persistent_term.put(@library, library?)

    library?
  end

  defp library?, do: Process.whereis(:telemetry_handler_table) != nil

  @doc "Tells those who listen. `event` is without `:synapse_bridge`."
  @spec execute(event(), measurements :: map(), metadata :: map()) :: :ok
  def execute(event, measurements, metadata) do
    event = [:synapse_bridge | event]

    if :persistent_term.get(@library, false),
      do: apply(:telemetry, :execute, [event, measurements, metadata])

    for {id, events, handler, config} <- :persistent_term.get(@handlers, []), event in events do
      try do
        handler.(event, measurements, metadata, config)
      catch
        kind, reason ->
          _ = detach(id)

          Logger.error(
            "the telemetry handler #{inspect(id)} is detached, because it failed: " <>
              Exception.format(kind, reason, __STACKTRACE__)
          )
      end
    end

    :ok
  end

  @doc false
  # A unary call: `fun` makes it, and returns its result and how often it was made again.
  def call(table, path, call, opts, fun) do
    span = start_call(table, path, call, opts)

    {result, retries} =
      try do
        fun.(call)
      catch
        kind, reason ->
          failure = %{kind: kind, reason: reason, stacktrace: __STACKTRACE__}
          finish(span, :exception, %{}, failure)
          :erlang.raise(kind, reason, __STACKTRACE__)
      end

    case result do
      {:ok, _message, _trailers} -> stop_call(span, :ok, retries)
      {:error, status} -> stop_call(span, Status.name(status.code), retries)
    end

    result
  end

  @doc false
  def start_call(table, path, call, opts) do
    metadata = %{
      channel: Table.name(table),
      path: path,
      client: opts[:client],
      stream: call.stream != nil
    }

    execute([:call, :start], %{system_time: System.system_time()}, metadata)
    {System.monotonic_time(), metadata}
  end

  @doc false
  def stop_call(span, code, retries), do: finish(span, :stop, %{retries: retries}, %{code: code})

  defp finish({started, metadata}, event, measurements, more) do
    measurements = Map.put(measurements, :duration, System.monotonic_time() - started)
    execute([:call, event], measurements, Map.merge(metadata, more))
  end

  @doc """
  Gives the calls of this process a `traceparent`, or takes it away with `nil`. Returns the one it had.
  """
  @spec put_traceparent(String.t() | nil) :: String.t() | nil
  def put_traceparent(nil), do: Process.delete(@traceparent)

  def put_traceparent(value) do
    case check_traceparent(value) do
      {:ok, value} -> Process.put(@traceparent, value)
      {:error, text} -> raise ArgumentError, text
    end
  end

  @doc "The `traceparent` of this process."
  @spec traceparent() :: String.t() | nil
  def traceparent, do: Process.get(@traceparent)

  @doc false
  def check_traceparent(value) do
    if is_binary(value) and value =~ @format,
      do: {:ok, value},
      else:
        {:error,
         "expected a traceparent like \"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\", " <>
           "got #{inspect(value)}"}
  end
end
