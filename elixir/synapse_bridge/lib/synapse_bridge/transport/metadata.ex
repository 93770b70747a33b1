defmodule SynapseBridge.Transport.Metadata do
  @moduledoc """
  Custom metadata on the wire (gRPC over HTTP2, section Custom-Metadata).

  Keys are lower-case ASCII. A key that ends in `-bin` has any bytes as its value, sent as base64;
  other values are printable ASCII.
  """

  @reserved ["te", "content-type", "user-agent", "host", "connection", "keep-alive"] ++
              ["proxy-connection", "transfer-encoding", "upgrade", "content-length"]

  @type t :: [{key :: binary(), value :: binary()}]

  @doc "Checks metadata and encodes `-bin` values. The error is a text for the caller."
  @spec encode(t()) :: {:ok, t()} | {:error, String.t()}
  def encode(metadata), do: encode(metadata, [])

  defp encode([], encoded), do: {:ok, Enum.reverse(encoded)}

  defp encode([{key, value} | rest], encoded) when is_binary(key) and is_binary(value) do
    with :ok <- check_key(key), {:ok, value} <- encode_value(key, value) do
      encode(rest, [{key, value} | encoded])
    end
  end

  defp encode(other, _encoded) do
    entry = if is_list(other), do: hd(other), else: other
    {:error, "metadata is a list of {key, value} with binaries in it, but has #{inspect(entry)}"}
  end

  @doc """
  Metadata of a response: `-bin` values decoded, with or without padding; without the fields that
  belong to gRPC itself. A `-bin` value that is not base64 is left as it came.
  """
  @spec decode(t()) :: t()
  def decode([]), do: []

  def decode([{key, value} | rest]) do
    cond do
      own_field?(key) -> decode(rest)
      String.ends_with?(key, "-bin") -> decode_binary(key, value) ++ decode(rest)
      true -> [{key, value} | decode(rest)]
    end
  end

  defp own_field?("grpc-status-details-bin"), do: false
  defp own_field?("grpc-" <> _rest), do: true
  defp own_field?("content-type"), do: true
  defp own_field?(_key), do: false

  defp check_key(""), do: {:error, "a metadata key is empty"}

  defp check_key("grpc-" <> _rest = key) do
    {:error, "the metadata key #{inspect(key)} is reserved: keys must not begin with \"grpc-\""}
  end

  defp check_key(key) when key in @reserved do
    {:error, "the metadata key #{inspect(key)} is reserved for the transport"}
  end

  defp check_key(key) do
    if key?(key) do
      :ok
    else
      {:error,
       "the metadata key #{inspect(key)} is not allowed: " <>
         "use lower-case letters, digits, \"_\", \"-\" and \".\""}
    end
  end

  defp key?(<<byte, rest::binary>>)
       when byte in ?a..?z or byte in ?0..?9 or byte in [?_, ?-, ?.],
       do: key?(rest)

  defp key?(rest), do: rest == ""

  defp encode_value(key, value) do
    cond do
      String.ends_with?(key, "-bin") ->
        {:ok, Base.encode64(value, padding: false)}

      printable?(value) ->
        {:ok, value}

      true ->
        {:error,
         "the metadata value of #{inspect(key)} is not printable ASCII: " <>
           "use a key that ends in \"-bin\" for any other bytes"}
    end
  end

  defp printable?(<<byte, rest::binary>>) when byte in 0x20..0x7E, do: printable?(rest)
  defp printable?(rest), do: rest == ""

  # Several values of one key may come joined by commas, which base64 does not have.
  defp decode_binary(key, value) do
    for part <- String.split(value, ",") do
      case part |> String.trim() |> Base.decode64(padding: false) do
        {:ok, bytes} -> {key, bytes}
        :error -> {key, part}
      end
    end
  end
end
