defmodule SynapseBridge.Channel.Attempt do
  @moduledoc """
  Hands a call to a connection, and to another one where the server cannot have seen it or has said
  that it did not work on it: up to four times more, unnoticed.
  """

  alias SynapseBridge.Channel.{Call, Connector, Contract, Exchange, Table}
  alias SynapseBridge.Status
  alias SynapseBridge.Transport.{Metadata, Response}

  # For a call that nobody takes.
  @most 5
  # The longest pause before the second attempt after REFUSED_STREAM, in milliseconds.
  @first_pause 10

  @typedoc "How many attempts are left."
  @type left :: non_neg_integer()

  @doc "The result of a call, or the opened stream of one that streams."
  @spec run(Table.t(), Call.t(), wait_for_ready :: boolean()) ::
          Response.result() | {:opened, pid(), reference()}
  def run(table, call, wait?) do
    table |> attempt(call, wait?, Table.connection(table), @most) |> result(table, call)
  end

  @doc "How many attempts there may be after the first one."
  @spec more() :: left()
  def more, do: @most - 1

  @doc """
  Makes a call again that a server has not worked on, for this `reason`.
  """
  @spec again(Table.t(), Call.t(), wait_for_ready :: boolean(), :refused | :unprocessed, left()) ::
          Response.result() | {:opened, pid(), reference()}
  def again(table, call, wait?, reason, left) do
    table |> attempt_again(call, wait?, reason, left + 1) |> result(table, call)
  end

  @doc "What the end of a stream means for its call."
  @spec ended(Exchange.ending(), Table.t(), connection :: pid(), Call.t()) ::
          {:done, Metadata.t()} | {:error, Status.t()}
  def ended(ending, table, connection, call) do
    case ending do
      {:retry, reason} -> {:error, Call.not_retried(reason)}
      {:down, reason} -> {:error, connection_crashed(table, reason)}
      {:error, %Status{code: 1} = status} -> cancelled(call, status)
      ending -> noticed(ending, table, connection, call)
    end
    |> result(table, call)
  end

  defp attempt(table, call, wait?, nil, attempts) do
    with {:ok, connection} <- Connector.checkout(table, wait?, call.deadline) do
      attempt(table, %{call | fresh: nil}, wait?, connection, attempts)
    end
  end

  defp attempt(table, call, wait?, connection, attempts) do
    case exchange(table, connection, call) do
      {:ok, _message, []} = result -> result
      {:retry, reason} -> attempt_again(table, call, wait?, reason, attempts)
      {:down, reason} -> connection_died(table, call, wait?, reason, attempts)
      {:error, %Status{code: 1} = status} -> cancelled(call, status)
      result -> noticed(result, table, connection, call)
    end
  end

  defp exchange(%{options: %{on_stale: :error}} = table, connection, %{client: client} = call)
       when client != nil do
    with :ok <- Contract.admit(table, connection, call),
         do: Call.exchange(connection, %{call | fresh: nil})
  end

  defp exchange(_table, connection, call), do: Call.exchange(connection, call)

  defp noticed(result, table, connection, call) do
    case result do
      {:ok, _message, trailers} -> Contract.notice(table, connection, call, trailers)
      {:done, trailers} -> Contract.notice(table, connection, call, trailers)
      {:error, status} -> Contract.notice(table, connection, call, status.trailers)
      _other -> :ok
    end

    result
  end

  # Nothing was sent, or the server has not worked on the call: trying again does no harm.
  defp attempt_again(table, call, wait?, reason, attempts) when attempts > 1 do
    if reason == :refused, do: pause(call, @most - attempts)
    attempt(table, call, wait?, nil, attempts - 1)
  end

  defp attempt_again(_table, _call, _wait?, reason, _attempts) do
    {:error, Call.not_retried(reason)}
  end

  # A server refuses what is too much at this moment; a random pause spreads the next attempts.
  defp pause(call, earlier) do
    longest = @first_pause * Integer.pow(2, earlier)
    longest |> :rand.uniform() |> min(Call.remaining(call.deadline)) |> Process.sleep()
  end

  # A connection answers all calls that it knows of before it ends in good order, so it did not know
  # of this one.
  defp connection_died(table, call, wait?, reason, attempts)
       when reason in [:noproc, :normal, :shutdown] or elem(reason, 0) == :shutdown do
    attempt_again(table, call, wait?, :unsent, attempts)
  end

  defp connection_died(table, _call, _wait?, reason, _attempts) do
    {:error, connection_crashed(table, reason)}
  end

  defp connection_crashed(table, reason) do
    Status.local(
      :unavailable,
      "the process of the connection to #{table.label} ended during the call: " <>
        Exception.format_exit(reason)
    )
  end

  # A server that enforces the deadline may be a little faster than our own clock.
  defp cancelled(call, status) do
    if Call.remaining(call.deadline) == 0, do: :timeout, else: {:error, status}
  end

  defp result(:timeout, table, call), do: {:error, deadline_exceeded(table, call.allowed)}

  defp result(:stopped, table, _call),
    do: {:error, not_running(table.options.name || table.connector)}

  defp result(result, _table, _call), do: result

  @doc "The status of a call on a channel that there is not."
  @spec not_running(atom() | pid()) :: Status.t()
  def not_running(channel) do
    Status.local(
      :unavailable,
      "the channel #{inspect(channel)} is not running: start it in a supervision tree, " <>
        "or give the call the channel that is"
    )
  end

  defp deadline_exceeded(table, timeout) do
    text =
      case Table.failure(table) do
        nil -> "no response of #{table.label} within #{timeout} ms"
        text -> "no connection to #{table.label} within #{timeout} ms: #{text}"
      end

    Status.local(:deadline_exceeded, text)
  end
end
