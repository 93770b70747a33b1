defmodule SynapseBridge.Channel.CallMetadata do
  @moduledoc """
  What a call tells the server besides its message: the metadata it was given, and what the options
  of the call and of its channel add to that.
  """

  alias SynapseBridge.{Channel, Telemetry}
  alias SynapseBridge.Channel.Options
  alias SynapseBridge.Transport.{Credentials, Metadata}

  @doc """
  Adds the credentials and the trace to metadata.

  A call may have credentials of its own in the place of those in its channel's `options`; `exposed`
  tells why they must not go to the channel's servers, or `nil` if they may. `:denied` says why there
  are none to send.
  """
  @spec complete(Metadata.t(), options, [Channel.call_option()], exposed) ::
          {:ok, Metadata.t()} | {:denied, String.t()}
        when options: %{:credentials => Credentials.t() | nil, optional(atom()) => term()},
             exposed: (options -> String.t() | nil)
  def complete(metadata, options, opts, exposed) do
    with {:ok, credentials} <- choose(options, Options.given(opts, :credentials), exposed),
         {:ok, metadata} <- authorize(metadata, credentials) do
      case Options.given(opts, :traceparent) || Telemetry.traceparent() do
        nil -> {:ok, metadata}
        value -> {:ok, [{"traceparent", value} | metadata]}
      end
    end
  end

  defp choose(options, nil, _exposed), do: {:ok, options.credentials}

  defp choose(options, own, exposed) do
    case exposed.(options) do
      nil -> Credentials.new(own)
      text -> {:denied, "call option :credentials: " <> text}
    end
  end

  defp authorize(metadata, nil), do: {:ok, metadata}

  defp authorize(metadata, credentials) do
    case Credentials.metadata(credentials) do
      {:ok, field} -> {:ok, [field | metadata]}
      {:error, text} -> {:denied, text}
    end
  end
end
