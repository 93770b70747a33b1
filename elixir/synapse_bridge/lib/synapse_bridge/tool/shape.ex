defmodule SynapseBridge.Tool.Shape do
  @moduledoc false
  # What a type of a spec is to a model: a JSON Schema, and the way from a JSON value to the term that
  # the type stands for.

  alias SynapseBridge.Tool.Schema
  alias SynapseBridge.Violation

  @typedoc """
    * `{:integer, low, high}` - with bounds or `nil`
    * `{:literal, value}` - an atom, which is a string in JSON unless it is `nil` or a boolean, or an integer
    * `{:list, items, least}`
    * `{:text, module}` - a struct that is read from ISO 8601
    * `{:map, values}` - with strings as keys
    * `{:object, fields}` - with atoms as keys: name, whether it is required, and shape
  """
  @type t ::
          :any
          | :string
          | {:integer, integer() | nil, integer() | nil}
          | :float
          | :number
          | :boolean
          | {:literal, atom() | integer()}
          | {:list, t(), least :: 0 | 1}
          | {:text, module()}
          | {:map, t()}
          | {:object, [{atom(), boolean(), t()}]}
          | {:union, [t(), ...]}

  @formats %{Date => "date", Time => "time", DateTime => "date-time", NaiveDateTime => nil}

  @doc "The structs that are text in JSON."
  @spec texts() :: [module()]
  def texts, do: Map.keys(@formats)

  @doc "The JSON Schema."
  @spec schema(t()) :: map()
  def schema(:any), do: %{}
  def schema(:string), do: %{"type" => "string"}
  def schema(:float), do: %{"type" => "number"}
  def schema(:number), do: %{"type" => "number"}
  def schema(:boolean), do: %{"type" => "boolean"}

  def schema({:integer, low, high}) do
    for {name, bound} <- [{"minimum", low}, {"maximum", high}],
        bound != nil,
        into: %{"type" => "integer"},
        do: {name, bound}
  end

  def schema({:literal, nil}), do: %{"type" => "null"}
  def schema({:literal, value}), do: %{"const" => json(value)}
  def schema({:list, items, 0}), do: %{"type" => "array", "items" => schema(items)}
  def schema({:list, items, least}), do: Map.put(schema({:list, items, 0}), "minItems", least)

  def schema({:text, module}) do
    case @formats[module] do
      nil ->
        %{"type" => "string", "description" => "a date and time without zone, as ISO 8601 has it"}

      format ->
        %{"type" => "string", "format" => format}
    end
  end

  def schema({:map, values}), do: %{"type" => "object", "additionalProperties" => schema(values)}

  def schema({:object, fields}) do
    object = %{
      "type" => "object",
      "properties" =>
        Map.new(fields, fn {name, _, shape} -> {Atom.to_string(name), schema(shape)} end),
      "additionalProperties" => false
    }

    case for {name, true, _} <- fields, do: Atom.to_string(name) do
      [] -> object
      required -> Map.put(object, "required", required)
    end
  end

  # Literals together are an enum.
  def schema({:union, shapes}) do
    {literals, others} = Enum.split_with(shapes, &literal?/1)
    values = for {:literal, value} <- literals, do: json(value)

    case {values, others} do
      {values, []} -> %{"enum" => values}
      {[], others} -> %{"anyOf" => Enum.map(others, &schema/1)}
      {[nil], others} -> %{"anyOf" => Enum.map(others, &schema/1) ++ [schema({:literal, nil})]}
      {values, others} -> %{"anyOf" => Enum.map(others, &schema/1) ++ [%{"enum" => values}]}
    end
  end

  defp literal?({:literal, _}), do: true
  defp literal?(_), do: false

  defp json(value) when is_atom(value) and not is_nil(value) and not is_boolean(value),
    do: Atom.to_string(value)

  defp json(value), do: value

  @doc "The term of a JSON value, or what does not fit, each with its path."
  @spec cast(t(), term()) :: {:ok, term()} | {:error, [String.t(), ...]}
  def cast(shape, value) do
    with {:error, wrongs} <- cast(shape, value, []),
         do: {:error, for({path, text} <- wrongs, do: Schema.located(path, text))}
  end

  defp cast(:any, value, _path), do: {:ok, value}
  defp cast(:string, value, _path) when is_binary(value), do: {:ok, value}
  defp cast(:boolean, value, _path) when is_boolean(value), do: {:ok, value}
  defp cast(:number, value, _path) when is_number(value), do: {:ok, value}
  defp cast(:float, value, _path) when is_float(value), do: {:ok, value}

  defp cast(:float, value, path) when is_integer(value) do
    {:ok, value * 1.0}
  rescue
    ArithmeticError -> wrong(path, "should be a number that a double can hold")
  end

  # JSON does not tell 1 and 1.0 apart.
  defp cast({:integer, _, _} = shape, value, path) when is_float(value) and trunc(value) == value,
    do: cast(shape, trunc(value), path)

  defp cast({:integer, low, high} = shape, value, path) when is_integer(value) do
    if (low == nil or value >= low) and (high == nil or value <= high),
      do: {:ok, value},
      else: misfit(shape, path)
  end

  defp cast({:literal, literal} = shape, value, path),
    do: if(json(literal) == value, do: {:ok, literal}, else: misfit(shape, path))

  defp cast({:list, shape, least}, items, path) when is_list(items) and length(items) >= least do
    items
    |> Enum.with_index()
    |> Enum.map(fn {item, index} -> cast(shape, item, [index | path]) end)
    |> all()
  end

  defp cast({:text, module} = shape, text, path) when is_binary(text) do
    case module.from_iso8601(text) do
      {:ok, value} -> {:ok, value}
      {:ok, value, _offset} -> {:ok, value}
      {:error, _} -> misfit(shape, path)
    end
  end

  defp cast({:map, shape}, map, path) when is_map(map) do
    entries =
      Enum.map(map, fn {key, value} -> entry(key, cast(shape, value, [{:key, key} | path])) end)

    with {:ok, entries} <- all(entries), do: {:ok, Map.new(entries)}
  end

  defp cast({:object, fields}, map, path) when is_map(map) do
    known =
      for {name, required?, shape} <- fields, do: {name, Atom.to_string(name), required?, shape}

    entries =
      for {name, key, required?, shape} <- known, required? or is_map_key(map, key) do
        case map do
          %{^key => value} -> entry(name, cast(shape, value, [{:key, key} | path]))
          _ -> wrong([{:key, key} | path], "is required")
        end
      end

    unknown =
      for key <- Map.keys(map) -- Enum.map(known, &elem(&1, 1)),
          do: wrong([{:key, key} | path], "is not allowed")

    with {:ok, entries} <- all(entries ++ unknown), do: {:ok, Map.new(entries)}
  end

  defp cast({:union, shapes} = union, value, path) do
    Enum.find_value(shapes, misfit(union, path), fn shape ->
      with {:error, _} <- cast(shape, value, path), do: nil
    end)
  end

  defp cast(shape, _value, path), do: misfit(shape, path)

  defp entry(key, {:ok, value}), do: {:ok, {key, value}}
  defp entry(_key, {:error, wrongs}), do: {:error, wrongs}

  defp all(results) do
    case for {:error, wrongs} <- results, wrong <- wrongs, do: wrong do
      [] -> {:ok, for({:ok, value} <- results, do: value)}
      wrongs -> {:error, wrongs}
    end
  end

  defp misfit(shape, path), do: wrong(path, "should be #{words(shape)}")

  @spec wrong([Violation.step()], String.t()) :: {:error, [{[Violation.step()], String.t()}]}
  defp wrong(path, text), do: {:error, [{path, text}]}

  defp words(:string), do: "a string"
  defp words(:boolean), do: "a boolean"
  defp words(number) when number in [:number, :float], do: "a number"
  defp words({:integer, nil, nil}), do: "an integer"
  defp words({:integer, low, nil}), do: "an integer of #{low} or more"
  defp words({:integer, nil, high}), do: "an integer of #{high} or less"
  defp words({:integer, low, high}), do: "an integer from #{low} to #{high}"
  defp words({:literal, nil}), do: "null"
  defp words({:literal, value}), do: inspect(json(value))
  defp words({:list, _, 0}), do: "an array"
  defp words({:list, _, least}), do: "an array with at least #{least} item"
  defp words({:text, Date}), do: "a date such as 2024-02-29"
  defp words({:text, Time}), do: "a time such as 23:59:30"
  defp words({:text, DateTime}), do: "a date and time with zone, such as 2024-02-29T23:59:30Z"
  defp words({:text, NaiveDateTime}), do: "a date and time such as 2024-02-29T23:59:30"
  defp words({object, _}) when object in [:map, :object], do: "an object"
  defp words({:union, shapes}), do: Enum.map_join(shapes, " or ", &words/1)
  defp words(:any), do: "a value"
end
