defmodule SynapseBridge.Stream do
  @moduledoc """
  A stream of results that comes to a process as messages, for processes that have other things to do:
  a GenServer, a LiveView.

  For each function that streams, a client has one whose name ends in `_stream`. It returns such a
  stream at once; then messages `{ref, events}` come to the calling process, where `events` is a list
  with an `{:item, value}` for each result, and at the end `:done` or `{:error, error}`:

      def handle_continue(:watch, state) do
        {:ok, stream} = MyPythonAgent.tail_stream("app.log")
        {:noreply, %{state | stream: stream}}
      end

      def handle_info({ref, events}, %{stream: %{ref: ref} = stream} = state) do
        state = Enum.reduce(events, state, &event/2)
        SynapseBridge.Stream.next(stream)
        {:noreply, state}
      end

      defp event({:item, line}, state), do: %{state | lines: [line | state.lines]}
      defp event(:done, state), do: %{state | stream: nil}
      defp event({:error, error}, state), do: %{state | stream: nil, error: error}

  The first message comes by itself, and every further one after `next/1`. A process that is slow
  has at most one message in its mailbox, and a server that is far enough ahead is stopped.

  When the process dies, the call is cancelled.
  """

  alias SynapseBridge.Client.Session

  @enforce_keys [:ref, :pid]
  defstruct [:ref, :pid]

  @typedoc "`ref` is what messages of this stream begin with; `pid` is a process of the runtime."
  @type t :: %__MODULE__{ref: reference(), pid: pid()}

  @typedoc "What a message has in its list; `:done` and `{:error, error}` are the last there is."
  @type event :: {:item, term()} | :done | {:error, Exception.t()}

  @doc false
  # `source` opens, reads and closes the call.
  @spec open(prepared :: tuple(), source :: module()) :: t()
  def open(prepared, source \\ Session) do
    {ref, owner} = {make_ref(), self()}
    callers = [owner | Process.get(:"$callers", [])]

    pid =
      spawn(fn ->
        Process.put(:"$callers", callers)
        run({source, prepared}, ref, owner, Process.monitor(owner))
      end)

    %__MODULE__{ref: ref, pid: pid}
  end

  @doc "Asks for the next message. At the end of the stream nothing happens."
  @spec next(t()) :: :ok
  def next(%__MODULE__{ref: ref, pid: pid}) do
    send(pid, {ref, :next})
    :ok
  end

  @doc """
  Cancels the call. No message of the stream comes after this, if the process that opened it calls
  this.
  """
  @spec cancel(t()) :: :ok
  def cancel(%__MODULE__{ref: ref, pid: pid}) do
    monitor = Process.monitor(pid)
    # The connection watches the process, and tells the server.
    Process.exit(pid, :kill)

    receive do
      {:DOWN, ^monitor, :process, _pid, _reason} -> flush(ref)
    end
  end

  defp flush(ref) do
    receive do
      {^ref, events} when is_list(events) -> flush(ref)
    after
      0 -> :ok
    end
  end

  defp run({source, prepared}, ref, owner, monitor) do
    case open_for(owner, source, prepared, monitor) do
      {:ok, session} -> deliver({source, session}, ref, owner, monitor)
      {:error, error} -> send(owner, {ref, [{:error, error}]})
    end
  end

  # A call may wait for long until it can be made, and nothing else is heard meanwhile.
  defp open_for(owner, source, prepared, monitor) do
    opener = self()
    guard = spawn(fn -> guard(Process.monitor(owner), Process.monitor(opener), opener) end)
    opened = source.open(prepared, monitor)
    Process.exit(guard, :kill)
    opened
  end

  defp guard(owner, opener, pid) do
    receive do
      {:DOWN, ^owner, :process, _pid, _reason} -> Process.exit(pid, :kill)
      {:DOWN, ^opener, :process, _pid, _reason} -> :ok
    end
  end

  defp deliver({source, session}, ref, owner, monitor) do
    case next_events(source, session) do
      {:items, items, session} ->
        send(owner, {ref, Enum.map(items, &{:item, &1})})
        wait({source, session}, ref, owner, monitor)

      :done ->
        send(owner, {ref, [:done]})

      {:error, error} ->
        send(owner, {ref, [{:error, error}]})

      :owner_down ->
        :ok
    end
  end

  defp wait({source, session} = call, ref, owner, monitor) do
    receive do
      {^ref, :next} -> deliver(call, ref, owner, monitor)
      {:DOWN, ^monitor, :process, _owner, _reason} -> source.close(session)
    end
  end

  # What a streamed argument has raised is an event like any other failure.
  defp next_events(source, session) do
    source.next(session)
  rescue
    error -> {:error, error}
  catch
    _kind, reason -> {:error, %ErlangError{original: reason}}
  end
end
