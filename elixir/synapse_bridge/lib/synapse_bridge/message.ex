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

  ## Types

  | written | in Elixir | protobuf |
  |---|---|---|
  | `:bool` | `boolean()` | `bool` |
  | `:int64`, `:uint64` | `integer()` within the range | `int64`, `uint64` |
  | `:bigint` | `integer()` | `string` of digits |
  | `:double` | `float()`, `:nan`, `:infinity`, `:negative_infinity`; an integer is taken | `double` |
  | `:decimal` | `Decimal.t()` where that library is loaded, else `String.t()`; both, integers and floats are taken | `string` |
  | `:string` | `String.t()`, valid UTF-8 | `string` |
  | `:bytes` | `binary()` | `bytes` |
  | `:secret_string`, `:secret_bytes` | the same, which `inspect/2` does not show | `string`, `bytes` |
  | `:datetime` | `DateTime.t()` in UTC; one of any zone is taken | `google.protobuf.Timestamp` |
  | `:naive_datetime` | `NaiveDateTime.t()` | `string`, ISO 8601 |
  | `:date`, `:time` | `Date.t()`, `Time.t()` | `google.type.Date`, `google.type.TimeOfDay` |
  | `:timedelta` | `integer()`, microseconds; a `Duration` is taken | `google.protobuf.Duration` |
  | `:uuid`, `:path`, `:url`, `:email`, `:regex` | `String.t()` | `string` |
  | `:ip`, `:ipv4`, `:ipv6`, and those with `_interface`, `_network` | `String.t()` | `string` |
  | `:any` | `nil`, booleans, numbers, strings, `SynapseBridge.Bytes`, lists, maps with string keys | `synapse_bridge.v1.Value` |
  | `:tensor` | `SynapseBridge.Tensor` | `synapse_bridge.v1.Tensor` |
  | `{:enum, module}` | a value of that `SynapseBridge.Enum` | `enum` |
  | `{:message, module}` | a struct of that message | the message |
  | `{:union, module}` | a value of that `SynapseBridge.Union` | the message with a `oneof` |
  | `{:list, type}` | a list | `repeated`, packed where it can be |
  | `{:set, type}` | a `MapSet`; a list without duplicates is taken | as a list |
  | `{:map, key, type}` | a map | `map`, or `repeated` key and value |
  | `{:tuple, [type, …]}` | a tuple | a message with a field for each |
  | `{:nullable, type}` | the same or `nil` | as the type; absent is `nil` |
  | `{:wrapped, type}` | as the type | a message with the value in field 1 |
  | `{:custom, module, type}` | what that `SynapseBridge.Custom` makes of it | as the type |

  Points in time, spans and times of day are exact to the microsecond, and are of that precision;
  they are of the years 1 to 9999, as Python's. `{type, constraints}` puts constraints on a type
  inside another one, as in `{:list, {:int64, ge: 0}}`. Nothing is coerced: `"30"` is no integer.

  ## Options of `use`

    * `struct: false` - the message is a plain map with atom keys: a Python `TypedDict`. A key of
      an `optional` field may be absent.
    * `exception: true` - the struct is an exception too, with a `:message` beside the fields.

  ## Options of a field

    * `required: true`, `default: value` or `optional: true`: exactly one. `optional` means that
      only Python knows the default. `nil` in a field that cannot be `None` means "not
      sent": then Python's default applies. Where `nil` is a value, `:unset` says that of an
      `optional` field.
    * `extra: true` - a `{:map, :string, type}` with the keys that are no fields. `new/1` puts
      unknown string keys there; an unknown atom stays a violation.
    * `computed: true` - made by Python: in the struct once it came from there, `nil` before. It is
      never sent, and `new/1` does not take it from a map.
    * `streamed: true` - the field holds the items of a stream, one in each message. It is `:unset`
      in a struct; the module gets `__item__/2` for the items.
    * `redact: true` - `inspect/2` does not show the field, as it does not show one of secrets: for a
      union or a map with secrets inside.
    * `name:` - the Python name, where it differs.
    * `doc:` - what the field is.
    * constraints: `ge gt le lt multiple_of` of numbers; `min_length max_length` of strings (in
      code points), bytes, lists, sets and maps; `pattern` of strings, in the syntax of pydantic
      (the Rust `regex` crate); `allow_inf_nan` of doubles and decimals. They are checked by `new/1`, never by `encode/1` and `decode/1`.
  """

  alias SynapseBridge.Cast
  alias SynapseBridge.Cast.Fields
  alias SynapseBridge.Message.{Decoder, Docs, Encoder, Field, Shape, Type}
  alias SynapseBridge.Rows

  # Messages inside messages, where Python's protobuf stops reading.
  @max_depth 100

  @typedoc "A 64-bit float, those included that no Erlang float can be."
  @type double :: float() | :nan | :infinity | :negative_infinity

  @typedoc "A `Decimal` where that library is loaded, else a string."
  @type decimal :: %{:__struct__ => atom(), optional(atom()) => term()} | String.t()

  @typedoc "Microseconds, or a `Duration` of weeks and less, which newer versions of Elixir have."
  @type timedelta :: integer() | %{:__struct__ => atom(), optional(atom()) => term()}

  @doc false
  defmacro __using__(options) do
    kind =
      case options do
        [] -> :message
        [struct: false] -> :dict
        [exception: true] -> :exception
      end

    quote do
      import SynapseBridge.Message, only: [message: 1, field: 3, field: 4]
      Module.register_attribute(__MODULE__, :synapse_fields, accumulate: true)
      @synapse_kind unquote(kind)
    end
  end

  @doc "The table of fields; see the module's documentation."
  defmacro message(do: rows) do
    quote do
      Rows.evaluate(fn -> unquote(rows) end)
      @compile Rows.compile_options(:codec)
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
    kind = Module.get_attribute(env.module, :synapse_kind)
    for key <- [:number, :name, :python], do: check_unique!(fields, key, env)
    Docs.append(env.module, fields)
    shapes = Shape.all(fields, if(kind == :dict, do: :dict, else: :message))

    quote do
      # The iodata of a message ends in a binary where a list would need one cell more.
      @dialyzer :no_improper_lists

      unquote(type_of(kind, fields))
      unquote(public_functions(kind))
      unquote(runtime_functions(env.module, kind, fields))
      unquote_splicing(streamed(fields))
      unquote_splicing(Encoder.functions(shapes))
      unquote_splicing(shapes |> Enum.reject(&(&1.name == :item)) |> Decoder.functions())
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

  defp type_of(:dict, fields) do
    types =
      for field <- fields do
        key = if field.presence == :optional, do: :optional, else: :required
        {quote(do: unquote(key)(unquote(field.name))), Type.spec(field.type)}
      end

    quote do
      @typedoc "The keys are described above."
      @type t :: %{unquote_splicing(types)}
    end
  end

  defp type_of(kind, fields) do
    required = for field <- fields, field.presence == :required, do: field.name
    defaults = for field <- fields, do: {field.name, Macro.escape(Field.default(field))}
    types = for field <- fields, do: {field.name, Field.spec(field)}
    secrets = for %{redact: true, name: name} <- fields, do: name
    own_message? = Keyword.has_key?(defaults, :message)

    quote do
      @enforce_keys unquote(required)
      unquote(if secrets != [], do: quote(do: @derive({Inspect, except: unquote(secrets)})))
      unquote(struct_of(kind, defaults, own_message?))

      @typedoc "The fields are described above."
      @type t :: unquote(struct_type(kind, types, own_message?))
    end
  end

  defp struct_of(:message, defaults, _), do: quote(do: defstruct(unquote(defaults)))

  # The text is that of `str(exc)`, unless the exception has a field of that name.
  defp struct_of(:exception, defaults, own_message?) do
    defaults = if own_message?, do: defaults, else: defaults ++ [message: ""]

    quote do
      defexception unquote(defaults)

      @impl true
      def message(%{message: text}) when is_binary(text) and text != "", do: text
      def message(exception), do: inspect(exception)
    end
  end

  defp struct_type(:exception, types, false),
    do: quote(do: %__MODULE__{unquote_splicing(types), message: String.t()})

  defp struct_type(_, types, _), do: quote(do: %__MODULE__{unquote_splicing(types)})

  defp public_functions(kind) do
    message = if kind == :dict, do: quote(do: %{}), else: quote(do: %__MODULE__{})

    quote do
      @doc """
      A checked struct, from a struct, a map with atom or string keys, or a keyword list; nested
      messages likewise. Otherwise all violations.
      """
      @spec new(t() | map() | keyword()) :: {:ok, t()} | {:error, [SynapseBridge.Violation.t()]}
      def new(input) do
        case __cast__(input, [], 0) do
          {:"$invalid", violations} -> {:error, violations}
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
      def encode(unquote(message) = message), do: elem(__encode__(message), 0)

      @doc """
      The struct in protobuf bytes, or the first fault found in them.

      Fields that the message does not have are skipped; constraints are not checked.
      """
      @spec decode(binary()) :: {:ok, t()} | {:error, [SynapseBridge.Violation.t()]}
      def decode(binary) when is_binary(binary) do
        case __decode__(binary, unquote(@max_depth)) do
          {:"$error", path, reason} -> {:error, [SynapseBridge.Violation.new(path, reason)]}
          message -> {:ok, message}
        end
      end
    end
  end

  # What the runtime and the messages that hold this one call.
  defp runtime_functions(module, kind, fields) do
    {extra, others} = Enum.split_with(fields, &(&1.role == :extra))
    vars = for field <- others, do: Macro.var(field.name, Field)
    built = Enum.zip(Enum.map(others, & &1.name), vars)
    extras = quote(do: extras)

    # A variable that no field has a use for.
    {built, extras} =
      case extra do
        [] -> {built, quote(do: _)}
        [field] -> {built ++ [{field.name, extras}], extras}
      end

    quote do
      @doc false
      def __synapse__(:kind), do: :message
      def __synapse__(:struct), do: unquote(kind != :dict)
      def __synapse__(:fields), do: unquote(Macro.escape(fields))

      @doc false
      def __cast__(input, path, depth) do
        plan = unquote(Macro.escape(Fields.plan(module, cast_kind(kind), fields)))
        Fields.message(input, plan, path, depth)
      end

      @doc false
      def __build__(unquote(vars), unquote(extras)), do: unquote(built(kind, others, built))
    end
  end

  defp cast_kind(:dict), do: :dict
  defp cast_kind(_), do: :struct

  defp built(:dict, fields, built) do
    optional = for field <- fields, field.presence == :optional, do: field.name
    map = quote(do: %{unquote_splicing(built)})

    if optional == [],
      do: map,
      else: quote(do: SynapseBridge.Codec.Collect.present(unquote(map), unquote(optional)))
  end

  defp built(_, _, built), do: quote(do: %__MODULE__{unquote_splicing(built)})

  # One item of a stream of requests: a message with this field alone.
  defp streamed(fields) do
    for field <- fields, field.role == :streamed do
      quote do
        @doc false
        @spec __item__(term(), non_neg_integer()) ::
                {:ok, iodata()} | {:invalid, [SynapseBridge.Violation.t(), ...]}
        def __item__(item, index) do
          path = [index, unquote(field.python)]

          case Cast.value(unquote(Macro.escape(field.type)), item, path, 0) do
            {:"$invalid", violations} -> {:invalid, violations}
            item -> {:ok, elem(encode_item(item), 0)}
          end
        end
      end
    end
  end
end
