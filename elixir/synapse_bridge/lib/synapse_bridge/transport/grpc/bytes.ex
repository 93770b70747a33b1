if Code.ensure_loaded?(GRPC.Stub) do
  defmodule SynapseBridge.Transport.GRPC.Bytes do
    @moduledoc false
    # The library's codec of messages that are bytes already.

    @behaviour GRPC.Codec

    # What a codec does not name, a server cannot know: the bytes are those of Protocol Buffers.
    @impl true
    def name, do: "proto"

    @impl true
    def encode(bytes, _options \\ []), do: bytes

    # Copied, or a short message that is kept would keep the packet that it came in.
    @impl true
    def decode(bytes, _module), do: :binary.copy(bytes)
  end
end
