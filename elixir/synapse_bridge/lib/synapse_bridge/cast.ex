defmodule SynapseBridge.Cast do
  @moduledoc false
  # Turns what a user passes into the structs that are sent, or into the list of everything that
  # is wrong with it. A cast is worth the value, or `{:invalid, violations}`; no value looks like
  # that. `path` is the way to the value, last step first; `depth` counts the messages around it
  # on the wire, wrappers and map entries included.

  alias SynapseBridge.{Constraint, Violation}
  alias SynapseBridge.Message.{Field, Type}

  @typedoc """
  What casting needs to know of a field: its names (`alias` where a string key may be the Elixir
  name as well), its type, what `nil` means there, and the value when there is none.
  """
  @type field ::
          {name :: atom(), python :: String.t(), alias :: String.t() | nil, Type.t(),
           null :: :value | :unsent | :missing, default :: {:ok, term()} | :missing}

  @type result(value) :: value | {:invalid, [Violation.t(), ...]}

  # Where Python's protobuf stops reading.
  @max_depth 100

  @min_int64 -0x8000_0000_0000_0000
  @max_int64 0x7FFF_FFFF_FFFF_FFFF
  @max_uint64 0xFFFF_FFFF_FFFF_FFFF

  # Every integer up to here is a double; none beyond there is one.
  @exact_double 0x20_0000_0000_0000
  @max_double (@exact_double - 1) * Integer.pow(2, 971)

  @doc "A field as `message/5` wants it."
  @spec field(Field.t()) :: field()
  def field(field) do
    elixir = Atom.to_string(field.name)
    other_name = if elixir != field.python, do: elixir

    null =
      cond do
        Type.nullable?(field.type) -> :value
        field.presence == :required -> :missing
        true -> :unsent
      end

    default = if field.presence == :required, do: :missing, else: {:ok, Field.default(field)}
    {field.name, field.python, other_name, field.type, null, default}
  end

  @doc """
  Casts a struct of the message, a map with atom or string keys, or a keyword list.

  Of two equal keys in a keyword list the first counts, as in `Keyword.get/2`.
  """
  @spec message(term(), module(), [field()], [Violation.step()], non_neg_integer()) ::
          result(struct())
  def message(input, module, fields, path, depth)

  def message(_, _, _, path, depth) when depth > @max_depth, do: invalid(path, :too_deep)

  def message(%struct{} = input, module, fields, path, depth) do
    if struct == module,
      do: build(module, from_struct(fields, input, path, depth)),
      else: no_message(module, path)
  end

  def message(%{} = input, module, fields, path, depth),
    do: build(module, from_map(fields, input, fields, 0, path, depth))

  def message([], module, fields, path, depth), do: message(%{}, module, fields, path, depth)

  def message([{_, _} | _] = input, module, fields, path, depth) do
    if Keyword.keyword?(input),
      do: message(:maps.from_list(:lists.reverse(input)), module, fields, path, depth),
      else: no_message(module, path)
  end

  def message(_, module, _, path, _), do: no_message(module, path)

  defp no_message(module, path),
    do: invalid(path, :model_type, module |> Module.split() |> List.last())

  defp build(_, {:invalid, _} = invalid), do: invalid
  defp build(module, values), do: module.__build__(values)

  defp from_struct([field | fields], struct, path, depth) do
    value = :erlang.map_get(elem(field, 0), struct)
    both(field_value(field, value, path, depth), from_struct(fields, struct, path, depth))
  end

  defp from_struct([], _, _, _), do: []

  # `used` counts the keys that were fields, so that it is known at the end if others are left.
  defp from_map([{name, python, _, _, _, _} = field | fields], map, all, used, path, depth) do
    case map do
      %{^name => value} ->
        value = field_value(field, value, path, depth)
        both(value, from_map(fields, map, all, used + 1, path, depth))

      %{^python => value} ->
        value = field_value(field, value, path, depth)
        both(value, from_map(fields, map, all, used + 1, path, depth))

      _ ->
        {value, used} = other_name(field, map, used, path, depth)
        both(value, from_map(fields, map, all, used, path, depth))
    end
  end

  defp from_map([], map, _, used, _, _) when map_size(map) == used, do: []

  defp from_map([], map, fields, _, path, _) do
    names = Enum.map(fields, &name_used(&1, map))

    {:invalid,
     for key <- Enum.sort(Map.keys(map)), key not in names do
       Violation.new(Enum.reverse(path, [key_step(key)]), :extra_forbidden)
     end}
  end

  defp other_name({_, _, nil, _, _, default} = field, _, used, path, depth),
    do: {default(default, field, path, depth), used}

  defp other_name({_, _, other, _, _, default} = field, map, used, path, depth) do
    case map do
      %{^other => value} -> {field_value(field, value, path, depth), used + 1}
      _ -> {default(default, field, path, depth), used}
    end
  end

  # A default is right, but a wrapper around it is a level more.
  defp default({:ok, default}, {_, _, _, {:wrapped, _}, _, _} = field, path, depth)
       when depth >= @max_depth,
       do: field_value(field, default, path, depth)

  defp default({:ok, default}, _, _, _), do: default
  defp default(:missing, field, path, _), do: invalid([elem(field, 1) | path], :missing)

  # A field given by two names is used once; the other key is one too many.
  defp name_used({name, python, other, _, _, _}, map),
    do: Enum.find([name, python, other], &is_map_key(map, &1))

  defp field_value({_, _, _, _, :unsent, _}, nil, _, _), do: nil

  defp field_value({_, python, _, _, :missing, _}, nil, path, _),
    do: invalid([python | path], :missing)

  defp field_value({_, _, _, _, _, {:ok, :unset}}, :unset, _, _), do: :unset

  defp field_value({_, python, _, type, _, _}, value, path, depth),
    do: value(type, value, [python | path], depth)

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

  def value({:message, module}, value, path, depth),
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

  def value({:map, key, item, constraints}, value, path, depth)
      when is_map(value) and not is_struct(value) do
    size = map_size(value)

    case Constraint.check_max("Dictionary", size, constraints) do
      :ok -> at_least(map(key, item, value, path, depth), "Dictionary", size, constraints, path)
      {rule, context} -> invalid(path, rule, context)
    end
  end

  def value({:map, _, _, _}, _, path, _), do: invalid(path, :dict_type)

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
      {:invalid, _} = invalid -> invalid
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

  defp at_least({:invalid, _} = invalid, _, _, _, _), do: invalid

  defp at_least(value, container, size, constraints, path) do
    case Constraint.check_min(container, size, constraints) do
      :ok -> value
      {rule, context} -> invalid(path, rule, context)
    end
  end

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
      {:invalid, _} = invalid -> invalid
      entries -> :maps.from_list(entries)
    end
  end

  defp entries([{key, value} | rest], key_type, type, path, depth) do
    here = [key_step(key) | path]
    entry = entry(value(key_type, key, here, depth), value(type, value, here, depth))
    both(entry, entries(rest, key_type, type, path, depth))
  end

  defp entries([], _, _, _, _), do: []

  defp entry({:invalid, of_key}, {:invalid, of_value}), do: {:invalid, of_key ++ of_value}
  defp entry({:invalid, _} = invalid, _), do: invalid
  defp entry(_, {:invalid, _} = invalid), do: invalid
  defp entry(key, value), do: {key, value}

  defp key_step(key) when is_boolean(key), do: {:key, key}
  defp key_step(key) when is_atom(key), do: {:key, Atom.to_string(key)}
  defp key_step(key) when is_binary(key) or is_integer(key), do: {:key, key}
  defp key_step(key), do: {:key, inspect(key)}

  # Puts a value before the others, or the violations of all of them together.
  defp both({:invalid, here}, {:invalid, rest}), do: {:invalid, here ++ rest}
  defp both({:invalid, _} = invalid, _), do: invalid
  defp both(_, {:invalid, _} = invalid), do: invalid
  defp both(value, rest), do: [value | rest]

  defp invalid(path, rule, context \\ nil),
    do: {:invalid, [Violation.new(:lists.reverse(path), rule, context)]}
end
