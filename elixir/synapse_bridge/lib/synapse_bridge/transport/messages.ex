defmodule SynapseBridge.Transport.Messages do
  @moduledoc """
  Takes the body of a streamed response apart into messages (gRPC over HTTP2, Length-Prefixed-Message).
  """

  alias SynapseBridge.Status

  @prefix_size 5

  @enforce_keys [:max_size]
  defstruct [:max_size, parts: [], size: 0, needed: 0]

  @typedoc """
    * `max_size` - the largest message that is taken, in bytes
    * `parts` - the beginning of a message, `size` bytes of the `needed` ones
  """
  @type t :: %__MODULE__{
          max_size: pos_integer(),
          parts: iodata(),
          size: non_neg_integer(),
          needed: non_neg_integer()
        }

  @doc """
  Takes what has come next, and returns the messages that are complete. A message that cannot be
  taken ends the stream with a status, after the messages before it.
  """
  @spec take(t(), binary()) :: {[binary()], t() | Status.t()}
  def take(%__MODULE__{parts: [], max_size: max} = messages, bytes),
    do: split(bytes, max, [], messages)

  def take(%__MODULE__{} = messages, bytes) do
    parts = [messages.parts | bytes]
    size = messages.size + byte_size(bytes)

    if size < messages.needed,
      do: {[], %{messages | parts: parts, size: size}},
      else: parts |> IO.iodata_to_binary() |> split(messages.max_size, [], messages)
  end

  # Copied, or a short message that is kept would keep the packet that it came in.
  defp split(<<0, size::32, message::binary-size(size), rest::binary>>, max, taken, messages)
       when size <= max do
    split(rest, max, [:binary.copy(message) | taken], messages)
  end

  defp split("", _max, taken, messages) do
    {Enum.reverse(taken), %{messages | parts: [], size: 0, needed: 0}}
  end

  defp split(<<0, size::32, _start::binary>> = bytes, max, taken, messages) when size <= max do
    {Enum.reverse(taken), keep(messages, bytes, @prefix_size + size)}
  end

  defp split(<<0, size::32, _start::binary>>, max, taken, _messages) do
    text =
      "a message of the response has #{size} bytes, and #{max} are allowed: " <>
        "raise the channel's option max_response_size"

    {Enum.reverse(taken), Status.local(:resource_exhausted, text)}
  end

  defp split(<<1, _start::binary>>, _max, taken, _messages) do
    text =
      "a message of the response is compressed, which was not asked for: " <>
        "turn compression off in the server"

    {Enum.reverse(taken), Status.local(:internal, text)}
  end

  defp split(<<flag, _start::binary>>, _max, taken, _messages) when flag > 1 do
    text = "where a gRPC message should begin, the response has the byte #{flag}"
    {Enum.reverse(taken), Status.local(:internal, text)}
  end

  defp split(bytes, _max, taken, messages) do
    {Enum.reverse(taken), keep(messages, bytes, @prefix_size)}
  end

  defp keep(messages, bytes, needed) do
    %{messages | parts: [:binary.copy(bytes)], size: byte_size(bytes), needed: needed}
  end
end
