if Code.ensure_loaded?(GRPC.Stub) do
  defmodule SynapseBridge.Transport.GRPC.Exchange do
    @moduledoc false
    # A streaming call over the library.
    #
    # The library waits for what the server sends, and hears nothing meanwhile. So a call has two
    # processes: a reader that waits, and a carrier that ends the call when it is cancelled, at its
    # deadline, or with its caller. Messages go to the caller one by one, as it asks for them.

    alias SynapseBridge.Channel.Call, as: Time
    alias SynapseBridge.Status
    alias SynapseBridge.Transport.GRPC.Call
    alias SynapseBridge.Transport.Request

    @enforce_keys [:carrier, :reader, :ref, :stream]
    defstruct [:carrier, :reader, :ref, :stream, asked?: false]

    @typedoc """
      * `ref` - a monitor of the carrier, and the alias that messages come to
      * `stream` - the library's
      * `asked?` - whether a message was asked for that has not come yet
    """
    @type t :: %__MODULE__{
            carrier: pid(),
            reader: pid(),
            ref: reference(),
            stream: struct(),
            asked?: boolean()
          }

    @doc "Opens the call, and sends the first message if there is one."
    @spec open(Call.t(), first :: iodata() | nil, :last | :more) ::
            {:ok, t()} | {:error, Status.t()}
    def open(call, first, ending) do
      caller = self()
      callers = [caller | Process.get(:"$callers", [])]

      carrier =
        spawn(fn ->
          Process.put(:"$callers", callers)
          Process.flag(:trap_exit, true)
          monitor = Process.monitor(caller)

          receive do
            {:open, ref} -> carry(call, first, ending, ref, monitor)
            {:DOWN, ^monitor, :process, _pid, _reason} -> :ok
          end
        end)

      ref = :erlang.monitor(:process, carrier, alias: :demonitor)
      send(carrier, {:open, ref})

      receive do
        {^ref, {:opened, stream, reader}} ->
          {:ok, %__MODULE__{carrier: carrier, reader: reader, ref: ref, stream: stream}}

        {^ref, {:ended, ending}} ->
          close(ref)
          failed(ending)

        {:DOWN, ^ref, :process, _pid, reason} ->
          {:error, Call.ended(reason)}
      after
        call.deadline |> Time.remaining() |> Time.receive_timeout() ->
          Process.exit(carrier, :kill)
          close(ref)
          {:error, Call.deadline_exceeded(call)}
      end
    end

    @doc "Waits for the next message, or the end."
    @spec next(t(), reference() | nil, reference() | nil) ::
            {:messages, [binary(), ...], t()}
            | {:stopped, reference(), term(), t()}
            | {:done, []}
            | {:error, Status.t()}
    def next(%__MODULE__{ref: ref} = exchange, one, other) do
      unless exchange.asked?, do: send(exchange.reader, {:next, ref})
      exchange = %{exchange | asked?: true}

      receive do
        {^ref, {:message, message}} ->
          {:messages, [message], %{exchange | asked?: false}}

        {^ref, {:ended, ending}} ->
          close(ref)
          if ending == :done, do: {:done, []}, else: failed(ending)

        {:DOWN, ^ref, :process, _pid, reason} ->
          close(ref)
          {:error, Call.ended(reason)}

        {:DOWN, ^one, :process, _pid, reason} ->
          {:stopped, one, reason, exchange}

        {:DOWN, ^other, :process, _pid, reason} ->
          {:stopped, other, reason, exchange}
      end
    end

    # What an interceptor has raised is raised here.
    defp failed({:raised, raised}), do: Call.result({:raised, raised})
    defp failed({:error, status}), do: {:error, status}

    @doc "Whether the carrier is there."
    @spec alive?(t()) :: boolean()
    def alive?(%__MODULE__{carrier: carrier}), do: Process.alive?(carrier)

    @doc "Ends the call."
    @spec cancel(t()) :: :ok
    def cancel(%__MODULE__{carrier: carrier, ref: ref}) do
      send(carrier, :cancel)
      close(ref)
    end

    defp close(ref) do
      Process.demonitor(ref, [:flush])
      Time.flush(ref)
    end

    @doc "Starts the process that sends a streamed argument; it is linked to the carrier."
    @spec produce(t(), Enumerable.t(), function()) :: {pid(), reference()}
    def produce(%__MODULE__{} = exchange, items, encode) do
      callers = [self() | Process.get(:"$callers", [])]

      spawn_monitor(fn ->
        Process.put(:"$callers", callers)
        exit(produce_linked(exchange, items, encode))
      end)
    end

    defp produce_linked(exchange, items, encode) do
      with :ok <- link(exchange.carrier),
           {:sent, _index} <- send_all(exchange, items, encode),
           do: write(exchange, &GRPC.Stub.end_stream/1)
    catch
      kind, reason -> {:raised, kind, reason, __STACKTRACE__}
    end

    # A carrier that is gone has said so to the call itself.
    defp link(carrier) do
      Process.link(carrier)
      :ok
    rescue
      ErlangError -> {:shutdown, :noproc}
    end

    defp send_all(exchange, items, encode) do
      Enum.reduce_while(items, {:sent, 0}, fn item, {:sent, index} ->
        with {:ok, message} <- encode.(item, index),
             :ok <- size(message),
             :normal <- write(exchange, &GRPC.Stub.send_request(&1, message)) do
          {:cont, {:sent, index + 1}}
        else
          failure -> {:halt, failure}
        end
      end)
    end

    defp size(message) do
      with {:error, size} <- Request.size(message), do: {:too_large, size}
    end

    # A call that cannot be written to has ended, or ends so.
    defp write(%{stream: stream, carrier: carrier}, fun) do
      with {:error, status} <- Call.result(Call.attempt(fn -> fun.(stream) end)) do
        send(carrier, {:unwritten, status})
        {:shutdown, :call_ended}
      else
        {:ok, _stream} -> :normal
      end
    end

    defp carry(call, first, ending, ref, monitor) do
      with {:returned, %GRPC.Client.Stream{} = stream} <- Call.open(call, ending),
           {:returned, %GRPC.Client.Stream{}} <- send_first(stream, first, ending) do
        reader = spawn_link(fn -> read(stream, ref) end)
        send(ref, {ref, {:opened, stream, reader}})

        unless call.deadline == :infinity do
          time = call.deadline |> Time.remaining() |> Time.receive_timeout()
          Process.send_after(self(), :deadline, time)
        end

        wait(%{call: call, stream: stream, reader: reader, ref: ref, monitor: monitor})
      else
        {:raised, raised} -> send(ref, {ref, {:ended, {:raised, raised}}})
        {:returned, _error} = returned -> send(ref, {ref, {:ended, Call.result(returned)}})
      end
    end

    defp send_first(stream, nil, :more), do: {:returned, stream}

    defp send_first(stream, first, ending) do
      Call.attempt(fn -> GRPC.Stub.send_request(stream, first, end_stream: ending == :last) end)
    end

    defp wait(%{reader: reader, monitor: monitor} = state) do
      receive do
        {:EXIT, ^reader, {:ended, ending}} ->
          finish(state, ending)

        {:EXIT, ^reader, reason} ->
          stop(state, {:error, Call.ended(reason)})

        # Of a producer, or of a process of the library.
        {:EXIT, _pid, _reason} ->
          wait(state)

        {:DOWN, ^monitor, :process, _pid, _reason} ->
          stop(state, :done)

        :cancel ->
          stop(state, :done)

        :deadline ->
          stop(state, {:error, Call.deadline_exceeded(state.call)})

        {:unwritten, status} ->
          # The end that the reader knows of says more, if there is one.
          receive do
            {:EXIT, ^reader, {:ended, ending}} -> finish(state, ending)
          after
            0 -> stop(state, {:error, status})
          end
      end
    end

    defp stop(%{reader: reader} = state, ending) do
      _ = Call.attempt(fn -> GRPC.Stub.cancel(state.stream) end)
      Process.exit(reader, :kill)
      finish(state, ending)
    end

    defp finish(%{ref: ref}, ending) do
      send(ref, {ref, {:ended, ending}})
      exit({:shutdown, :call_ended})
    end

    defp read(stream, ref) do
      case Call.attempt(fn -> GRPC.Stub.recv(stream, timeout: :infinity) end) do
        {:returned, {:ok, answers}} -> exit({:ended, deliver(answers, ref)})
        {:returned, {:error, error}} -> exit({:ended, {:error, Call.status(error)}})
        {:raised, raised} -> exit({:ended, {:raised, raised}})
      end
    end

    defp deliver(answers, ref) do
      attempted =
        Call.attempt(fn ->
          Enum.reduce_while(answers, :done, fn
            {:ok, message}, :done when is_binary(message) -> {:cont, deliver_one(message, ref)}
            {:error, error}, :done -> {:halt, {:error, Call.status(error)}}
            _headers_or_trailers, :done -> {:cont, :done}
          end)
        end)

      case attempted do
        {:returned, ending} -> ending
        {:raised, raised} -> {:raised, raised}
      end
    end

    defp deliver_one(message, ref) do
      receive do
        {:next, ^ref} -> :ok
      end

      send(ref, {ref, {:message, message}})
      :done
    end
  end
end
