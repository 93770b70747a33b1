defmodule SynapseBridge.Kind.BigInteger do
  @moduledoc false
  # An integer of any size: decimal digits on the wire.

  alias SynapseBridge.Cast

  def value(:bigint, value, _, _) when is_integer(value), do: value
  def value(:bigint, _, path, _), do: Cast.invalid(path, :int_type)

  def to_wire(:bigint, value), do: Integer.to_string(value)

  def from_wire(:bigint, <<sign_or_digit, _::binary>> = digits)
      when sign_or_digit == ?- or sign_or_digit in ?0..?9 do
    {:ok, String.to_integer(digits)}
  rescue
    # No digits, or more of them than the BEAM has integers for.
    _ in [ArgumentError, SystemLimitError] -> {:error, :bigint_digits}
  end

  def from_wire(:bigint, _), do: {:error, :bigint_digits}
end
