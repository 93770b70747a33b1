defmodule SynapseBridge.HTTP2.Settings do
  @moduledoc "SETTINGS parameters: defaults, limits and encoding (RFC 9113, section 6.5.2)."

  alias SynapseBridge.HTTP2.ErrorCode

  @max_window 0x7FFFFFFF
  @largest_frame 0xFFFFFF

  @identifiers [
    header_table_size: 0x1,
    enable_push: 0x2,
    max_concurrent_streams: 0x3,
    initial_window_size: 0x4,
    max_frame_size: 0x5,
    max_header_list_size: 0x6
  ]

  # What holds until a peer says otherwise.
  defstruct header_table_size: 4096,
            enable_push: 1,
            max_concurrent_streams: :infinity,
            initial_window_size: 65_535,
            max_frame_size: 16_384,
            max_header_list_size: :infinity

  @type t :: %__MODULE__{
          header_table_size: non_neg_integer(),
          enable_push: 0 | 1,
          max_concurrent_streams: non_neg_integer() | :infinity,
          initial_window_size: 0..0x7FFFFFFF,
          max_frame_size: 16_384..0xFFFFFF,
          max_header_list_size: non_neg_integer() | :infinity
        }

  @doc "The payload that announces `parameters`."
  @spec encode([{atom(), non_neg_integer()}]) :: binary()
  def encode(parameters) do
    for {name, value} <- parameters, into: <<>> do
      <<Keyword.fetch!(@identifiers, name)::16, value::32>>
    end
  end

  @doc """
  Applies the payload of a SETTINGS frame, in its order. Unknown parameters are ignored, as section
  6.5.2 asks.
  """
  @spec apply_payload(t(), binary()) :: {:ok, t()} | {:error, ErrorCode.t(), String.t()}
  def apply_payload(settings, <<>>), do: {:ok, settings}

  def apply_payload(settings, <<identifier::16, value::32, rest::binary>>) do
    with {:ok, settings} <- put(settings, identifier, value), do: apply_payload(settings, rest)
  end

  for {name, identifier} <- @identifiers do
    defp put(settings, unquote(identifier), value), do: put(settings, unquote(name), value)
  end

  defp put(_settings, :enable_push, value) when value != 0 do
    {:error, :protocol_error, "SETTINGS_ENABLE_PUSH of a server is #{value}"}
  end

  defp put(_settings, :initial_window_size, value) when value > @max_window do
    {:error, :flow_control_error, "SETTINGS_INITIAL_WINDOW_SIZE is #{value}"}
  end

  defp put(_settings, :max_frame_size, value) when value < 16_384 or value > @largest_frame do
    {:error, :protocol_error, "SETTINGS_MAX_FRAME_SIZE is #{value}"}
  end

  defp put(settings, name, value) when is_atom(name), do: {:ok, %{settings | name => value}}
  defp put(settings, _unknown, _value), do: {:ok, settings}
end
