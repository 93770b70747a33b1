defmodule SynapseBridge.Tool.Schema do
  @moduledoc false
  # Checks JSON values against a JSON Schema (draft 2020-12), as far as it says what a handler may
  # rely on. A keyword that is not here constrains nothing.

  alias SynapseBridge.Violation

  # A schema may refer to itself; a value that is checked against it has an end.
  @max_depth 64

  @doc "What does not fit, each with its path; `[]` if all does."
  @spec check(term(), map() | boolean()) :: [String.t()]
  def check(value, schema) do
    for {path, text} <- check(value, schema, [], {schema, @max_depth}), do: located(path, text)
  end

  @doc "A path before a text."
  @spec located([Violation.step()], String.t()) :: String.t()
  def located(path, text) do
    case path |> Enum.reverse() |> Violation.render() do
      "" -> text
      path -> "#{path}: #{text}"
    end
  end

  defp check(_value, true, _path, _root), do: []
  defp check(_value, false, path, _root), do: [{path, "is not allowed"}]
  defp check(_value, _schema, path, {_root, 0}), do: [{path, "is nested too deeply"}]

  defp check(value, schema, path, {root, depth}) do
    context = {root, depth - 1}

    Enum.flat_map(schema, fn {keyword, rule} ->
      keyword(keyword, rule, value, path, schema, context)
    end)
  end

  defp keyword("type", types, value, path, _schema, _root) do
    types = List.wrap(types)

    if Enum.any?(types, &type?(&1, value)),
      do: [],
      else: [{path, "should be of type #{Enum.join(types, " or ")}"}]
  end

  defp keyword("enum", values, value, path, _schema, _root) when is_list(values) do
    if Enum.any?(values, &(&1 == value)),
      do: [],
      else: [{path, "should be one of #{Enum.map_join(values, ", ", &inspect/1)}"}]
  end

  defp keyword("const", constant, value, path, _schema, _root),
    do: if(constant == value, do: [], else: [{path, "should be #{inspect(constant)}"}])

  defp keyword("$ref", reference, value, path, _schema, {root, _depth} = context),
    do: check(value, resolve(reference, root), path, context)

  defp keyword("allOf", schemas, value, path, _schema, root),
    do: Enum.flat_map(schemas, &check(value, &1, path, root))

  defp keyword(any, schemas, value, path, _schema, root) when any in ["anyOf", "oneOf"],
    do: one_of(Enum.map(schemas, &check(value, &1, path, root)), path)

  defp keyword("required", names, value, path, _schema, _root) when is_map(value) do
    for name <- names, not is_map_key(value, name), do: {[{:key, name} | path], "is required"}
  end

  defp keyword("properties", properties, value, path, _schema, root) when is_map(value) do
    for {name, schema} <- properties,
        is_map_key(value, name),
        wrong <- check(value[name], schema, [{:key, name} | path], root),
        do: wrong
  end

  defp keyword("additionalProperties", rule, value, path, schema, root) when is_map(value) do
    known = Map.get(schema, "properties", %{})

    for {name, item} <- value,
        not is_map_key(known, name),
        wrong <- check(item, rule, [{:key, name} | path], root),
        do: wrong
  end

  defp keyword("items", rule, value, path, _schema, root) when is_list(value) do
    for {item, index} <- Enum.with_index(value),
        wrong <- check(item, rule, [index | path], root),
        do: wrong
  end

  defp keyword(name, bound, value, path, _schema, _root),
    do: if(within?(name, bound, value), do: [], else: [{path, outside(name, bound)}])

  # The one that is nearest says what is wrong.
  defp one_of(wrongs, path) do
    cond do
      wrongs == [] or [] in wrongs ->
        []

      match?([_], wrongs) ->
        hd(wrongs)

      true ->
        [
          {path,
           "should be one of several: #{wrongs |> Enum.map(&hd/1) |> Enum.map_join("; or ", &elem(&1, 1))}"}
        ]
    end
  end

  defp type?("null", value), do: is_nil(value)
  defp type?("boolean", value), do: is_boolean(value)
  defp type?("string", value), do: is_binary(value)
  defp type?("number", value), do: is_number(value)

  defp type?("integer", value),
    do: is_integer(value) or (is_float(value) and trunc(value) == value)

  defp type?("array", value), do: is_list(value)
  defp type?("object", value), do: is_map(value)
  defp type?(_unknown, _value), do: true

  defp within?("minimum", bound, value) when is_number(value), do: value >= bound
  defp within?("maximum", bound, value) when is_number(value), do: value <= bound
  defp within?("exclusiveMinimum", bound, value) when is_number(value), do: value > bound
  defp within?("exclusiveMaximum", bound, value) when is_number(value), do: value < bound
  defp within?("minLength", bound, value) when is_binary(value), do: String.length(value) >= bound
  defp within?("maxLength", bound, value) when is_binary(value), do: String.length(value) <= bound
  defp within?("minItems", bound, value) when is_list(value), do: length(value) >= bound
  defp within?("maxItems", bound, value) when is_list(value), do: length(value) <= bound
  defp within?(_keyword, _bound, _value), do: true

  defp outside("minimum", bound), do: "should be #{bound} or more"
  defp outside("maximum", bound), do: "should be #{bound} or less"
  defp outside("exclusiveMinimum", bound), do: "should be more than #{bound}"
  defp outside("exclusiveMaximum", bound), do: "should be less than #{bound}"
  defp outside("minLength", bound), do: "should have at least #{bound} characters"
  defp outside("maxLength", bound), do: "should have at most #{bound} characters"
  defp outside("minItems", bound), do: "should have at least #{bound} items"
  defp outside("maxItems", bound), do: "should have at most #{bound} items"

  # "#/$defs/Item" (RFC 6901). What it does not find constrains nothing.
  defp resolve("#", root), do: root

  defp resolve("#/" <> pointer, root) do
    pointer
    |> String.split("/")
    |> Enum.map(&(&1 |> String.replace("~1", "/") |> String.replace("~0", "~")))
    |> Enum.reduce(root, fn step, schema ->
      if is_map(schema), do: Map.get(schema, step, true), else: true
    end)
  end

  defp resolve(_elsewhere, _root), do: true
end
