defmodule SynapseBridge.Transport.Response do
  @moduledoc """
  From an HTTP/2 response to the result of a call (gRPC over HTTP2, section Responses).
  """

  alias SynapseBridge.HTTP2.{Connection, ErrorCode}
  alias SynapseBridge.Status
  alias SynapseBridge.Transport.Metadata

  @type result ::
          {:ok, message :: binary(), trailers :: Metadata.t()} | {:error, Status.t()}

  @doc """
  The result of a complete response. `trailers` is `nil` when there were headers only
  ("Trailers-Only"); then the status is among the headers.
  """
  @spec result({http_status :: pos_integer(), Metadata.t()}, [binary()], Metadata.t() | nil) ::
          result()
  def result({200, headers}, body, [{"grpc-status", "0"}]),
    do: headers |> message(body, []) |> with_contract(headers)

  def result({status, headers}, body, nil), do: result(status, headers, body, headers)

  def result({status, headers}, body, trailers),
    do: status |> result(headers, body, trailers) |> with_contract(headers)

  @doc """
  How a streamed response has ended, the messages apart: `:ok` with the trailing metadata. `rest` is
  what came of the body that is no message.
  """
  @spec ended({http_status :: pos_integer(), Metadata.t()}, rest :: iodata(), Metadata.t() | nil) ::
          {:ok, trailers :: Metadata.t()} | {:error, Status.t()}
  def ended({200, headers}, [], [{"grpc-status", "0"}]), do: with_contract({:ok, []}, headers)

  def ended({_status, headers} = head, rest, nil), do: ended(head, rest, headers, headers)

  def ended({_status, headers} = head, rest, trailers),
    do: head |> ended(rest, trailers, headers) |> with_contract(headers)

  defp ended({http_status, _headers}, rest, trailers, headers) do
    case List.keyfind(trailers, "grpc-status", 0) do
      {_key, "0"} when rest == [] -> {:ok, Metadata.decode(trailers)}
      {_key, "0"} -> internal("the response ends in the middle of a message")
      {_key, code} -> {:error, status(code, trailers)}
      nil -> {:error, no_status(http_status, headers, rest)}
    end
  end

  # Only a server with another contract than the client's has this header
  # (SynapseBridge.Channel.Contract). It is passed on with what comes at the end.
  defp with_contract(result, headers) do
    case List.keyfind(headers, "synapse-contract", 0) do
      nil -> result
      field -> add(result, field)
    end
  end

  defp add({:ok, trailers}, field), do: {:ok, [field | trailers]}
  defp add({:ok, message, trailers}, field), do: {:ok, message, [field | trailers]}

  defp add({:error, status}, field),
    do: {:error, %{status | trailers: [field | status.trailers]}}

  defp result(http_status, headers, body, trailers) do
    case List.keyfind(trailers, "grpc-status", 0) do
      {_key, "0"} -> message(headers, body, Metadata.decode(trailers))
      {_key, code} -> {:error, status(code, trailers)}
      nil -> {:error, no_status(http_status, headers, body)}
    end
  end

  # The ordinary case. Copied, because a part keeps the packet that it came in.
  defp message(_headers, [<<0, size::32, message::binary-size(size)>>], trailers),
    do: {:ok, :binary.copy(message), trailers}

  defp message(headers, body, trailers) do
    case IO.iodata_to_binary(body) do
      <<0, size::32, message::binary-size(size)>> ->
        {:ok, message, trailers}

      "" ->
        internal("the server sent the status OK, but no response message")

      <<1, _rest::binary>> ->
        encoding = header(headers, "grpc-encoding") || "an encoding it did not name"

        internal(
          "the response is compressed with #{encoding}, which was not asked for: " <>
            "turn compression off in the server"
        )

      <<flag, _rest::binary>> when flag > 1 ->
        internal("the response does not begin with a gRPC message (its first byte is #{flag})")

      <<0, size::32, rest::binary>> when byte_size(rest) > size ->
        internal("the server sent more than one message as the response of a unary call")

      _shorter ->
        internal("the response ends in the middle of its message")
    end
  end

  defp internal(text), do: {:error, Status.local(:internal, text)}

  defp status(code, trailers) do
    {code, prefix} =
      case Integer.parse(code) do
        {code, ""} when code in 1..16 -> {code, ""}
        _other -> {Status.code(:unknown), "the server sent the grpc-status #{inspect(code)}: "}
      end

    message = trailers |> header("grpc-message") |> Kernel.||("") |> decode_message()
    %Status{code: code, message: prefix <> message, trailers: Metadata.decode(trailers)}
  end

  defp no_status(http_status, headers, body) do
    type = header(headers, "content-type") || "no content-type"
    start = body |> IO.iodata_to_binary() |> String.slice(0, 100)
    start = if start == "", do: "", else: ", which begins with #{inspect(start)}"

    Status.local(
      Status.from_http(http_status),
      "the response has no grpc-status, so this is hardly a gRPC server: " <>
        "HTTP status #{http_status}, #{type}#{start}"
    )
  end

  defp header(fields, name) do
    case List.keyfind(fields, name, 0) do
      {_name, value} -> value
      nil -> nil
    end
  end

  @doc """
  Decodes a `grpc-message`. What is not a valid escape is left as it is, and what is not UTF-8 is
  replaced, because a broken text must not hide the status.

      iex> SynapseBridge.Transport.Response.decode_message("gr%C3%BCn 100%")
      "grün 100%"
  """
  @spec decode_message(binary()) :: String.t()
  def decode_message(message), do: message |> unescape("") |> replace_invalid("")

  defp unescape(<<?%, high, low, rest::binary>>, decoded) do
    case Base.decode16(<<high, low>>, case: :mixed) do
      {:ok, byte} -> unescape(rest, decoded <> byte)
      :error -> unescape(<<high, low, rest::binary>>, decoded <> "%")
    end
  end

  defp unescape(<<byte, rest::binary>>, decoded), do: unescape(rest, <<decoded::binary, byte>>)
  defp unescape("", decoded), do: decoded

  defp replace_invalid(<<char::utf8, rest::binary>>, valid) do
    replace_invalid(rest, <<valid::binary, char::utf8>>)
  end

  defp replace_invalid(<<_byte, rest::binary>>, valid),
    do: replace_invalid(rest, valid <> "\uFFFD")

  defp replace_invalid("", valid), do: valid

  @doc "The status of a stream that ended without a response."
  @spec failure(Connection.failure()) :: Status.t()
  def failure(:refused), do: failure({:reset, :refused_stream})

  def failure({:reset, code}) do
    Status.local(
      Status.from_reset(code),
      "the server ended the call without a status (RST_STREAM, #{ErrorCode.label(code)})"
    )
  end

  def failure(:unprocessed) do
    Status.local(:unavailable, "the server is shutting down and did not take the call (GOAWAY)")
  end

  def failure({:malformed, text}) do
    Status.local(:internal, "the server's response breaks the HTTP/2 protocol: #{text}")
  end

  def failure({:body_too_large, limit}) do
    Status.local(
      :resource_exhausted,
      "the response is larger than #{limit - 5} bytes: " <>
        "raise the channel's option max_response_size"
    )
  end

  def failure({:headers_too_large, size}) do
    Status.local(
      :resource_exhausted,
      "the response has #{size} bytes of metadata: raise the channel's option max_metadata_size"
    )
  end
end
