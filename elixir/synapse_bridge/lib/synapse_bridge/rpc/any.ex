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
  def unpack(%{value: value} = any) do
    with {:ok, module} <- Map.fetch(@kinds, name(any)),
         {:ok, message} <- module.decode(value) do
      message
    else
      _ -> any
    end
  end

  @doc "The full name of the message inside."
  @spec name(t()) :: String.t()
  def name(%{type_url: url}), do: url |> String.split("/") |> List.last()
end
