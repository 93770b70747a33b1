defmodule SynapseBridge.Message.Shape do
  @moduledoc false
  # What a message is made of on the wire: its own record, and a small anonymous record for every
  # wrapper and map entry inside it. All three kinds go through the same code generators, which
  # make one encode and one decode function for each shape:
  #
  #   * `:message` - the struct;
  #   * `:wrapper` - one field, number 1; its value is the bare value of that field;
  #   * `:entry` - fields 1 and 2; its value is a `{key, value}` tuple.

  alias SynapseBridge.Message.{Field, Type}

  defmodule Slot do
    @moduledoc false
    # A field of a shape. `type` names other shapes by `{:local, shape}`, other modules by
    # `{:remote, module}`; `absent` and `unsent` as in `SynapseBridge.Message.Field`; `path` is
    # what the field adds to the path of an error.
    @enforce_keys [:var, :number, :type, :absent, :unsent, :path]
    defstruct @enforce_keys
  end

  @enforce_keys [:kind, :name, :slots]
  defstruct @enforce_keys

  @type t :: %__MODULE__{kind: :message | :wrapper | :entry, name: atom(), slots: [%Slot{}]}

  @doc "The shape of a message and of all that is inside it; the message itself comes first."
  @spec all([Field.t()]) :: [t()]
  def all(fields) do
    {slots, inner} =
      Enum.map_reduce(fields, [], fn field, inner ->
        {type, inner} = wire_type(Type.without_constraints(field.type), inner)

        slot = %Slot{
          var: Macro.var(field.name, Field),
          number: field.number,
          type: type,
          absent: Field.absent(field),
          unsent: Field.unsent(field),
          path: [field.python]
        }

        {slot, inner}
      end)

    [
      %__MODULE__{kind: :message, name: :message, slots: slots}
      | inner |> Enum.map(&elem(&1, 1)) |> Enum.reverse()
    ]
  end

  @doc "The shape of a message that has only the streamed field, whose value is bare; to be written."
  @spec items([t()], [Field.t()]) :: [t()]
  def items([message | _], fields) do
    for {slot, %{streamed: true}} <- Enum.zip(message.slots, fields),
        do: %__MODULE__{kind: :wrapper, name: :item, slots: [%{slot | unsent: :none}]}
  end

  # Equal wrappers share a shape: `inner` maps the type of each to it.
  defp wire_type({:nullable, inner_type}, inner), do: wire_type(inner_type, inner)
  defp wire_type({:message, module}, inner), do: {{:nested, {:remote, module}}, inner}

  defp wire_type({:list, item}, inner) do
    {item, inner} = wire_type(item, inner)
    {{:list, item}, inner}
  end

  defp wire_type({:wrapped, type} = wrapped, inner) do
    {shape, inner} = local(wrapped, :wrapper, [value: type], inner)
    {{:nested, {:local, shape}}, inner}
  end

  defp wire_type({:map, key, value} = map, inner) do
    {shape, inner} = local(map, :entry, [key: key, value: value], inner)
    {{:map, {:local, shape}}, inner}
  end

  defp wire_type(type, inner), do: {type, inner}

  defp local(type, kind, rows, inner) do
    case List.keyfind(inner, type, 0) do
      {_, shape} ->
        {shape.name, inner}

      nil ->
        {slots, inner} =
          rows
          |> Enum.with_index(1)
          |> Enum.map_reduce(inner, fn {{name, type}, number}, inner ->
            {wire, inner} = wire_type(type, inner)
            {slot(kind, name, number, type, wire), inner}
          end)

        shape = %__MODULE__{kind: kind, name: :"#{kind}_#{length(inner) + 1}", slots: slots}
        {shape.name, [{type, shape} | inner]}
    end
  end

  defp slot(:wrapper, name, number, type, wire) do
    %Slot{
      var: Macro.var(name, Field),
      number: number,
      type: wire,
      absent: absent_in_wrapper(type),
      unsent: if(match?({:nullable, _}, type), do: {:ok, nil}, else: :none),
      path: []
    }
  end

  # The protobuf guide: an absent key or value of a map entry is the type's zero.
  defp slot(:entry, name, number, type, wire) do
    path = if name == :value, do: [{:key, Macro.var(:key, Field)}], else: []

    %Slot{
      var: Macro.var(name, Field),
      number: number,
      type: wire,
      absent: zero(type),
      unsent: :none,
      path: path
    }
  end

  defp absent_in_wrapper({:nullable, _}), do: {:ok, nil}
  defp absent_in_wrapper({:list, _}), do: {:ok, []}
  defp absent_in_wrapper({:map, _, _}), do: {:ok, %{}}
  defp absent_in_wrapper(_), do: :missing

  defp zero(:bool), do: {:ok, false}
  defp zero(kind) when kind in [:int64, :uint64], do: {:ok, 0}
  defp zero(:double), do: {:ok, 0.0}
  defp zero(kind) when kind in [:string, :bytes], do: {:ok, ""}
  defp zero({:enum, _}), do: {:ok, {:unknown, 0}}
  # A message or wrapper of no bytes, decoded like any other.
  defp zero(_), do: :empty
end
