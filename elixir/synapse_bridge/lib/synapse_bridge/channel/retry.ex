defmodule SynapseBridge.Channel.Retry do
  @moduledoc """
  Makes idempotent calls again that have failed, inside their deadline.

  The pauses are those of the option `retry`, at least as long as the server asks for with
  `google.rpc.RetryInfo`. Where the deadline would pass in a pause, the call ends with the error that
  it has. The server sees in `grpc-previous-rpc-attempts` that it is not the first attempt (gRFC A6).
  Calls are never made twice at once (no hedging). Those that stream their results are made again
  until the first one was taken; those that stream an argument are not, as it may not be there twice.
  """

  alias SynapseBridge.{Error, Rpc, Status}
  alias SynapseBridge.Channel.{Backoff, Call}
  alias SynapseBridge.Transport.Request

  @codes for code <- 1..16, do: Status.name(code)

  @doc false
  def options do
    [
      max_attempts: [
        type: :positive,
        default: 4,
        doc: "how often a call is made, the first time included."
      ],
      codes: [
        type: {:own, &__MODULE__.codes/1},
        default: [:unavailable],
        doc: "the codes of errors after which it is made again."
      ]
    ] ++ Backoff.options(initial: 100, max: 5_000, multiplier: 2)
  end

  @doc false
  def codes(codes) do
    if is_list(codes) and Enum.all?(codes, &(&1 in @codes)),
      do: {:ok, codes},
      else: {:error, "expected names of gRPC codes, like [:unavailable], got #{inspect(codes)}"}
  end

  @doc "The result of the first attempt that succeeds, or of the last one, and how many were repeated."
  @spec run(settings :: map(), Call.t(), (Call.t() -> result)) :: {result, non_neg_integer()}
        when result: term()
  def run(settings, call, attempt), do: run(settings, call, attempt, 0)

  defp run(settings, call, attempt, retries) do
    result = attempt.(counted(call, retries))

    with {:error, %Status{} = status} <- result,
         {:ok, pause} <- pause(settings, status, call, retries + 1) do
      Process.sleep(pause)
      run(settings, call, attempt, retries + 1)
    else
      _done -> {result, retries}
    end
  end

  @doc "A call that says how often it was made before."
  @spec counted(Call.t(), non_neg_integer()) :: Call.t()
  def counted(call, 0), do: call

  def counted(call, retries) do
    {block, size} = Request.metadata([{"grpc-previous-rpc-attempts", Integer.to_string(retries)}])
    metadata = call.metadata <> block
    %{call | metadata: metadata, list_size: call.list_size + size, fresh: nil}
  end

  @doc "How long to wait before a call that has failed `failures` times is made again, if it is."
  @spec pause(settings :: map(), Status.t(), Call.t(), failures :: pos_integer()) ::
          {:ok, non_neg_integer()} | :no
  def pause(settings, status, call, failures) do
    with true <- failures < settings.max_attempts and Status.name(status.code) in settings.codes,
         pause = max(Backoff.delay(settings, failures), asked_for(status)),
         true <- pause < Call.remaining(call.deadline) do
      {:ok, pause}
    else
      false -> :no
    end
  end

  # In milliseconds.
  defp asked_for(%Status{trailers: []}), do: 0

  defp asked_for(status) do
    Enum.find_value(Error.from_status(status).details, 0, fn
      %Rpc.RetryInfo{retry_delay: %{seconds: seconds, nanos: nanos}} ->
        seconds * 1000 + div(nanos + 999_999, 1_000_000)

      _other ->
        nil
    end)
  end
end
