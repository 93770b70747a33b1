defmodule SynapseBridge.Message.Decoder.Carry do
  @moduledoc false
  # What the loop of a decoder carries from field to field. What it holds until no bytes are left:
  #
  #   * a scalar: the last value;
  #   * a value that is to be converted: what it is on the wire;
  #   * a message, wrapper or packed list: its bytes, because occurrences merge and concatenate
  #     when their bytes do (https://protobuf.dev/programming-guides/encoding#last-one-wins);
  #   * another list, a map: the items, last one first.
  #
  # Each value is an argument of its own, which the BEAM keeps in a register. Beyond 32 fields one
  # struct carries them: 200 arguments took three times as long to compile, and no less to run.

  alias SynapseBridge.Message.Shape

  @most_arguments 32

  @doc "Whether a struct carries the values."
  @spec struct?(Shape.t()) :: boolean()
  def struct?(shape),
    do: shape.kind in [:message, :dict] and length(shape.slots) > @most_arguments

  @doc "The arguments of the loop for the values, as patterns and as expressions."
  @spec arguments(Shape.t()) :: [Macro.t()]
  def arguments(shape) do
    if struct?(shape), do: [quote(do: fields)], else: Enum.map(shape.slots, & &1.var)
  end

  @doc "The arguments to begin with."
  @spec initial(Shape.t()) :: [Macro.t()]
  def initial(%{slots: slots} = shape) do
    values = Enum.map(slots, &initial_value/1)
    if struct?(shape), do: [struct_of(shape, values)], else: values
  end

  defp initial_value(%{type: {container, item}}) when container in [:list, :set],
    do: if(packed(item), do: nil, else: [])

  defp initial_value(%{type: {:map, _}}), do: []
  defp initial_value(%{type: {:nested, _}, absent: :empty}), do: ""
  defp initial_value(%{type: {:nested, _}}), do: nil
  defp initial_value(%{type: {:via, _, _, _}}), do: nil
  defp initial_value(%{absent: {:ok, value}}), do: Macro.escape(value)
  defp initial_value(%{absent: :missing}), do: nil

  @doc "The arguments with another value for one field."
  @spec put(Shape.t(), struct(), Macro.t()) :: [Macro.t()]
  def put(shape, slot, value) do
    if struct?(shape) do
      [quote(do: %{fields | unquote(key(slot)) => unquote(value)})]
    else
      for other <- shape.slots, do: if(other.number == slot.number, do: value, else: other.var)
    end
  end

  @doc "The value of a field so far."
  @spec get(Shape.t(), struct()) :: Macro.t()
  def get(shape, slot) do
    if struct?(shape), do: quote(do: fields.unquote(key(slot))), else: slot.var
  end

  @doc "The struct, or the map, with a value for each field."
  @spec struct_of(Shape.t(), [Macro.t()]) :: Macro.t()
  def struct_of(%{kind: kind, slots: slots}, values) do
    fields = Enum.zip(Enum.map(slots, &key/1), values)

    if kind == :dict,
      do: quote(do: %{unquote_splicing(fields)}),
      else: quote(do: %__MODULE__{unquote_splicing(fields)})
  end

  @doc "The name of a field in the struct."
  @spec key(struct()) :: atom()
  def key(%{var: {name, _, _}}), do: name

  @doc "The wire type of the items of a packed list; `nil` where such a list is not packed."
  @spec packed(term()) :: :varint | :fixed64 | nil
  def packed(:double), do: :fixed64
  def packed(kind) when kind in [:bool, :int64, :uint64], do: :varint
  def packed({:enum, _}), do: :varint
  def packed({:via, type, _, _}), do: packed(type)
  def packed(_), do: nil
end
