defmodule SynapseBridge.Message.Shape do
  @moduledoc false
  # What a message is made of on the wire: its own record, and a small anonymous record for every
  # wrapper, map entry and tuple inside it. All kinds go through the same code generators, which
  # make one encode and one decode function for each shape:
  #
  #   * `:message` - the struct;
  #   * `:dict` - the same as a map with atoms as keys, where some may be absent;
  #   * `:wrapper` - one field; its value is the bare value of that field;
  #   * `:entry` - fields 1 and 2; its value is a `{key, value}` tuple;
  #   * `:tuple` - fields 1 to n; its value is a tuple of n.

  alias SynapseBridge.{Cast, Custom, Kind}
  alias SynapseBridge.Message.{Field, Shared, Type}

  defmodule Slot do
    @moduledoc false
    # A field of a shape. `type` names other shapes by `{:local, shape}`, other modules by
    # `{:remote, module}`, and has `{:via, type, module, argument}` where a value is converted (see
    # `SynapseBridge.Kind`); `absent` and `unsent` as in `SynapseBridge.Message.Field`, where
    # `unsent` is `:absent_key` for what need not be in a map; `path` is what the field adds to the
    # path of an error.
    @enforce_keys [:var, :number, :type, :absent, :unsent, :path]
    defstruct @enforce_keys
  end

  @enforce_keys [:kind, :name, :slots]
  defstruct @enforce_keys

  @type t :: %__MODULE__{
          kind: :message | :dict | :wrapper | :entry | :tuple,
          name: atom(),
          slots: [%Slot{}]
        }

  @doc """
  The shape of a message and of all that is inside it; the message itself comes first.

  A streamed field has a shape of its own as well, called `item`, for messages that hold nothing
  else.
  """
  @spec all([Field.t()], :message | :dict) :: [t()]
  def all(fields, kind \\ :message) do
    {slots, inner} = Enum.map_reduce(fields, [], &field(kind, &1, &2))
    items = for %{role: :streamed} = field <- fields, do: {:item, field.number, field.type}
    {items, inner} = Enum.map_reduce(items, inner, &alone/2)
    [%__MODULE__{kind: kind, name: :message, slots: slots} | items] ++ shapes(inner)
  end

  @doc "A shape for each member of a union, `{name, number, type}`, and all that is inside them."
  @spec members([{atom(), pos_integer(), Type.t()}]) :: [t()]
  def members(rows) do
    {members, inner} = Enum.map_reduce(rows, [], &alone/2)
    members ++ shapes(inner)
  end

  # One value as a field of that number.
  defp alone({name, number, type}, inner) do
    type = Type.without_constraints(type)
    {wire, inner} = wire_type(type, inner)
    slot = %{slot(:wrapper, :value, number, type, wire) | number: number}
    {%__MODULE__{kind: :wrapper, name: name, slots: [slot]}, inner}
  end

  @doc """
  The shape of a wrapper or map entry that has a module of its own, where it is the `message`, and
  all that is inside it.
  """
  @spec apart(Type.t()) :: [t()]
  def apart(type) do
    {name, inner} = own(type, [])
    {[shape], others} = inner |> shapes() |> Enum.split_with(&(&1.name == name))
    [%{shape | name: :message} | others]
  end

  defp shapes(inner), do: inner |> Enum.map(&elem(&1, 1)) |> Enum.reverse()

  defp field(kind, field, inner) do
    {type, inner} = wire_type(Type.without_constraints(field.type), inner)

    slot = %Slot{
      var: Macro.var(field.name, Field),
      number: field.number,
      type: type,
      absent: Field.absent(field),
      unsent: Field.unsent(field),
      # Keys that are no fields belong to the message itself, as pydantic has it.
      path: if(field.role == :extra, do: [], else: [field.python])
    }

    {if(kind == :dict and field.presence == :optional, do: absent_key(slot), else: slot), inner}
  end

  defp absent_key(%{unsent: :never} = slot), do: %{slot | absent: {:ok, Field.absent_key()}}
  defp absent_key(slot), do: %{slot | absent: {:ok, Field.absent_key()}, unsent: :absent_key}

  # Equal wrappers share a shape: `inner` maps the type of each to it.
  defp wire_type({:nullable, inner_type}, inner), do: wire_type(inner_type, inner)

  defp wire_type({reference, module}, inner) when reference in [:message, :union],
    do: {{:nested, {:remote, module}}, inner}

  defp wire_type({container, item}, inner) when container in [:list, :set] do
    {item, inner} = wire_type(item, inner)
    {{container, item}, inner}
  end

  defp wire_type({:map, _, _} = map, inner) do
    {shape, inner} = somewhere(map, inner)
    {{:map, shape}, inner}
  end

  defp wire_type({around, _} = type, inner) when around in [:wrapped, :tuple] do
    {shape, inner} = somewhere(type, inner)
    {{:nested, shape}, inner}
  end

  defp wire_type({:custom, converter, type}, inner) do
    {wire, inner} = wire_type(Type.without_constraints(type), inner)
    {{:via, wire, Custom, Macro.escape({converter, type})}, inner}
  end

  defp wire_type({:enum, _} = enum, inner), do: {enum, inner}
  defp wire_type(kind, inner), do: {Kind.wire(kind), inner}

  # What many messages have is compiled once for all.
  defp somewhere(type, inner) do
    case Shared.module(type) do
      nil ->
        {shape, inner} = own(type, inner)
        {{:local, shape}, inner}

      module ->
        {{:remote, module}, inner}
    end
  end

  defp own({:wrapped, type} = wrapped, inner), do: local(wrapped, :wrapper, [value: type], inner)

  defp own({:map, key, value} = map, inner),
    do: local(map, :entry, [key: key, value: value], inner)

  defp own({:tuple, items} = tuple, inner) do
    rows = for {type, number} <- Enum.with_index(items, 1), do: {:"item_#{number}", type}
    local(tuple, :tuple, rows, inner)
  end

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
            slot = slot(kind, name, number, type, wire)
            {%{slot | path: path(kind, name, number, rows)}, inner}
          end)

        shape = %__MODULE__{kind: kind, name: :"#{kind}_#{length(inner) + 1}", slots: slots}
        {shape.name, [{type, shape} | inner]}
    end
  end

  # The protobuf guide: an absent key or value of a map entry is the type's zero.
  defp slot(:entry, name, number, _type, wire) do
    %Slot{
      var: Macro.var(name, Field),
      number: number,
      type: wire,
      absent: zero(wire),
      unsent: :none,
      path: []
    }
  end

  # As a required field.
  defp slot(_kind, name, number, type, wire) do
    %Slot{
      var: Macro.var(name, Field),
      number: number,
      type: wire,
      absent: absent_inside(type),
      unsent: if(match?({:nullable, _}, type), do: {:ok, nil}, else: :none),
      path: []
    }
  end

  defp path(:entry, :value, _, rows),
    do: [
      quote(do: Cast.key_step(unquote(Macro.escape(rows[:key])), unquote(Macro.var(:key, Field))))
    ]

  defp path(:tuple, _, number, _), do: [number - 1]
  defp path(_, _, _, _), do: []

  defp absent_inside({:nullable, _}), do: {:ok, nil}
  defp absent_inside({:list, _}), do: {:ok, []}
  defp absent_inside({:set, _}), do: {:ok, MapSet.new()}
  defp absent_inside({:map, _, _}), do: {:ok, %{}}
  defp absent_inside(_), do: :missing

  defp zero(:bool), do: {:ok, false}
  defp zero(kind) when kind in [:int64, :uint64], do: {:ok, 0}
  defp zero(:double), do: {:ok, 0.0}
  defp zero(kind) when kind in [:string, :bytes], do: {:ok, ""}
  defp zero({:enum, _}), do: {:ok, {:unknown, 0}}
  # No zero of the wire is a value of a converted type.
  defp zero({:via, _, _, _}), do: :missing
  # A message or wrapper of no bytes, decoded like any other.
  defp zero(_), do: :empty
end
