defmodule SynapseBridge.HTTP2.ErrorCode do
  @moduledoc "The error codes of RST_STREAM and GOAWAY (RFC 9113, section 7)."

  @codes [
    no_error: 0x00,
    protocol_error: 0x01,
    internal_error: 0x02,
    flow_control_error: 0x03,
    settings_timeout: 0x04,
    stream_closed: 0x05,
    frame_size_error: 0x06,
    refused_stream: 0x07,
    cancel: 0x08,
    compression_error: 0x09,
    connect_error: 0x0A,
    enhance_your_calm: 0x0B,
    inadequate_security: 0x0C,
    http_1_1_required: 0x0D
  ]

  @typedoc "A code by its name; an integer where the peer sends one that has none."
  @type t ::
          unquote(@codes |> Keyword.keys() |> Enum.reduce(&{:|, [], [&1, &2]}))
          | non_neg_integer()

  @doc "The name of a code on the wire."
  @spec from_wire(non_neg_integer()) :: t()
  for {name, code} <- @codes do
    def from_wire(unquote(code)), do: unquote(name)
  end

  # Unknown codes are not an error; they are treated as INTERNAL_ERROR (RFC 9113, section 7).
  def from_wire(code) when is_integer(code), do: code

  @doc "The code on the wire of a name."
  @spec to_wire(t()) :: non_neg_integer()
  for {name, code} <- @codes do
    def to_wire(unquote(name)), do: unquote(code)
  end

  @doc "The name as the RFC writes it, for messages that a person reads: `PROTOCOL_ERROR`."
  @spec label(t()) :: String.t()
  def label(code) when is_integer(code), do: "error code #{code}"
  def label(name), do: name |> Atom.to_string() |> String.upcase()
end
