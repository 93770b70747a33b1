defmodule SynapseBridge.Cast do
  @moduledoc false
  # Turns what a user passes into the structs that are sent, or into the list of everything that
  # is wrong with it. A cast is worth the value, or `{:"$invalid", violations}`; no value looks like
  # that. `path` is the way to the value, last step first; `depth` counts the messages around it
  # on the wire, wrappers and map entries included.

  alias SynapseBridge.{Constraint, Custom, Kind, Violation}
  alias SynapseBridge.Kind.Decimal
  alias SynapseBridge.Message.Type

  @type result(value) :: value | {:"$invalid", [Violation.t(), ...]}

  # Where Python's protobuf stops reading.
  @max_depth 100

  @min_int64 -0x8000_0000_0000_0000
  @max_int64 0x7FFF_FFFF_FFFF_FFFF
  @max_uint64 0xFFFF_FFFF_FFFF_FFFF

  # Every integer up to here is a double; none beyond there is one.
  @exact_double 0x20_0000_0000_0000
  @max_double (@exact_double - 1) * Integer.pow(2, 971)

  @doc "Messages inside one another, as Python's protobuf counts them."
  @spec max_depth() :: pos_integer()
  def max_depth, do: @max_depth

  @doc "Casts one value of a type."
  @spec value(Type.t(), term(), [Violation.step()], non_neg_integer()) :: result(term())
  def value(type, value, path, depth)

  def value(:string, value, path, _) when is_binary(value) do
    if SynapseBridge.Codec.Read.utf8?(value), do: value, else: invalid(path, :string_unicode)
  end

  def value(:string, _, path, _), do: invalid(path, :string_type)

  def value(:int64, value, _, _)
      when is_integer(value) and value >= @min_int64 and value <= @max_int64,
      do: value

  def value(:int64, value, path, _), do: invalid_integer(value, @min_int64, @max_int64, path)

  def value(:double, value, _, _)
      when is_float(value) or value in [:nan, :infinity, :negative_infinity],
      do: value

  def value(:double, value, path, _) when is_integer(value), do: float(value, path)
  def value(:double, _, path, _), do: invalid(path, :float_type)

  def value(:bool, value, _, _) when is_boolean(value), do: value
  def value(:bool, _, path, _), do: invalid(path, :bool_type)

  def value(:bytes, value, _, _) when is_binary(value), do: value
  def value(:bytes, _, path, _), do: invalid(path, :bytes_type)

  def value(:uint64, value, _, _)
      when is_integer(value) and value >= 0 and value <= @max_uint64,
      do: value

  def value(:uint64, value, path, _), do: invalid_integer(value, 0, @max_uint64, path)

  def value(kind, value, path, depth) when is_atom(kind),
    do: Kind.module(kind).value(kind, value, path, depth)

  def value({reference, module}, value, path, depth) when reference in [:message, :union],
    do: module.__cast__(value, path, depth + 1)

  def value({:enum, module}, value, path, _) do
    case module.cast(value) do
      {:ok, term} -> term
      :error -> invalid(path, module.__synapse__(:rule), module.__synapse__(:expected))
    end
  end

  def value({:nullable, _}, nil, _, _), do: nil
  def value({:nullable, type}, value, path, depth), do: value(type, value, path, depth)
  def value({:wrapped, _}, _, path, depth) when depth >= @max_depth, do: invalid(path, :too_deep)
  def value({:wrapped, type}, value, path, depth), do: value(type, value, path, depth + 1)

  # The guard holds for proper lists only.
  def value({:list, item, []}, value, path, depth) when length(value) >= 0,
    do: items(item, value, path, depth)

  def value({:list, item, constraints}, value, path, depth) when length(value) >= 0 do
    size = length(value)

    case Constraint.check_max("List", size, constraints) do
      :ok -> at_least(items(item, value, path, depth), "List", size, constraints, path)
      {rule, context} -> invalid(path, rule, context)
    end
  end

  def value({:list, _, _}, _, path, _), do: invalid(path, :list_type)

  def value({:set, item, constraints}, %MapSet{} = value, path, depth),
    do: value({:set, item, constraints}, MapSet.to_list(value), path, depth)

  def value({:set, item, constraints}, value, path, depth) when length(value) >= 0 do
    size = length(value)

    case Constraint.check_max("Set", size, constraints) do
      :ok ->
        at_least(set(items(item, value, path, depth), size, path), "Set", size, constraints, path)

      {rule, context} ->
        invalid(path, rule, context)
    end
  end

  def value({:set, _, _}, _, path, _), do: invalid(path, :set_type)

  def value({:tuple, types}, value, path, depth) when is_tuple(value) do
    cond do
      depth >= @max_depth ->
        invalid(path, :too_deep)

      tuple_size(value) > length(types) ->
        invalid(path, :too_long, {"Tuple", length(types), tuple_size(value)})

      true ->
        case members(types, Tuple.to_list(value), 0, path, depth + 1) do
          {:"$invalid", _} = invalid -> invalid
          members -> List.to_tuple(members)
        end
    end
  end

  def value({:tuple, _}, _, path, _), do: invalid(path, :tuple_type)

  def value({:custom, converter, type}, value, path, depth),
    do: Custom.value({converter, type}, value, path, depth)

  def value({:map, key, item, constraints}, value, path, depth)
      when is_map(value) and not is_struct(value) do
    size = map_size(value)

    case Constraint.check_max("Dictionary", size, constraints) do
      :ok -> at_least(map(key, item, value, path, depth), "Dictionary", size, constraints, path)
      {rule, context} -> invalid(path, rule, context)
    end
  end

  def value({:map, _, _, _}, _, path, _), do: invalid(path, :dict_type)

  def value({:decimal, constraints}, value, path, depth) do
    special? = List.keymember?(constraints, :allow_inf_nan, 0)
    Decimal.value(if(special?, do: :decimal_or_special, else: :decimal), value, path, depth)
  end

  # An integer is held against its own bounds before the wire's, which pydantic does not know.
  def value({kind, constraints}, value, path, depth)
      when kind in [:int64, :uint64] and is_integer(value) do
    case Constraint.check(kind, value, constraints) do
      :ok -> value(kind, value, path, depth)
      {rule, context} -> invalid(path, rule, context)
    end
  end

  def value({kind, constraints}, value, path, depth) do
    case value(kind, value, path, depth) do
      {:"$invalid", _} = invalid -> invalid
      value -> constrained(kind, value, constraints, path)
    end
  end

  defp constrained(kind, value, constraints, path) do
    case Constraint.check(kind, value, constraints) do
      :ok -> value
      {rule, context} -> invalid(path, rule, context)
    end
  end

  # pydantic's words, for bounds that are the wire's own.
  defp invalid_integer(value, _, max, path) when is_integer(value) and value > max,
    do: invalid(path, :less_than_equal, max)

  defp invalid_integer(value, min, _, path) when is_integer(value),
    do: invalid(path, :greater_than_equal, min)

  defp invalid_integer(_, _, _, path), do: invalid(path, :int_type)

  defp float(value, _) when value >= -@exact_double and value <= @exact_double, do: value * 1.0

  defp float(value, path) when value > @max_double or value < -@max_double,
    do: invalid(path, :float_type)

  defp float(value, path) do
    if trunc(value * 1.0) == value, do: value * 1.0, else: invalid(path, :float_inexact)
  end

  defp at_least({:"$invalid", _} = invalid, _, _, _, _), do: invalid

  defp at_least(value, container, size, constraints, path) do
    case Constraint.check_min(container, size, constraints) do
      :ok -> value
      {rule, context} -> invalid(path, rule, context)
    end
  end

  defp set({:"$invalid", _} = invalid, _, _), do: invalid

  defp set(items, size, path) do
    set = MapSet.new(items)
    if MapSet.size(set) == size, do: set, else: invalid(path, :duplicate_item)
  end

  # As in pydantic, each item that is not there is a violation of its own.
  defp members([type | types], [value | values], index, path, depth) do
    both(
      value(type, value, [index | path], depth),
      members(types, values, index + 1, path, depth)
    )
  end

  defp members([_ | types], [], index, path, depth),
    do: both(invalid([index | path], :missing), members(types, [], index + 1, path, depth))

  defp members([], [], _, _, _), do: []

  # A list of floats needs no new list: think of an embedding.
  defp items(:double, list, path, depth) do
    if floats?(list), do: list, else: items(:double, list, 0, path, depth)
  end

  defp items(type, list, path, depth), do: items(type, list, 0, path, depth)

  defp items(type, [item | rest], index, path, depth) do
    both(value(type, item, [index | path], depth), items(type, rest, index + 1, path, depth))
  end

  defp items(_, [], _, _, _), do: []

  defp floats?([item | rest]) when is_float(item), do: floats?(rest)
  defp floats?(rest), do: rest == []

  # A map entry is a message of its own on the wire.
  defp map(_, _, map, _, _) when map == %{}, do: map
  defp map(_, _, _, path, depth) when depth >= @max_depth, do: invalid(path, :too_deep)

  defp map(key_type, type, map, path, depth) do
    case entries(:maps.to_list(map), key_type, type, path, depth + 1) do
      {:"$invalid", _} = invalid -> invalid
      entries -> distinct(:maps.from_list(entries), map_size(map), path)
    end
  end

  # Two keys may be the same to Python: an enum's term and its value, say.
  defp distinct(map, size, _) when map_size(map) == size, do: map
  defp distinct(_, _, path), do: invalid(path, :duplicate_key)

  defp entries([{key, value} | rest], key_type, type, path, depth) do
    here = [key_step(key_type, key) | path]
    entry = entry(value(key_type, key, here, depth), value(type, value, here, depth))
    both(entry, entries(rest, key_type, type, path, depth))
  end

  defp entries([], _, _, _, _), do: []

  defp entry({:"$invalid", of_key}, {:"$invalid", of_value}),
    do: {:"$invalid", of_key ++ of_value}

  defp entry({:"$invalid", _} = invalid, _), do: invalid
  defp entry(_, {:"$invalid", _} = invalid), do: invalid
  defp entry(key, value), do: {key, value}

  @doc "The step of a path to what a map has under a key; a secret key is not shown."
  @spec key_step(Type.t(), term()) :: Violation.step()
  def key_step(type, key),
    do: if(Type.secret?(type), do: {:key, "**********"}, else: key_step(key))

  @spec key_step(term()) :: Violation.step()
  def key_step(key) when is_boolean(key), do: {:key, key}
  def key_step(key) when is_atom(key), do: {:key, Atom.to_string(key)}
  def key_step(key) when is_binary(key) or is_integer(key), do: {:key, key}
  def key_step(key), do: {:key, inspect(key)}

  @doc "Puts a value before the others, or the violations of all of them together."
  @spec both(result(term()), result([term()])) :: result([term()])
  def both({:"$invalid", here}, {:"$invalid", rest}), do: {:"$invalid", here ++ rest}
  def both({:"$invalid", _} = invalid, _), do: invalid
  def both(_, {:"$invalid", _} = invalid), do: invalid
  def both(value, rest), do: [value | rest]

  @doc "The violation of a rule at a path, as the result of a cast."
  @spec invalid([Violation.step()], atom(), term()) :: {:"$invalid", [Violation.t(), ...]}
  def invalid(path, rule, context \\ nil),
    do: {:"$invalid", [Violation.new(:lists.reverse(path), rule, context)]}
end
