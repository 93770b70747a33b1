defmodule SynapseBridge.Status do
  @moduledoc """
  The status of a call that has failed, as gRPC defines it.

  It comes from the server, or is made here when the call did not get that far: then `trailers` is
  empty and `message` says what happened and what to do.
  """

  alias SynapseBridge.HTTP2.ErrorCode

  @codes [
    ok: 0,
    cancelled: 1,
    unknown: 2,
    invalid_argument: 3,
    deadline_exceeded: 4,
    not_found: 5,
    already_exists: 6,
    permission_denied: 7,
    resource_exhausted: 8,
    failed_precondition: 9,
    aborted: 10,
    out_of_range: 11,
    unimplemented: 12,
    internal: 13,
    unavailable: 14,
    data_loss: 15,
    unauthenticated: 16
  ]

  @enforce_keys [:code]
  defstruct [:code, message: "", trailers: []]

  @typedoc """
    * `code` - the number of a gRPC status code; `name/1` is its name
    * `message` - for a person
    * `trailers` - what the server sent with the status, `-bin` values decoded
  """
  @type t :: %__MODULE__{
          code: 0..16,
          message: String.t(),
          trailers: [{name :: binary(), value :: binary()}]
        }

  @type name :: unquote(@codes |> Keyword.keys() |> Enum.reduce(&{:|, [], [&1, &2]}))

  @doc """
  The name of a code.

      iex> SynapseBridge.Status.name(14)
      :unavailable
  """
  @spec name(0..16) :: name()
  for {name, code} <- @codes do
    def name(unquote(code)), do: unquote(name)
  end

  @doc """
  The code of a name.

      iex> SynapseBridge.Status.code(:unavailable)
      14
  """
  @spec code(name()) :: 0..16
  for {name, code} <- @codes do
    def code(unquote(name)), do: unquote(code)
  end

  @doc "A status that was made here."
  @spec local(name(), String.t()) :: t()
  def local(name, message), do: %__MODULE__{code: code(name), message: message}

  @doc """
  The status of a response without `grpc-status`, by its HTTP status (gRPC's "HTTP to gRPC Status Code
  Mapping").
  """
  @spec from_http(pos_integer()) :: name()
  def from_http(400), do: :internal
  def from_http(401), do: :unauthenticated
  def from_http(403), do: :permission_denied
  def from_http(404), do: :unimplemented
  def from_http(status) when status in [429, 502, 503, 504], do: :unavailable
  def from_http(_status), do: :unknown

  @doc "The status of a stream that the server has reset (gRPC over HTTP2, section Errors)."
  @spec from_reset(ErrorCode.t()) :: name()
  def from_reset(:refused_stream), do: :unavailable
  def from_reset(:cancel), do: :cancelled
  def from_reset(:enhance_your_calm), do: :resource_exhausted
  def from_reset(:inadequate_security), do: :permission_denied
  def from_reset(_code), do: :internal
end
