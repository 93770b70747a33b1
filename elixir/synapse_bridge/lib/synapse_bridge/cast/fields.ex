defmodule SynapseBridge.Cast.Fields do
  @moduledoc false
  # Casts the fields of a message: by their names in Elixir and in Python, with what `nil` means in
  # each, the value of those that are not given, and a violation for every key that is none.

  import SynapseBridge.Cast, only: [both: 2, invalid: 2, invalid: 3, key_step: 1, value: 4]

  alias SynapseBridge.{Cast, Violation}
  alias SynapseBridge.Message.{Field, Type}

  @max_depth Cast.max_depth()

  @typedoc """
  What casting needs to know of a field: its names (`alias` where a string key may be the Elixir
  name as well), its type, what `nil` means there (`:never`: nothing else may be given), and the
  value when there is none.
  """
  @type field ::
          {name :: atom(), python :: String.t(), alias :: String.t() | nil, Type.t(),
           null :: :value | :unsent | :missing | :never, default :: {:ok, term()} | :missing}

  @typedoc """
  What casting needs to know of a message: its module, whether it is a struct or a `:dict`, its
  fields but the one for unknown keys, and that one.
  """
  @type message ::
          {module(), :struct | :dict, [field()], extra :: nil | {atom(), Type.t()}}

  @doc "A message as `message/4` takes it."
  @spec plan(module(), :struct | :dict, [Field.t()]) :: message()
  def plan(module, kind, fields) do
    {extra, fields} = Enum.split_with(fields, &(&1.role == :extra))

    extra =
      case extra do
        [] -> nil
        [field] -> {field.name, field.type}
      end

    {module, kind, Enum.map(fields, &field(&1, kind)), extra}
  end

  defp field(field, kind) do
    elixir = Atom.to_string(field.name)
    other_name = if elixir != field.python, do: elixir

    null =
      cond do
        field.role == :computed -> :never
        Type.nullable?(field.type) -> :value
        field.presence == :required -> :missing
        kind == :dict and field.presence == :optional -> :value
        true -> :unsent
      end

    {field.name, field.python, other_name, field.type, null, default_of(field, kind)}
  end

  defp default_of(%{presence: :required}, _), do: :missing
  defp default_of(%{presence: :optional}, :dict), do: {:ok, Field.absent_key()}
  defp default_of(field, _), do: {:ok, Field.default(field)}

  @doc """
  Casts a struct of the message, a map with atom or string keys, or a keyword list.

  Of two equal keys in a keyword list the first counts, as in `Keyword.get/2`.
  """
  @spec message(term(), message(), [Violation.step()], non_neg_integer()) :: Cast.result(map())
  def message(input, message, path, depth)

  def message(_, _, path, depth) when depth > @max_depth, do: invalid(path, :too_deep)

  def message(%struct{} = input, {module, _, fields, extra} = message, path, depth) do
    if struct == module do
      extras = if extra, do: {elem(extra, 0), :erlang.map_get(elem(extra, 0), input)}
      values = from_struct(fields, input, path, depth)
      build(message, values, extras(extras, extra, fields, path, depth))
    else
      no_message(message, path)
    end
  end

  def message(%{} = input, {_, _, fields, nil} = message, path, depth),
    do: build(message, from_map(fields, input, fields, 0, path, depth), [])

  def message(%{} = input, {_, _, fields, {name, _} = extra} = message, path, depth) do
    {input, extras} = split_extras(input, fields, name)
    values = from_map(fields, input, fields, 0, path, depth)
    build(message, values, extras(extras, extra, fields, path, depth))
  end

  def message([], message, path, depth), do: message(%{}, message, path, depth)

  def message([{_, _} | _] = input, message, path, depth) do
    if Keyword.keyword?(input),
      do: message(:maps.from_list(:lists.reverse(input)), message, path, depth),
      else: no_message(message, path)
  end

  def message(_, message, path, _), do: no_message(message, path)

  defp no_message({_, :dict, _, _}, path), do: invalid(path, :dict_type)

  defp no_message({module, _, _, _}, path),
    do: invalid(path, :model_type, module |> Module.split() |> List.last())

  defp build(_, {:"$invalid", of_fields}, {:"$invalid", of_extras}),
    do: {:"$invalid", of_fields ++ of_extras}

  defp build(_, {:"$invalid", _} = invalid, _), do: invalid
  defp build(_, _, {:"$invalid", _} = invalid), do: invalid
  defp build({module, _, _, nil}, values, []), do: module.__build__(values, nil)
  defp build({module, _, _, _}, values, extras), do: module.__build__(values, extras)

  # A string that names no field is a key of its own, as in Python: the field for such keys is
  # addressed by its atom alone. Atoms that name no field stay where they are found to be wrong.
  defp split_extras(input, fields, name) do
    known = for {_, python, other, _, _, _} <- fields, text <- [python, other], do: text

    {extras, rest} =
      input
      |> Map.delete(name)
      |> Enum.split_with(fn {key, _} -> is_binary(key) and key not in known end)

    {extras, rest} = {Map.new(extras), Map.new(rest)}

    case input do
      %{^name => given} when is_map(given) and not is_struct(given) ->
        {rest, {name, Map.merge(given, extras)}}

      %{^name => given} when given != nil ->
        {rest, {name, given}}

      _ ->
        {rest, {name, extras}}
    end
  end

  defp extras(nil, nil, _, _, _), do: []

  defp extras({_, value}, {_, type}, fields, path, depth) do
    names = for {_, python, _, _, _, _} <- fields, do: python

    twice =
      for name <- names, is_map(value) and is_map_key(value, name) do
        Violation.new(Enum.reverse(path, [name]), :multiple_values)
      end

    case value(type, value, path, depth) do
      {:"$invalid", violations} -> {:"$invalid", violations ++ twice}
      _ when twice != [] -> {:"$invalid", twice}
      extras -> extras
    end
  end

  defp from_struct([{name, _, _, _, :never, _} | fields], struct, path, depth),
    do: both(:erlang.map_get(name, struct), from_struct(fields, struct, path, depth))

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

    {:"$invalid",
     for key <- Enum.sort(Map.keys(map)), key not in names do
       Violation.new(Enum.reverse(path, [key_step(key)]), :extra_forbidden, nearest(key, fields))
     end}
  end

  # The name that a wrong one may be meant to be, written in the same way.
  defp nearest(key, fields) when is_atom(key) do
    with name when name != nil <-
           alike(Atom.to_string(key), for(field <- fields, do: Atom.to_string(elem(field, 0)))),
         do: ":" <> name
  end

  defp nearest(key, fields) when is_binary(key) do
    with name when name != nil <- alike(key, for(field <- fields, do: elem(field, 1))),
         do: inspect(name)
  end

  defp nearest(_, _), do: nil

  defp alike(text, names) do
    if String.valid?(text) and names != [] do
      name = Enum.max_by(names, &String.jaro_distance(text, &1))
      if name != text and String.jaro_distance(text, name) >= 0.8, do: name
    end
  end

  defp other_name({_, _, nil, _, _, default} = field, _, used, path, depth),
    do: {default(default, field, path, depth), used}

  defp other_name({_, _, other, _, _, default} = field, map, used, path, depth) do
    case map do
      %{^other => value} -> {field_value(field, value, path, depth), used + 1}
      _ -> {default(default, field, path, depth), used}
    end
  end

  # A default is right, but a wrapper around it is a level more. What is absent has none.
  defp default({:ok, :"$absent"}, _, _, _), do: :"$absent"
  defp default({:ok, :unset}, _, _, _), do: :unset

  defp default({:ok, default}, {_, _, _, {:wrapped, _}, _, _} = field, path, depth)
       when depth >= @max_depth,
       do: field_value(field, default, path, depth)

  defp default({:ok, default}, _, _, _), do: default
  defp default(:missing, field, path, _), do: invalid([elem(field, 1) | path], :missing)

  # A field given by two names is used once; the other key is one too many.
  defp name_used({name, python, other, _, _, _}, map),
    do: Enum.find([name, python, other], &is_map_key(map, &1))

  defp field_value({_, _, _, _, :unsent, _}, nil, _, _), do: nil

  # What only Python makes is kept in the struct that it came in, and taken from nowhere else.
  defp field_value({_, _, _, _, :never, _}, nil, _, _), do: nil

  defp field_value({_, python, _, _, :never, _}, _, path, _),
    do: invalid([python | path], :extra_forbidden)

  defp field_value({_, python, _, _, :missing, _}, nil, path, _),
    do: invalid([python | path], :missing)

  defp field_value({_, _, _, _, _, {:ok, :unset}}, :unset, _, _), do: :unset

  defp field_value({_, python, _, type, _, _}, value, path, depth),
    do: value(type, value, [python | path], depth)
end
