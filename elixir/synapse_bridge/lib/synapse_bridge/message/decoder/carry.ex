defmodule SynapseBridge.Message.Decoder.Carry do
  @moduledoc false
  # What the loop of a decoder carries from field to field. What it holds until no bytes are left:
  #
  #   * a scalar: the last value, which is not known yet to be UTF-8;
  #   * an enum, a value that is to be converted: what it is on the wire;
  #   * a message, wrapper or packed list: its bytes, because occurrences merge and concatenate
  #     when their bytes do (https://protobuf.dev/programming-guides/encoding#last-one-wins);
  #   * another list, a map: the items as they are on the wire, last one first.
  #
  # Each value is an argument of its own, which the BEAM keeps in a register. Beyond 32 fields one
  # struct carries them: 200 arguments took three times as long to compile, and no less to run.

  alias SynapseBridge.Codec.{Read, Write}
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
  defp initial_value(%{type: {:enum, _}}), do: nil
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

  @doc "What a field is on the wire: a kind of number, `:enum`, or `:bytes` for all the rest."
  @spec wire(struct()) :: :bool | :int64 | :uint64 | :double | :enum | :bytes
  def wire(%{type: type}) do
    case plain(type) do
      {container, item} when container in [:list, :set] ->
        if packed(item), do: :bytes, else: element(plain(item))

      other ->
        element(other)
    end
  end

  defp element({:enum, _}), do: :enum
  defp element({_, _}), do: :bytes
  defp element(:string), do: :bytes
  defp element(kind), do: kind

  @doc "The value of a field once another one has been found, as an expression."
  @spec add(Shape.t(), struct(), Macro.t()) :: Macro.t()
  def add(shape, slot, value) do
    case how(slot.type) do
      :put -> value
      :append -> quote(do: [unquote(value) | unquote(get(shape, slot))])
      :merge -> quote(do: Read.merge(unquote(get(shape, slot)), unquote(value)))
    end
  end

  defp how(type) do
    case plain(type) do
      {:map, _} -> :append
      {:nested, _} -> :merge
      {:enum, _} -> :put
      {_container, item} -> if packed(item), do: :merge, else: :append
      _ -> :put
    end
  end

  # A value that is to be converted is so at the end.
  defp plain({:via, type, _, _}), do: plain(type)
  defp plain({container, {:via, item, _, _}}), do: plain({container, item})
  defp plain(type), do: type

  @doc """
  The table of a shape for `SynapseBridge.Codec.Read.field/3`: by tag, where the value is among those
  carried, and what is done with it; and the paths of all fields by number.
  """
  @spec table(Shape.t()) :: {map(), [{pos_integer(), path :: list()}]}
  def table(shape) do
    rows =
      for {slot, index} <- Enum.with_index(shape.slots),
          {wire_type, kind, how} <- forms(slot) do
        {tag, ""} = slot.number |> Write.tag(wire_type) |> Read.varint()
        place = if struct?(shape), do: key(slot), else: index
        {tag, {place, kind, how}}
      end

    {Map.new(rows), for(slot <- shape.slots, do: {slot.number, Enum.map(slot.path, &step/1)})}
  end

  defp step(step) when is_tuple(step), do: :"$key"
  defp step(step), do: step

  # An item that comes alone, though its list can be packed, joins the packed bytes.
  defp forms(%{type: type} = slot) do
    form = {wire_type(wire(slot)), wire(slot), how(type)}

    case plain(type) do
      {container, item} when container in [:list, :set] ->
        case packed(item) do
          nil -> [form]
          wire_type -> [form, {wire_type, {:packed, wire_type}, :merge}]
        end

      _ ->
        [form]
    end
  end

  defp wire_type(:double), do: :fixed64
  defp wire_type(:bytes), do: :bytes
  defp wire_type(_), do: :varint

  @doc "The wire type of the items of a packed list; `nil` where such a list is not packed."
  @spec packed(term()) :: :varint | :fixed64 | nil
  def packed(:double), do: :fixed64
  def packed(kind) when kind in [:bool, :int64, :uint64], do: :varint
  def packed({:enum, _}), do: :varint
  def packed({:via, type, _, _}), do: packed(type)
  def packed(_), do: nil
end
