defmodule SynapseBridge.Channel.Options.Schema do
  @moduledoc false

  # A schema is a keyword list of options: each has a type, and perhaps a default, `required: true`,
  # `secret: true` and a text for the documentation. From one schema come the checks and the docs.
  #
  # Types:
  #
  #   * `:boolean`, `:positive`, `:timeout`, `:text`, `:name`
  #   * `{:number, least}`
  #   * `{:one_of, values}`
  #   * `{:options, schema}` - a keyword list, which becomes a map
  #   * `{:switch, schema}` - `false`, or `true` or a keyword list, which become a map
  #   * `{:own, fun}` - `fun` takes the value and returns `{:ok, value}` or `{:error, text}`

  @type t :: keyword(keyword())

  @doc "Checks `values`, and returns them with the defaults. `what` is whose options they are."
  @spec new!(t(), term(), what :: String.t()) :: map()
  def new!(schema, values, what) do
    case check(schema, values) do
      {:ok, checked} -> checked
      {:error, text} -> raise ArgumentError, "#{what} #{text}"
    end
  end

  @doc "Checks `values`; the error is a text."
  @spec check(t(), term()) :: {:ok, map()} | {:error, String.t()}
  def check(schema, values) do
    with :ok <- keyword(values), :ok <- known(schema, values) do
      Enum.reduce_while(schema, {:ok, %{}}, fn {name, row}, {:ok, checked} ->
        case check_row(name, row, values) do
          {:ok, value} -> {:cont, {:ok, Map.put(checked, name, value)}}
          {:error, text} -> {:halt, {:error, text}}
        end
      end)
    end
  end

  # What is no keyword list may hold secrets, so it is not shown.
  defp keyword(values) do
    if Keyword.keyword?(values),
      do: :ok,
      else: {:error, "options: expected a keyword list of option names and values"}
  end

  defp known(schema, values) do
    case Keyword.keys(values) -- Keyword.keys(schema) do
      [] -> :ok
      [name | _others] -> {:error, unknown(schema, name)}
    end
  end

  @doc "Says that there is no such option, and which there are."
  @spec unknown(t(), atom()) :: String.t()
  def unknown(schema, name) do
    names = Keyword.keys(schema)
    nearest = Enum.max_by(names, &String.jaro_distance(to_string(&1), to_string(name)))

    "option #{inspect(name)} is unknown; did you mean #{inspect(nearest)}? " <>
      "Options are: #{Enum.map_join(names, ", ", &inspect/1)}"
  end

  defp check_row(name, row, values) do
    case Keyword.fetch(values, name) do
      {:ok, value} ->
        with {:error, text} <- value(row, value), do: {:error, "option #{inspect(name)}: #{text}"}

      :error ->
        if row[:required],
          do: {:error, "options need #{inspect(name)}: #{row[:doc]}"},
          else: default(row)
    end
  end

  # Absent: `nil` stays, and the defaults of nested options are filled in.
  defp default(row) do
    case row[:default] do
      nil -> {:ok, nil}
      default -> value(row, default)
    end
  end

  @doc "Checks one value. The error is what was expected, and what was got unless that is secret."
  @spec value(keyword(), term()) :: {:ok, term()} | {:error, String.t()}
  def value(row, value) do
    case typed(row[:type], value) do
      :error -> {:error, "expected #{expected(row[:type])}#{got(row, value)}"}
      result -> result
    end
  end

  defp got(row, value), do: if(row[:secret], do: "", else: ", got #{inspect(value)}")

  defp typed(:boolean, value) when is_boolean(value), do: {:ok, value}
  defp typed(:positive, value) when is_integer(value) and value > 0, do: {:ok, value}
  defp typed(:timeout, :infinity), do: {:ok, :infinity}
  defp typed(:timeout, value) when is_integer(value) and value >= 0, do: {:ok, value}
  defp typed(:text, value) when is_binary(value), do: {:ok, value}
  defp typed(:name, value) when is_atom(value), do: {:ok, value}

  defp typed({:number, least}, value) when is_number(value) and value >= least, do: {:ok, value}

  defp typed({:one_of, values}, value), do: if(value in values, do: {:ok, value}, else: :error)
  defp typed({:switch, _schema}, false), do: {:ok, false}
  defp typed({:switch, schema}, true), do: check(schema, [])
  defp typed({:own, fun}, value), do: fun.(value)

  defp typed({kind, schema}, value) when kind in [:options, :switch] and is_list(value),
    do: check(schema, value)

  defp typed(_type, _value), do: :error

  defp expected(:boolean), do: "true or false"
  defp expected(:positive), do: "a positive integer"
  defp expected(:timeout), do: "milliseconds or :infinity"
  defp expected(:text), do: "a string"
  defp expected(:name), do: "an atom"
  defp expected({:number, least}), do: "a number of at least #{least}"
  defp expected({:one_of, values}), do: Enum.map_join(values, " or ", &inspect/1)
  defp expected({:options, _schema}), do: "a keyword list"
  defp expected({:switch, _schema}), do: "true, false or a keyword list"

  @doc "The options as a Markdown list, those of options indented below them."
  @spec docs(t(), indent :: String.t()) :: String.t()
  def docs(schema, indent \\ "") do
    Enum.map_join(schema, "\n", fn {name, row} ->
      "#{indent}  * `:#{name}` - #{row[:doc]}#{note(row)}#{nested(row[:type], indent)}"
    end)
  end

  defp note(row) do
    cond do
      is_tuple(row[:type]) and elem(row[:type], 0) in [:options, :switch] -> ""
      row[:required] -> " Required."
      row[:default] in [nil, []] -> ""
      true -> " Default: `#{inspect(row[:default])}`."
    end
  end

  defp nested({kind, schema}, indent) when kind in [:options, :switch],
    do: "\n" <> docs(schema, indent <> "  ")

  defp nested(_type, _indent), do: ""
end
