defmodule SynapseBridge.Channel.Probe do
  @moduledoc """
  Calls of the channel itself, on one certain connection: about the server's health, for example.
  """

  alias SynapseBridge.Channel.{Call, Table}
  alias SynapseBridge.Transport.Request

  @doc "Makes a unary call on `connection`, and waits for at most `timeout` milliseconds."
  @spec unary(Table.t(), connection :: pid(), path :: String.t(), iodata(), pos_integer()) ::
          Call.answer() | :timeout | {:down, term()}
  def unary(table, connection, path, message, timeout) do
    {head, size} = Table.head(table, path)
    {:ok, body} = Request.body(message)

    Call.exchange(connection, %Call{
      caller: self(),
      head: head,
      metadata: "",
      list_size: size,
      body: body,
      deadline: Call.deadline(timeout)
    })
  end
end
