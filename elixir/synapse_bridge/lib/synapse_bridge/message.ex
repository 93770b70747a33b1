defmodule SynapseBridge.Message do
  @moduledoc """
  Turns a table of fields into the module of a message: a Python model, or the parameters or the
  result of a function.

      defmodule InputData do
        use SynapseBridge.Message

        message do
          field :name, 1, :string, required: true
          field :age, 2, :int64, required: true, ge: 0, doc: "Age in years."
        end
      end

  The module gets

    * a struct, whose required fields are `@enforce_keys`, and `@type t`;
    * `new/1` - a checked struct from a struct, a map with atom or string keys, or a keyword list,
      nested ones included; or every violation there is. `new!/1` raises instead;
    * `encode/1` and `decode/1` - the way to protobuf bytes and back;
    * `__synapse__/1` - reflection: `:kind` is `:message`, `:fields` the table as
      `SynapseBridge.Message.Field` structs;
    * a list of the fields at the end of its `@moduledoc`.

      InputData.new(name: "Alice", age: 30)
      #=> {:ok, %InputData{name: "Alice", age: 30}}

      InputData.new(%{"name" => "Alice", "age" => -1})
      #=> {:error, [%SynapseBridge.Violation{path: "age", rule: "greater_than_equal", …}]}

  With `use SynapseBridge.Message, exception: true` the struct is an exception: one that a Python
  function declares. `:message` is the text of the Python exception, unless a field has that name.

  ## Types

  | written | in Elixir | protobuf |
  |---|---|---|
  | `:bool` | `boolean()` | `bool` |
  | `:int64`, `:uint64` | `integer()` within the range | `int64`, `uint64` |
  | `:double` | `float()`, `:nan`, `:infinity`, `:negative_infinity`; an integer is taken | `double` |
  | `:string` | `String.t()`, valid UTF-8 | `string` |
  | `:bytes` | `binary()` | `bytes` |
  | `{:enum, module}` | a value of that `SynapseBridge.Enum` | `enum` |
  | `{:message, module}` | a struct of that message | the message |
  | `{:list, type}` | a list | `repeated`, packed where it can be |
  | `{:map, key, type}` | a map | `map` |
  | `{:nullable, type}` | the same or `nil` | as the type; absent is `nil` |
  | `{:wrapped, type}` | as the type | a message with the value in field 1 |

  `{type, constraints}` puts constraints on a type inside another one, as in
  `{:list, {:int64, ge: 0}}`. Nothing is coerced: `"30"` is no integer.

  ## Options of a field

    * `required: true`, `default: value` or `optional: true`: exactly one. `optional` means that
      only Python knows the default. `nil` in a field that cannot be `None` means "not
      sent": then Python's default applies. Where `nil` is a value, `:unset` says that of an
      `optional` field.
    * `streamed: true` in the place of these: the field holds the items of a stream, one in each
      message. The module gets `__item__/2` for them.
    * `name:` - the Python name, where it differs.
    * `doc:` - what the field is.
    * constraints: `ge gt le lt multiple_of` of numbers; `min_length max_length` of strings (in
      code points), bytes, lists and maps; `pattern` of strings, in the syntax of pydantic (the
      Rust `regex` crate). They are checked by `new/1`, never by `encode/1` and `decode/1`.
  """

  alias SynapseBridge.Cast
  alias SynapseBridge.Message.{Decoder, Docs, Encoder, Field, Shape}

  # Messages inside messages, where Python's protobuf stops reading.
  @max_depth 100

  @typedoc "A 64-bit float, those included that no Erlang float can be."
  @type double :: float() | :nan | :infinity | :negative_infinity

  @doc false
  defmacro __using__(options) do
    quote do
      @synapse_exception unquote(Keyword.get(options, :exception, false))
      import SynapseBridge.Message, only: [message: 1, field: 3, field: 4]
      Module.register_attribute(__MODULE__, :synapse_fields, accumulate: true)
    end
  end

  @doc "The table of fields; see the module's documentation."
  defmacro message(do: rows) do
    quote do
      unquote(rows)
      @before_compile SynapseBridge.Message
    end
  end

  @doc "One row of the table."
  defmacro field(name, number, type, options \\ []) do
    type = Macro.prewalk(type, &reference(&1, __CALLER__))

    quote do
      @synapse_fields Field.new!(
                        unquote(name),
                        unquote(number),
                        unquote(type),
                        unquote(options)
                      )
    end
  end

  # A module named in a type is needed when the functions run, not when the table is read: without
  # this every message would be compiled again whenever one that it holds changes.
  defp reference({:__aliases__, _, _} = alias, env),
    do: Macro.expand(alias, %{env | function: {:__synapse__, 1}})

  defp reference(other, _), do: other

  @doc false
  defmacro __before_compile__(env) do
    fields = env.module |> Module.get_attribute(:synapse_fields) |> Enum.reverse()
    for key <- [:number, :name, :python], do: check_unique!(fields, key, env)
    Docs.append(env.module, fields)
    shapes = Shape.all(fields)

    quote do
      # The iodata of a message ends in a binary where a list would need one cell more.
      @dialyzer :no_improper_lists

      unquote(struct_of(fields, Module.get_attribute(env.module, :synapse_exception)))
      unquote(public_functions())
      unquote(runtime_functions(fields))
      unquote_splicing(for field <- fields, field.streamed, do: item_function(field))
      unquote_splicing(Encoder.functions(shapes ++ Shape.items(shapes, fields)))
      unquote_splicing(Decoder.functions(shapes))
    end
  end

  defp check_unique!(fields, key, env) do
    keys = Enum.map(fields, &Map.fetch!(&1, key))

    case keys -- Enum.uniq(keys) do
      [] ->
        :ok

      [twice | _] ->
        raise CompileError,
          file: env.file,
          line: env.line,
          description: "#{inspect(env.module)} has two fields of the #{key} #{inspect(twice)}"
    end
  end

  defp struct_of(fields, exception?) do
    required = for field <- fields, field.presence == :required, do: field.name
    defaults = for field <- fields, do: {field.name, Macro.escape(Field.default(field))}
    types = for field <- fields, do: {field.name, Field.spec(field)}
    text? = exception? and not Keyword.has_key?(defaults, :message)
    defaults = if text?, do: defaults ++ [message: ""], else: defaults
    types = if text?, do: types ++ [message: quote(do: String.t())], else: types

    quote do
      @enforce_keys unquote(required)
      unquote(
        if exception?, do: exception(defaults), else: quote(do: defstruct(unquote(defaults)))
      )

      @typedoc "The fields are described above."
      @type t :: %__MODULE__{unquote_splicing(types)}
    end
  end

  defp exception(defaults) do
    quote do
      defexception unquote(defaults)

      @impl true
      def message(%{message: text}) when is_binary(text) and text != "", do: text
      def message(exception), do: inspect(exception)
    end
  end

  defp public_functions do
    quote do
      @doc """
      A checked struct, from a struct, a map with atom or string keys, or a keyword list; nested
      messages likewise. Otherwise all violations.
      """
      @spec new(t() | map() | keyword()) :: {:ok, t()} | {:error, [SynapseBridge.Violation.t()]}
      def new(input) do
        case __cast__(input, [], 0) do
          {:invalid, violations} -> {:error, violations}
          message -> {:ok, message}
        end
      end

      @doc "Same as `new/1`, but returns the bare struct and raises `SynapseBridge.Error`."
      @spec new!(t() | map() | keyword()) :: t()
      def new!(input) do
        case new(input) do
          {:ok, message} -> message
          {:error, violations} -> raise SynapseBridge.Error.invalid(violations)
        end
      end

      @doc """
      The protobuf bytes of a struct as `new/1` makes it.

      Nothing that `new/1` has found right is checked again; a value that the wire has no room for
      raises `ArgumentError`.
      """
      @spec encode(t()) :: iodata()
      def encode(%__MODULE__{} = message), do: elem(encode_message(message), 0)

      @doc """
      The struct in protobuf bytes, or the first fault found in them.

      Fields that the message does not have are skipped; constraints are not checked.
      """
      @spec decode(binary()) :: {:ok, t()} | {:error, [SynapseBridge.Violation.t()]}
      def decode(binary) when is_binary(binary) do
        case decode_message(binary, unquote(@max_depth)) do
          {:error, path, reason} -> {:error, [SynapseBridge.Violation.new(path, reason)]}
          message -> {:ok, message}
        end
      end
    end
  end

  # A message with nothing but an item of the stream in it.
  defp item_function(field) do
    quote do
      @doc false
      def __item__(value, index) do
        type = unquote(Macro.escape(field.type))

        case Cast.value(type, value, [index, unquote(field.python)], 0) do
          {:invalid, _violations} = invalid -> invalid
          value -> {:ok, elem(encode_item(value), 0)}
        end
      end
    end
  end

  # What the runtime and the messages that hold this one call.
  defp runtime_functions(fields) do
    vars = for field <- fields, do: Macro.var(field.name, Field)

    quote do
      @doc false
      def __synapse__(:kind), do: :message
      def __synapse__(:fields), do: unquote(Macro.escape(fields))

      @doc false
      def __cast__(input, path, depth) do
        fields = unquote(fields |> Enum.map(&Cast.field/1) |> Macro.escape())
        Cast.message(input, __MODULE__, fields, path, depth)
      end

      @doc false
      def __build__(unquote(vars)),
        do: %__MODULE__{unquote_splicing(Enum.zip(Enum.map(fields, & &1.name), vars))}

      @doc false
      def __encode__(message), do: encode_message(message)

      @doc false
      def __decode__(binary, depth), do: decode_message(binary, depth)
    end
  end
end
