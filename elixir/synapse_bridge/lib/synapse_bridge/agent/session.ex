defmodule SynapseBridge.Agent.Session do
  @moduledoc false
  # A run that asks things of this node, in the process that reads its events.
  #
  # It is a call that streams both ways (`Client.Session`), whose answers come from a `Runner`. Events
  # that are requests go to the runner, and to the reader like all others.

  alias SynapseBridge.{Agent, Client, Error, Status, Telemetry}
  alias SynapseBridge.Agent.{Runner, Toolbox}
  alias SynapseBridge.Client.Rpc

  @enforce_keys [:call, :runner, :kinds]
  defstruct @enforce_keys

  @type t :: %__MODULE__{
          call: Client.Session.t(),
          runner: pid(),
          kinds: %{module() => Runner.kind()}
        }

  @typedoc "A run that was checked."
  @type prepared :: {Rpc.t(), request :: struct(), Toolbox.t(), keyword()}

  @doc "Begins the run. `owner` monitors a process that it is to end with."
  @spec open(prepared(), owner :: reference() | nil) :: {:ok, t()} | {:error, Exception.t()}
  def open({rpc, request, toolbox, options}, owner \\ nil) do
    {:ok, runner} = Runner.start(toolbox, options[:traceparent] || Telemetry.traceparent())
    answers = Stream.repeatedly(fn -> Runner.next(runner) end)

    case open_call({rpc, request, answers, options}, owner, runner) do
      {:ok, call} ->
        {:ok, %__MODULE__{call: call, runner: runner, kinds: kinds(rpc)}}

      {:error, error} ->
        Runner.stop(runner)
        {:error, error}
    end
  end

  # A channel that is none raises, and the process may go on.
  defp open_call(prepared, owner, runner) do
    Client.Session.open(prepared, owner)
  catch
    kind, reason ->
      Runner.stop(runner)
      :erlang.raise(kind, reason, __STACKTRACE__)
  end

  defp kinds(rpc) do
    %{
      Agent.event_module(rpc, :tool_request) => :tool,
      Agent.event_module(rpc, :approval_request) => :approval
    }
  end

  @doc "Waits for the next events, or for the end of the run, after which nothing is left of it."
  @spec next(t()) ::
          {:items, [struct(), ...], t()} | :done | {:error, Exception.t()} | :owner_down
  def next(%__MODULE__{} = session) do
    case Client.Session.next(session.call) do
      {:items, events, call} ->
        Enum.each(events, &dispatch(&1, session))
        {:items, events, %{session | call: call}}

      ended ->
        Runner.stop(session.runner)
        ended
    end
  end

  defp dispatch(%module{} = event, %{kinds: kinds, runner: runner}) do
    with %{^module => kind} <- kinds, do: Runner.request(runner, kind, event)
  end

  @doc "Ends the run: the server is told, and the handlers are killed."
  @spec close(t()) :: :ok
  def close(%__MODULE__{} = session) do
    Client.Session.close(session.call)
    Runner.stop(session.runner)
  end

  @doc "Runs to the end, and returns the result."
  @spec result(prepared()) :: {:ok, struct()} | {:error, Exception.t()}
  def result({rpc, _request, _toolbox, _options} = prepared) do
    with {:ok, session} <- open(prepared),
         do: result(session, Agent.event_module(rpc, :finished), nil)
  end

  defp result(session, finished, result) do
    case next(session) do
      {:items, events, session} -> result(session, finished, found(events, finished) || result)
      :done when result == nil -> {:error, unfinished()}
      :done -> {:ok, result}
      {:error, error} -> {:error, error}
    end
  end

  defp found(events, finished),
    do: Enum.find_value(events, fn %module{} = event -> module == finished && event.result end)

  defp unfinished do
    :internal |> Status.local("the run ended without a result") |> Error.from_status()
  end
end
