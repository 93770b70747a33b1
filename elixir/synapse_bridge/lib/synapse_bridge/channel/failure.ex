defmodule SynapseBridge.Channel.Failure do
  @moduledoc false
  # Why a connection did not get a call to its end, as the call's status.

  alias SynapseBridge.Channel.Call
  alias SynapseBridge.Status
  alias SynapseBridge.Transport.Target

  @doc "The connection's process ended, for `reason`, with the call under way."
  @spec lost(Target.t(), reason :: term()) :: Status.t()
  def lost(target, reason) do
    why =
      case reason do
        {:shutdown, {:lost, text}} -> text
        :shutdown -> "the channel was stopped"
        other -> Exception.format_exit(other)
      end

    Status.local(
      :unavailable,
      "the connection to #{target} was lost during the call, " <>
        "which the server may or may not have carried out: #{why}"
    )
  end

  @doc "As many calls wait for one of the server's streams as may."
  @spec queue_full(queued :: pos_integer(), max_streams :: non_neg_integer()) :: Status.t()
  def queue_full(queued, max_streams) do
    Status.local(
      :resource_exhausted,
      "#{queued} calls wait already, as the server takes #{max_streams} at once: " <>
        "make fewer calls at a time, or raise the channel's option max_queue"
    )
  end

  @doc "The server says that it takes no such list of header fields."
  @spec metadata_too_large(Call.t(), limit :: non_neg_integer()) :: Status.t()
  def metadata_too_large(call, limit) do
    Status.local(
      :resource_exhausted,
      "the call has #{call.list_size} bytes of metadata, but the server accepts #{limit}"
    )
  end
end
