if Code.ensure_loaded?(GRPC.Stub) do
  defmodule SynapseBridge.Transport.GRPC.Call do
    @moduledoc false
    # A call in the terms of the library, and what the library answers in ours.

    alias SynapseBridge.Channel.Call, as: Time
    alias SynapseBridge.{Rpc, Status}
    alias SynapseBridge.Transport.GRPC.Bytes
    alias SynapseBridge.Transport.Response

    @enforce_keys [:path, :channel, :metadata]
    defstruct [:path, :channel, :metadata, :allowed, :deadline]

    @typedoc "`allowed` and `deadline` as in `SynapseBridge.Channel.Call`."
    @type t :: %__MODULE__{
            path: String.t(),
            channel: struct(),
            metadata: [{String.t(), binary()}],
            allowed: timeout(),
            deadline: Time.deadline()
          }

    @details "grpc-status-details-bin"

    @doc "Makes a unary call, in a process of its own, which is left alone at the deadline."
    @spec unary(t(), iodata()) :: Response.result()
    def unary(call, request) do
      callers = [self() | Process.get(:"$callers", [])]

      {pid, monitor} =
        spawn_monitor(fn ->
          Process.put(:"$callers", callers)
          exit({__MODULE__, attempt(fn -> call(call, request, :unary) end)})
        end)

      receive do
        {:DOWN, ^monitor, :process, _pid, {__MODULE__, answer}} -> answer |> result() |> single()
        {:DOWN, ^monitor, :process, _pid, reason} -> {:error, ended(reason)}
      after
        call.deadline |> Time.remaining() |> Time.receive_timeout() ->
          Process.exit(pid, :kill)
          Process.demonitor(monitor, [:flush])
          {:error, deadline_exceeded(call)}
      end
    end

    defp single({:ok, message}) when is_binary(message), do: {:ok, message, []}
    defp single({:error, status}), do: {:error, status}

    defp single({:ok, _none}) do
      text = "the server sent the status OK, but no response message"
      {:error, Status.local(:internal, text)}
    end

    @doc """
    Opens a call that streams, by sending its headers. The library would send a first and only message
    with them, but not return before the server has answered, and until then nobody could cancel it.
    """
    @spec open(t(), :last | :more) :: {:returned, term()} | {:raised, tuple()}
    def open(call, :last), do: attempt(fn -> call(call, nil, :server_stream) end)
    def open(call, :more), do: attempt(fn -> call(call, nil, :bidirectional_stream) end)

    defp call(call, request, type) do
      ["", service, method] = String.split(call.path, "/")
      streams? = type != :unary
      rpc = {method, {nil, streams?}, {nil, streams?}, %{}}

      stream = %GRPC.Client.Stream{
        channel: call.channel,
        service_name: service,
        method_name: method,
        grpc_type: type,
        path: call.path,
        rpc: rpc,
        server_stream: streams?
      }

      options = [
        codec: Bytes,
        metadata: call.metadata,
        timeout: call.deadline |> Time.remaining() |> timeout()
      ]

      GRPC.Stub.call(nil, rpc, stream, request, options)
    end

    # The library tells the server whole seconds, minutes or hours, less a rest. Rounded up, so that the
    # server does not give up before we do.
    defp timeout(:infinity), do: :infinity
    defp timeout(time) when time < 1_000, do: time
    defp timeout(time) when time <= 59_000, do: up(time, 1_000)
    defp timeout(time) when time <= 3_540_000, do: up(time, 60_000)
    defp timeout(time), do: up(time, 3_600_000)

    defp up(time, unit), do: div(time + unit - 1, unit) * unit

    @doc "What the library does, or raises."
    @spec attempt((() -> term())) ::
            {:returned, term()} | {:raised, {atom(), term(), Exception.stacktrace()}}
    def attempt(fun) do
      {:returned, fun.()}
    catch
      kind, reason -> {:raised, {kind, reason, __STACKTRACE__}}
    end

    @doc """
    What the library has answered. A connection that is gone makes it exit or raise; what an interceptor
    raises goes on to the caller.
    """
    @spec result({:returned, term()} | {:raised, tuple()}) :: {:ok, term()} | {:error, Status.t()}
    def result({:returned, {:error, error}}), do: {:error, status(error)}
    def result({:returned, {:ok, value}}), do: {:ok, value}
    def result({:returned, value}), do: {:ok, value}

    def result({:raised, {kind, reason, stacktrace}}) do
      if kind == :exit or library?(stacktrace) do
        text = "the library grpc could not make the call: "
        {:error, Status.local(:unavailable, text <> Exception.format_banner(kind, reason))}
      else
        :erlang.raise(kind, reason, stacktrace)
      end
    end

    defp library?([{module, _function, _arity, _location} | _callers]),
      do: match?("Elixir.GRPC." <> _, Atom.to_string(module))

    defp library?(_none), do: false

    @doc "The status of an error of the library."
    @spec status(term()) :: Status.t()
    # It has no status of its own for a connection that is lost, only these texts.
    def status(%GRPC.RPCError{message: ":connection_error: " <> reason, details: nil}),
      do: lost(reason)

    def status(%GRPC.RPCError{message: ":stream_error: :closed", details: nil}),
      do: lost(":closed")

    def status(%GRPC.RPCError{status: code, message: message, details: details}) do
      code = if code in 1..16, do: code, else: Status.code(:unknown)
      %Status{code: code, message: message || "", trailers: trailers(code, message, details)}
    end

    def status(reason),
      do: Status.local(:unavailable, "the library grpc says: #{inspect(reason)}")

    defp lost(reason), do: Status.local(:unavailable, "the connection was lost: " <> reason)

    defp trailers(_code, _message, details) when details in [nil, []], do: []

    defp trailers(code, message, details) do
      details = for any <- details, do: %Rpc.Any{type_url: any.type_url, value: any.value}
      status = %Rpc.Status{code: code, message: message || "", details: details}
      [{@details, status |> Rpc.Status.encode() |> IO.iodata_to_binary()}]
    end

    @doc "The status of a call that is over its deadline."
    @spec deadline_exceeded(t()) :: Status.t()
    def deadline_exceeded(call),
      do: Status.local(:deadline_exceeded, "no response within #{call.allowed} ms")

    @doc "The status of a call whose process has ended."
    @spec ended(term()) :: Status.t()
    def ended(reason) do
      text = "the process of the call ended: " <> Exception.format_exit(reason)
      Status.local(:unavailable, text)
    end
  end
end
