defmodule SynapseBridge.Rpc.Any do
  @moduledoc """
  `google.protobuf.Any`: a message of a kind that is named by a URL.
  """
  use SynapseBridge.Message

  alias SynapseBridge.Rpc

  message do
    field :type_url, 1, :string, default: ""
    field :value, 2, :bytes, default: ""
  end

  @kinds %{
    "google.rpc.BadRequest" => Rpc.BadRequest,
    "google.rpc.DebugInfo" => Rpc.DebugInfo,
    "google.rpc.ErrorInfo" => Rpc.ErrorInfo,
    "google.rpc.RetryInfo" => Rpc.RetryInfo
  }

  @doc "The message inside, or the `Any` itself where its kind is not known or its bytes are broken."
  @spec unpack(t()) :: struct()
  def unpack(%{type_url: url, value: value} = any) do
    with {:ok, module} <- Map.fetch(@kinds, url |> String.split("/") |> List.last()),
         {:ok, message} <- module.decode(value) do
      message
    else
      _ -> any
    end
  end
end
