defmodule SynapseBridge.Custom do
  @moduledoc """
  A converter between a type of Elixir and one that goes over the wire, for a Python type that is
  mapped in `synapse.yaml`.

      defmodule MyApp.Money do
        @behaviour SynapseBridge.Custom

        defstruct [:cents]
        @type t :: %__MODULE__{cents: integer()}

        @impl true
        def to_wire(%__MODULE__{cents: cents}), do: {:ok, cents}
        def to_wire(_), do: {:error, "expected a MyApp.Money"}

        @impl true
        def from_wire(cents), do: {:ok, %__MODULE__{cents: cents}}
      end

  In the table of a message it is `{:custom, MyApp.Money, :int64}`, and `MyApp.Money.t()` is the type
  of the field. What `to_wire/1` returns is checked as a value of the wire's type, constraints
  included. The text of an error becomes a violation at the value.
  """

  alias SynapseBridge.Cast

  @doc "The value for the wire, or what is wrong with this one."
  @callback to_wire(term()) :: {:ok, term()} | {:error, String.t()}

  @doc "The value for a value of the wire, or what is wrong with that one."
  @callback from_wire(term()) :: {:ok, term()} | {:error, String.t()}

  @doc false
  # Casting keeps the value itself; what it is on the wire must be right.
  def value({converter, type}, value, path, depth) do
    case converted(converter, type, value, path, depth) do
      {:"$invalid", _} = invalid -> invalid
      _ -> value
    end
  end

  @doc false
  def to_wire({converter, type}, value) do
    case converted(converter, type, value, [], 0) do
      {:"$invalid", [violation | _]} ->
        raise ArgumentError, "#{inspect(converter)} cannot encode a value: #{violation}"

      wire ->
        wire
    end
  end

  @doc false
  def from_wire({converter, _}, wire) do
    case converter.from_wire(wire) do
      {:ok, value} -> {:ok, value}
      {:error, text} when is_binary(text) -> {:error, {:value_error, text}}
    end
  end

  defp converted(converter, type, value, path, depth) do
    case converter.to_wire(value) do
      {:ok, wire} -> Cast.value(type, wire, path, depth)
      {:error, text} when is_binary(text) -> Cast.invalid(path, :value_error, text)
    end
  end
end
