defmodule SynapseBridge.Client.Streaming do
  @moduledoc false
  # What the functions that stream return: an enumerable whose every enumeration is a call, or the one
  # result of a streamed argument.

  alias SynapseBridge.Client.Session
  alias SynapseBridge.{Error, Status}

  @doc "The results as a lazy enumerable. `source` opens, reads and closes the calls."
  @spec enumerable(prepared :: tuple(), source :: module()) :: Enumerable.t()
  def enumerable(prepared, source \\ Session) do
    Stream.resource(fn -> open!(prepared, source) end, &next(&1, source), &close(&1, source))
  end

  defp open!(prepared, source) do
    case source.open(prepared) do
      {:ok, session} -> session
      {:error, error} -> raise error
    end
  end

  defp next(session, source) do
    case source.next(session) do
      {:items, items, session} -> {items, session}
      :done -> {:halt, :done}
      {:error, error} -> {:halt, {:failed, error}}
    end
  end

  defp close(:done, _source), do: :ok
  defp close({:failed, error}, _source), do: raise(error)
  defp close(session, source), do: source.close(session)

  @doc "The one result of a call with a streamed argument."
  @spec result(Session.prepared()) :: {:ok, term()} | :ok | {:error, Exception.t()}
  def result({rpc, _request, _items, _options} = prepared) do
    with {:ok, session} <- Session.open(prepared), {:ok, result} <- one(Session.next(session)) do
      if rpc.result == :none, do: :ok, else: {:ok, result}
    end
  end

  defp one({:items, [result], session}) do
    case Session.next(session) do
      :done -> {:ok, result}
      {:items, _more, session} -> too_many(session)
      {:error, error} -> {:error, error}
    end
  end

  defp one({:items, _several, session}), do: too_many(session)
  defp one({:error, error}), do: {:error, error}
  defp one(:done), do: internal("the server sent the status OK, but no response message")

  defp too_many(session) do
    Session.close(session)
    internal("the server sent more than one message as the only response of a call")
  end

  defp internal(text), do: {:error, :internal |> Status.local(text) |> Error.from_status()}
end
