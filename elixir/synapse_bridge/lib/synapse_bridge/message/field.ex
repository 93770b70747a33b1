defmodule SynapseBridge.Message.Field do
  @moduledoc """
  One row of a message's table, as `Mod.__synapse__(:fields)` returns it.

    * `:name` - the key in the struct;
    * `:python` - the name in Python, in `.proto` files and in the paths of violations;
    * `:number` - the protobuf field number;
    * `:type` - the type in normal form, constraints included;
    * `:presence` - `:required`, `{:default, value}`, or `:optional` where only Python knows the
      default;
    * `:role` - `:computed` for what only Python makes, `:extra` for the keys that are no fields,
      `:streamed` for the items of a stream of requests, `nil` for all others;
    * `:redact` - whether `inspect/2` leaves the field out of the struct;
    * `:doc` - the description, or `nil`.
  """

  alias SynapseBridge.Message.Type

  @enforce_keys [:name, :python, :number, :type, :presence]
  defstruct [:name, :python, :number, :type, :presence, :role, :doc, redact: false]

  @type t :: %__MODULE__{
          name: atom(),
          python: String.t(),
          number: pos_integer(),
          type: Type.t(),
          presence: :required | :optional | {:default, term()},
          role: nil | :computed | :extra | :streamed,
          redact: boolean(),
          doc: String.t() | nil
        }

  # What an absent key of a map without a struct is while the message is read. No atom of a
  # generated enum looks like it.
  @absent_key :"$absent"

  # The protobuf guide: the largest field number, and the range its own implementation keeps.
  @max_number 536_870_911
  @reserved_numbers 19_000..19_999

  @doc "The field of a row. Raises `ArgumentError` with what is wrong."
  @spec new!(atom(), pos_integer(), term(), keyword()) :: t
  def new!(name, number, type, options) do
    {presence, options} = Keyword.split(options, [:required, :optional, :default])
    {role, options} = Keyword.split(options, [:computed, :extra, :streamed])
    {texts, options} = Keyword.split(options, [:name, :doc])
    {redact, constraints} = Keyword.pop(options, :redact, false)
    role = role!(role)
    type = type |> Type.parse!(constraints) |> place(role)

    field = %__MODULE__{
      name: name,
      python: Keyword.get_lazy(texts, :name, fn -> Atom.to_string(name) end),
      number: number!(number),
      type: type,
      presence: presence |> presence!(role) |> literal(type),
      role: role,
      redact: redact or Type.secret?(type),
      doc: texts[:doc]
    }

    check_default!(field)
    field
  rescue
    error in ArgumentError ->
      reraise ArgumentError, "field #{inspect(name)}: #{error.message}", __STACKTRACE__
  end

  # An item of a stream always has presence.
  defp place(type, :streamed), do: if(Type.element?(type), do: type, else: {:wrapped, type})
  defp place(type, _), do: type

  defp role!([]), do: nil
  defp role!([{role, true}]), do: role

  defp role!(other) do
    raise ArgumentError,
          "expected at most one of `computed: true`, `extra: true` and `streamed: true`, " <>
            "got: #{inspect(other)}"
  end

  defp number!(number)
       when number in 1..@max_number and number not in @reserved_numbers,
       do: number

  defp number!(other) do
    raise ArgumentError,
          "a field number is an integer from 1 to #{@max_number} outside " <>
            "#{inspect(@reserved_numbers)}, got: #{inspect(other)}"
  end

  defp presence!([], role) when role in [:computed, :streamed], do: :optional
  defp presence!([], :extra), do: {:default, %{}}
  defp presence!([required: true], nil), do: :required
  defp presence!([optional: true], nil), do: :optional
  defp presence!([default: value], nil), do: {:default, value}

  defp presence!(other, role) when role != nil do
    raise ArgumentError,
          "a field with `#{role}: true` has no other presence, got: #{inspect(other)}"
  end

  defp presence!(other, _) do
    raise ArgumentError,
          "expected exactly one of `required: true`, `default: value` and `optional: true`, " <>
            "got: #{inspect(other)}"
  end

  # The default of a set may be written as a list.
  defp literal({:default, list}, type) when is_list(list),
    do: {:default, if(set?(Type.visible(type)), do: MapSet.new(list), else: list)}

  defp literal(presence, _), do: presence

  defp set?({:nullable, inner}), do: set?(inner)
  defp set?(type), do: match?({:set, _, _}, type)

  # A bare list, set or map has no presence on the wire: absent means empty, and nothing else can.
  defp check_default!(%{role: :extra, type: {:map, key, _, _}}) when key == :string, do: :ok

  defp check_default!(%{role: :extra}),
    do: raise(ArgumentError, "a field with `extra: true` is a {:map, :string, type}")

  defp check_default!(%{role: :computed}), do: :ok

  defp check_default!(%{type: type, presence: presence}) when presence != :required do
    if Type.open?(type) and presence != {:default, empty(type)} do
      raise ArgumentError, "a list, set or map with this presence must be {:wrapped, type}"
    end

    :ok
  end

  defp check_default!(_), do: :ok

  defp empty({:list, _, _}), do: []
  defp empty({:set, _, _}), do: MapSet.new()
  defp empty({:map, _, _, _}), do: %{}

  @doc "What the struct holds when the field is not given; `nil` for a required one."
  @spec default(t) :: term()
  def default(%{presence: {:default, value}}), do: value
  def default(%{presence: :required}), do: nil
  def default(%{role: :streamed}), do: :unset
  def default(%{role: :computed}), do: nil
  def default(%{presence: :optional, type: type}), do: if(Type.nullable?(type), do: :unset)

  @doc """
  What the field is when it is absent on the wire: `{:ok, value}`, or `:missing` where that is an
  error.
  """
  @spec absent(t) :: {:ok, term()} | :missing
  def absent(%{presence: presence, role: role, type: type} = field) do
    cond do
      presence != :required and role != :computed -> {:ok, default(field)}
      Type.open?(type) -> {:ok, empty(type)}
      match?({:nullable, _}, type) or role == :computed -> {:ok, nil}
      true -> :missing
    end
  end

  @doc """
  The value that stands for "not sent": `{:ok, nil}`, `{:ok, :unset}`, or `:none` where every
  value is sent. What only Python makes is `:never` sent.
  """
  @spec unsent(t) :: {:ok, nil | :unset} | :none | :never
  def unsent(%{role: :computed}), do: :never
  def unsent(%{role: :streamed}), do: {:ok, :unset}
  def unsent(%{role: :extra}), do: :none
  def unsent(%{type: {:nullable, _}}), do: {:ok, nil}

  def unsent(%{type: type, presence: presence}) do
    case {Type.nullable?(type), presence} do
      {true, :optional} -> {:ok, :unset}
      {true, _} -> :none
      {false, :required} -> :none
      {false, _} -> {:ok, nil}
    end
  end

  @doc "The type of the struct's key, quoted."
  @spec spec(t) :: Macro.t()
  def spec(%{role: :computed, type: type}) do
    if Type.nullable?(type), do: Type.spec(type), else: quote(do: unquote(Type.spec(type)) | nil)
  end

  def spec(%{type: type} = field) do
    case {Type.nullable?(type), unsent(field)} do
      {_, :none} -> Type.spec(type)
      {true, {:ok, nil}} -> Type.spec(type)
      {_, {:ok, unsent}} -> quote(do: unquote(Type.spec(type)) | unquote(unsent))
    end
  end

  @doc "What stands for an absent key, where the message is a map."
  @spec absent_key() :: atom()
  def absent_key, do: @absent_key
end
