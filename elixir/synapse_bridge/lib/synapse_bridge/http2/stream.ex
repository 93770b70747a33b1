defmodule SynapseBridge.HTTP2.Stream do
  @moduledoc """
  One request and its response, as values: how far the response has come, and how much may still be
  sent and received.

  A response goes to its owner `:whole`, once it is complete, or in `:parts`: with each packet what
  came of it.

  The send window is held as `credit` relative to the peer's SETTINGS_INITIAL_WINDOW_SIZE (window
  updates received minus bytes sent). So a change of that setting applies to every open stream, as
  RFC 9113, section 6.9.2 asks, without touching any of them.
  """

  @enforce_keys [:owner, :receive_window]
  defstruct [
    :owner,
    :receive_window,
    :response,
    mode: :whole,
    credit: 0,
    unsent: "",
    last?: true,
    sent: 0,
    body: [],
    received: 0
  ]

  @typedoc """
    * `owner` - whom the response is for; opaque here
    * `response` - status and headers, once they have come
    * `body` - what has come of the body and is still here, newest part first: `received` bytes, in
      `:parts` as flow control counts them
    * `unsent` - what flow control holds back of the request's body; nothing follows it if `last?`
    * `sent` - in `:parts`, bytes written that the owner has not been told of
  """
  @type t :: %__MODULE__{
          owner: term(),
          receive_window: integer(),
          response: {status :: pos_integer(), [{binary(), binary()}]} | nil,
          mode: :whole | :parts,
          credit: integer(),
          unsent: binary(),
          last?: boolean(),
          sent: non_neg_integer(),
          body: [binary()],
          received: non_neg_integer()
        }

  @doc """
  Takes a header block. `end?` tells that the peer ends the stream with it.

  `{:done, trailers}` completes the response. A response of headers only has its trailers in them
  ("Trailers-Only"), and gives `nil`.
  """
  @spec headers(t(), SynapseBridge.HTTP2.FieldSection.meaning(), end? :: boolean()) ::
          {:more, t()} | {:done, t(), [{binary(), binary()}] | nil} | {:malformed, String.t()}
  def headers(%__MODULE__{response: nil}, {:response, status, _fields}, true)
      when status in 100..199 do
    {:malformed, "an interim response (#{status}) that ends the stream"}
  end

  # Interim responses say nothing about the call (RFC 9110, section 15.2).
  def headers(%__MODULE__{response: nil} = stream, {:response, status, _fields}, false)
      when status in 100..199 do
    {:more, stream}
  end

  def headers(%__MODULE__{response: nil} = stream, {:response, status, fields}, end?) do
    stream = %{stream | response: {status, fields}}
    if end?, do: {:done, stream, nil}, else: {:more, stream}
  end

  def headers(%__MODULE__{response: nil}, {:trailers, _fields}, _end?) do
    {:malformed, "headers without a status"}
  end

  def headers(%__MODULE__{} = stream, {:trailers, fields}, true), do: {:done, stream, fields}

  def headers(_stream, {:trailers, _fields}, false) do
    {:malformed, "trailers that do not end the stream"}
  end

  def headers(_stream, {:response, _status, _fields}, _end?) do
    {:malformed, "a second response"}
  end

  def headers(_stream, {:malformed, reason}, _end?), do: {:malformed, reason}

  @doc "Takes a part of the body, of which at most `limit` bytes in all are kept."
  @spec data(t(), binary(), limit :: non_neg_integer()) ::
          {:ok, t()} | {:malformed, String.t()} | :too_large
  def data(%__MODULE__{response: nil}, _data, _limit), do: {:malformed, "data before the headers"}

  def data(%__MODULE__{received: received} = stream, data, limit) do
    case received + byte_size(data) do
      received when received > limit -> :too_large
      received -> {:ok, %{stream | body: [data | stream.body], received: received}}
    end
  end
end
