defmodule SynapseBridge.Enum do
  @moduledoc """
  Turns a table of values into the module of a Python enum, or of a `Literal`.

      defmodule Currency do
        use SynapseBridge.Enum

        enum do
          value :eur, 1, "€", name: "EUR"
          value :usd, 2, "$", name: "USD", doc: "US dollars."
        end
      end

  A row is the Elixir term, the number on the wire, and the value in Python. `name:` is the
  name of the member in Python, given where it differs from the value. The module of a `Literal`
  says `use SynapseBridge.Enum, literal: true`.

  The module gets

    * `@type t` - the terms, and `{:unknown, number}` for a number that the table does not have,
      which a newer server may send;
    * `values/0` - the terms in order;
    * `cast/1` - the term of a term, a Python value or a Python name;
    * `to_number/1` and `from_number/1` - the way to the wire and back;
    * `__synapse__/1` - reflection: `:kind` is `:enum`, `:rows` the table, `:rule` and `:expected`
      what a violation says.

  Atoms come from the table alone, never from data.

      Currency.cast("USD")     #=> {:ok, :usd}
      Currency.cast("USDT")    #=> :error
      Currency.from_number(3)  #=> {:unknown, 3}
  """

  alias SynapseBridge.Rows

  @typedoc "A row: the term, its number, the Python value, the Python name, the description."
  @type row :: %{
          term: atom() | integer(),
          number: pos_integer(),
          value: String.t() | integer() | boolean(),
          name: String.t() | nil,
          doc: String.t() | nil
        }

  @doc false
  defmacro __using__(options) do
    quote do
      import SynapseBridge.Enum, only: [enum: 1, value: 3, value: 4]
      Module.register_attribute(__MODULE__, :synapse_rows, accumulate: true)
      @synapse_rule unquote(if options[:literal], do: :literal_error, else: :enum)
    end
  end

  @doc "The table of values; see the module's documentation."
  defmacro enum(do: rows) do
    quote do
      Rows.evaluate(fn -> unquote(rows) end)
      @compile Rows.compile_options(:table)
      @before_compile SynapseBridge.Enum
    end
  end

  @doc "One row of the table."
  defmacro value(term, number, python, options \\ []) do
    quote do
      @synapse_rows %{
        term: unquote(term),
        number: unquote(number),
        value: unquote(python),
        name: unquote(options[:name]),
        doc: unquote(options[:doc])
      }
    end
  end

  @doc false
  defmacro __before_compile__(env) do
    rows = env.module |> Module.get_attribute(:synapse_rows) |> Enum.reverse()
    rule = Module.get_attribute(env.module, :synapse_rule)
    check!(rows, env)
    document(rows, env)

    quote do
      unquote(type(rows))
      unquote(reflection(rows, rule))
      unquote(casts(rows))
      unquote(numbers(rows))
    end
  end

  defp check!(rows, env) do
    for key <- [:term, :number], {_, [_, row | _]} <- Enum.group_by(rows, & &1[key]) do
      raise CompileError,
        file: env.file,
        line: env.line,
        description: "#{inspect(env.module)}: #{key} #{inspect(row[key])} is there twice"
    end
  end

  defp document(rows, env) do
    with {line, doc} when is_binary(doc) <- Module.get_attribute(env.module, :moduledoc) do
      table =
        for row <- rows do
          about = row.doc && " - #{row.doc}"
          "  * `#{inspect(row.term)}` (`#{python(row.value)}` in Python)#{about}\n"
        end

      doc = "#{String.trim(doc)}\n\n## Values\n\n#{table}"
      Module.put_attribute(env.module, :moduledoc, {line, doc})
    end
  end

  defp type(rows) do
    union =
      for(row <- rows, do: row.term)
      |> Enum.reverse()
      |> Enum.reduce(quote(do: {:unknown, integer()}), &quote(do: unquote(&1) | unquote(&2)))

    quote do
      @typedoc "One of the values, or a number that this version does not know."
      @type t :: unquote(union)
    end
  end

  defp reflection(rows, rule) do
    expected = rows |> Enum.map(&python(&1.value)) |> join()

    quote do
      @doc "The values, in the order of their definition."
      @spec values() :: [t()]
      def values, do: unquote(Enum.map(rows, & &1.term))

      @doc false
      def __synapse__(:kind), do: :enum
      def __synapse__(:rows), do: unquote(Macro.escape(rows))
      def __synapse__(:rule), do: unquote(rule)
      def __synapse__(:expected), do: unquote(expected)
    end
  end

  # A term first, then a Python value, then a Python name: the first row that has it wins.
  defp casts(rows) do
    keys =
      for(row <- rows, do: {row.term, row.term}) ++
        for(row <- rows, do: {row.value, row.term}) ++
        for %{name: name} = row when name != nil <- rows, do: {name, row.term}

    clauses =
      for {key, term} <- Enum.uniq_by(keys, &elem(&1, 0)) do
        quote(do: def(cast(unquote(key)), do: {:ok, unquote(term)}))
      end

    quote do
      @doc "The value for a value, or for its Python value or name; `:error` for anything else."
      @spec cast(term()) :: {:ok, t()} | :error
      unquote_splicing(clauses)

      def cast({:unknown, number} = unknown)
          when is_integer(number) and number >= -0x8000_0000 and number <= 0x7FFF_FFFF do
        if from_number(number) == unknown, do: {:ok, unknown}, else: :error
      end

      def cast(_), do: :error
    end
  end

  defp numbers(rows) do
    to =
      for row <- rows,
          do: quote(do: def(to_number(unquote(row.term)), do: unquote(row.number)))

    from =
      for row <- rows,
          do: quote(do: def(from_number(unquote(row.number)), do: unquote(row.term)))

    quote do
      @doc "The number of a value on the wire."
      @spec to_number(t()) :: integer()
      unquote_splicing(to)
      def to_number({:unknown, number}), do: number

      @doc "The value of a number on the wire."
      @spec from_number(integer()) :: t()
      unquote_splicing(from)
      def from_number(number), do: {:unknown, number}
    end
  end

  defp join([one]), do: one
  defp join(many), do: Enum.join(Enum.drop(many, -1), ", ") <> " or " <> List.last(many)

  # The value as Python's repr() writes it.
  defp python(true), do: "True"
  defp python(false), do: "False"
  defp python(number) when is_integer(number), do: Integer.to_string(number)

  defp python(text) do
    quote_mark = if text =~ "'" and not (text =~ "\""), do: ?", else: ?'
    inner = for <<char::utf8 <- text>>, into: "", do: python_char(char, quote_mark)
    <<quote_mark, inner::binary, quote_mark>>
  end

  defp python_char(?\n, _), do: "\\n"
  defp python_char(?\r, _), do: "\\r"
  defp python_char(?\t, _), do: "\\t"
  defp python_char(char, char), do: <<?\\, char>>
  defp python_char(?\\, _), do: "\\\\"

  defp python_char(char, _) when char < 0x20 or (char >= 0x7F and char <= 0xA0),
    do: "\\x" <> String.downcase(String.pad_leading(Integer.to_string(char, 16), 2, "0"))

  defp python_char(char, _), do: <<char::utf8>>
end
