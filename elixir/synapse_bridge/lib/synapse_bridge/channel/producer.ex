defmodule SynapseBridge.Channel.Producer do
  @moduledoc false
  # The process that goes through a streamed argument and sends its items.
  #
  # It is a process of its own, because the enumerable may wait for anything, the call's own results
  # among it. It ends with the call and with the connection: the connection stops it, and it is linked
  # to that. How it ends is for the caller, who monitors it: `:normal` after the last item, and the
  # other reasons of `t:SynapseBridge.Transport.produced/0`.
  #
  # It may be `@ahead` bytes ahead of what has been written to the server. So a server that takes
  # nothing stops it, and the memory that the call needs is bounded.

  alias SynapseBridge.Channel.Streams
  alias SynapseBridge.HTTP2.Sender
  alias SynapseBridge.Transport.Request
  alias SynapseBridge.Violation

  # The connection reports in portions: with less than two, both could wait for each other.
  @ahead 2 * Sender.portion()

  @type encode ::
          (term(), non_neg_integer() -> {:ok, iodata()} | {:invalid, [Violation.t(), ...]})

  @doc """
  Starts it for the call `ref` on `connection`. `encode` makes the message of an item and its index.
  """
  @spec start(
          pid(),
          reference(),
          Enumerable.t(),
          encode()
        ) :: {pid(), monitor :: reference()}
  def start(connection, ref, items, encode) do
    callers = [self() | Process.get(:"$callers", [])]

    spawn_monitor(fn ->
      # As a Task does it: libraries for tests find out on whose behalf it runs.
      Process.put(:"$callers", callers)
      exit(run(connection, ref, items, encode))
    end)
  end

  # A connection that is gone says so to the call itself.
  defp run(connection, ref, items, encode) do
    case link(connection) do
      :ok -> run_linked(connection, ref, items, encode)
      :gone -> {:shutdown, :noproc}
    end
  end

  defp link(connection) do
    Process.link(connection)
    :ok
  rescue
    ErlangError -> :gone
  end

  defp run_linked(connection, ref, items, encode) do
    Streams.ask(connection, ref, {:produce, self()})

    with {:sent, _index, _credit} <- produce(items, connection, ref, encode) do
      Streams.ask(connection, ref, {:send, "", :last})
      :normal
    end
  catch
    kind, reason -> {:raised, kind, reason, __STACKTRACE__}
  end

  defp produce(items, connection, ref, encode) do
    Enum.reduce_while(items, {:sent, 0, @ahead}, fn item, {:sent, index, credit} ->
      with {:ok, message} <- encode.(item, index), {:ok, body} <- body(message) do
        credit = wait(ref, credit)
        Streams.ask(connection, ref, {:send, body, :more})
        {:cont, {:sent, index + 1, credit - byte_size(body)}}
      else
        failure -> {:halt, failure}
      end
    end)
  end

  defp body(message) do
    with {:error, size} <- Request.body(message), do: {:too_large, size}
  end

  defp wait(_ref, credit) when credit > 0, do: credit

  defp wait(ref, credit) do
    receive do
      {^ref, {:sent, size}} -> wait(ref, credit + size)
    end
  end
end
