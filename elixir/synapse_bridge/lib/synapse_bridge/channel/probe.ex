defmodule SynapseBridge.Channel.Probe do
  @moduledoc """
  Calls of the channel itself, on one certain connection: about the server's health, for example.
  """

  alias SynapseBridge.Channel.{Call, Table}
  alias SynapseBridge.Transport.{Credentials, Request}

  @doc """
  Makes a unary call on `connection`, and waits for at most `timeout` milliseconds. It has the metadata
  of `like`, if that is given: who may make that call may ask about it. Else it has the channel's
  credentials.
  """
  @spec unary(
          Table.t(),
          connection :: pid(),
          path :: String.t(),
          iodata(),
          timeout :: non_neg_integer(),
          like :: Call.t() | nil
        ) :: Call.answer() | :timeout | {:down, term()}
  def unary(table, connection, path, message, timeout, like \\ nil) do
    {metadata, metadata_size} = metadata(table, like)
    {:ok, body} = Request.body(message)

    Call.exchange(connection, %Call{
      caller: self(),
      path: path,
      metadata: metadata,
      list_size: Call.list_size(table, path) + metadata_size,
      body: body,
      deadline: Call.deadline(timeout)
    })
  end

  # The size of the other call is at least that of its metadata.
  defp metadata(_table, %Call{metadata: metadata, list_size: size}), do: {metadata, size}
  defp metadata(%{options: %{credentials: nil}}, nil), do: {"", 0}

  # Without a token the server has to decide.
  defp metadata(%{options: %{credentials: credentials}}, nil) do
    case Credentials.metadata(credentials) do
      {:ok, field} -> Request.metadata([field])
      {:error, _text} -> {"", 0}
    end
  end
end
