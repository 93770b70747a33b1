defmodule SynapseBridge.Channel.Call do
  @moduledoc """
  One call as it is handed to a connection, and the caller's side of it.

  The caller sends the connection a `t:t/0`, and gets back one message for the alias `ref`, or the
  connection's `:DOWN`. It keeps the request and the deadline, so it is also the one to try again
  when a connection says that the server has not seen the call.

  A streaming call is opened in the same way: the answer is `:opened`, and everything else comes as
  further messages for the same alias (`SynapseBridge.Channel.Exchange`).
  """

  alias SynapseBridge.Channel.{Streams, Table}
  alias SynapseBridge.Status
  alias SynapseBridge.Transport.{Request, Response}

  @enforce_keys [:caller, :path, :metadata, :list_size, :body, :deadline]
  defstruct [
    :ref,
    :caller,
    :client,
    :path,
    :timeout,
    :metadata,
    :list_size,
    :body,
    :allowed,
    :deadline,
    :fresh,
    :stream
  ]

  @typedoc """
    * `ref` - monitor and alias that the answer goes to
    * `client` - the module that makes it, if one does
    * `path`, `timeout`, `metadata` - parts of the header block (`SynapseBridge.Transport.Request`).
      All of it amounts to `list_size` for SETTINGS_MAX_HEADER_LIST_SIZE
    * `body` - the message with its prefix; nothing if the first one is still to come
    * `allowed` - how long the call may take in all, in milliseconds, for an error to say
    * `deadline` - in milliseconds of `System.monotonic_time/1`
    * `fresh` - how far the deadline is, of a call that was made right now: the clock is not looked at
      twice then
    * `stream` - for a streaming call, whether the body is the `:last` message or `:more` follow

  `ref` and `timeout` are put in by `exchange/2`, anew for each attempt.
  """
  @type t :: %__MODULE__{
          ref: reference() | nil,
          caller: pid(),
          client: module() | nil,
          path: String.t(),
          timeout: binary() | nil,
          metadata: binary(),
          list_size: non_neg_integer(),
          body: binary(),
          allowed: timeout() | nil,
          deadline: deadline(),
          fresh: timeout() | nil,
          stream: nil | :last | :more
        }

  @type deadline :: integer() | :infinity

  @typedoc """
  What a connection answers. `:unsent`: it takes no more calls. The others: the server said that it
  has not worked on this one.
  """
  @type answer :: Response.result() | {:retry, :unsent | :refused | :unprocessed}

  # An `after` in a `receive` takes no more.
  @longest_wait 0xFFFFFFFF

  @doc "The size of a call's header block without timeout and metadata, for SETTINGS_MAX_HEADER_LIST_SIZE."
  @spec list_size(Table.t(), path :: String.t()) :: pos_integer()
  def list_size(%{head: {_head, size}}, path), do: size + Request.path_list_size(path)

  @doc "The deadline `timeout` milliseconds from now."
  @spec deadline(non_neg_integer() | :infinity) :: deadline()
  def deadline(:infinity), do: :infinity
  def deadline(timeout), do: System.monotonic_time(:millisecond) + timeout

  @doc "The milliseconds until the deadline, 0 when it has passed."
  @spec remaining(deadline()) :: non_neg_integer() | :infinity
  def remaining(:infinity), do: :infinity
  def remaining(deadline), do: max(deadline - System.monotonic_time(:millisecond), 0)

  @doc """
  Hands the call to `connection` and waits for the answer until its deadline. Then the connection is
  told to cancel it.

  A streaming call that was opened leaves the reference behind as a monitor and alias.
  """
  @spec exchange(pid(), t()) ::
          answer() | {:opened, pid(), reference()} | :timeout | {:down, term()}
  def exchange(connection, %__MODULE__{fresh: nil, deadline: deadline} = call),
    do: exchange(connection, call, remaining(deadline))

  def exchange(connection, %__MODULE__{fresh: time} = call), do: exchange(connection, call, time)

  defp exchange(_connection, _call, 0), do: :timeout

  defp exchange(connection, %{stream: nil} = call, time) do
    {timeout, size} = Request.timeout(time)
    # Made in the function that receives, the reference lets the runtime skip the messages that
    # were in the mailbox before, however many they are.
    ref = :erlang.monitor(:process, connection, alias: :reply_demonitor)
    send(connection, %{call | ref: ref, timeout: timeout, list_size: call.list_size + size})

    receive do
      {^ref, answer} -> answer
      {:DOWN, ^ref, :process, _connection, reason} -> {:down, reason}
    after
      receive_timeout(time) -> give_up(connection, ref)
    end
  end

  defp exchange(connection, call, time) do
    {timeout, size} = Request.timeout(time)
    ref = :erlang.monitor(:process, connection, alias: :demonitor)
    send(connection, %{call | ref: ref, timeout: timeout, list_size: call.list_size + size})

    receive do
      {^ref, :opened} ->
        {:opened, connection, ref}

      {^ref, answer} ->
        Process.demonitor(ref, [:flush])
        answer

      {:DOWN, ^ref, :process, _connection, reason} ->
        {:down, reason}
    after
      receive_timeout(time) ->
        close(connection, ref)
        :timeout
    end
  end

  @doc "Ends a streaming call from the caller's side: it is cancelled, and its messages are dropped."
  @spec close(pid(), reference()) :: :ok
  def close(connection, ref) do
    Process.demonitor(ref, [:flush])
    Streams.ask(connection, ref, :cancel)
    flush(ref)
  end

  @doc "Drops the messages of a streaming call."
  @spec flush(reference()) :: :ok
  def flush(ref) do
    receive do
      {^ref, _message} -> flush(ref)
    after
      0 -> :ok
    end
  end

  @doc "A time to wait that the runtime accepts."
  @spec receive_timeout(non_neg_integer() | :infinity) :: timeout()
  def receive_timeout(:infinity), do: :infinity
  def receive_timeout(time), do: min(time, @longest_wait)

  defp give_up(connection, ref) do
    Process.demonitor(ref, [:flush])

    receive do
      {^ref, answer} -> answer
    after
      0 ->
        send(connection, {:cancel, ref})
        :timeout
    end
  end

  @doc "Answers a call."
  @spec answer(reference(), answer()) :: :ok
  def answer(ref, answer) do
    send(ref, {ref, answer})
    :ok
  end

  @doc "The status of a call that may not be tried again."
  @spec not_retried(:unsent | :refused | :unprocessed) :: Status.t()
  def not_retried(:unsent), do: Status.local(:unavailable, "no connection took the call")
  def not_retried(reason), do: Response.failure(reason)
end
