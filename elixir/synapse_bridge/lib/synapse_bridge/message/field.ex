defmodule SynapseBridge.Message.Field do
  @moduledoc """
  One row of a message's table, as `Mod.__synapse__(:fields)` returns it.

    * `:name` - the key in the struct;
    * `:python` - the name in Python, in `.proto` files and in the paths of violations;
    * `:number` - the protobuf field number;
    * `:type` - the type in normal form, constraints included;
    * `:presence` - `:required`, `{:default, value}`, or `:optional` where only Python knows the
      default;
    * `:streamed` - whether the field holds the items of a stream, at most one in a message;
    * `:doc` - the description, or `nil`.
  """

  alias SynapseBridge.Message.Type

  @enforce_keys [:name, :python, :number, :type, :presence]
  defstruct [:name, :python, :number, :type, :presence, :doc, streamed: false]

  @type t :: %__MODULE__{
          name: atom(),
          python: String.t(),
          number: pos_integer(),
          type: Type.t(),
          presence: :required | :optional | {:default, term()},
          doc: String.t() | nil,
          streamed: boolean()
        }

  # The protobuf guide: the largest field number, and the range its own implementation keeps.
  @max_number 536_870_911
  @reserved_numbers 19_000..19_999

  @doc "The field of a row. Raises `ArgumentError` with what is wrong."
  @spec new!(atom(), pos_integer(), term(), keyword()) :: t
  def new!(name, number, type, options) do
    {presence, options} = Keyword.split(options, [:required, :optional, :default, :streamed])
    {texts, constraints} = Keyword.split(options, [:name, :doc])

    field = %__MODULE__{
      name: name,
      python: Keyword.get_lazy(texts, :name, fn -> Atom.to_string(name) end),
      number: number!(number),
      type: Type.parse!(type, constraints),
      presence: presence!(presence),
      streamed: presence == [streamed: true],
      doc: texts[:doc]
    }

    check_default!(field)
    field
  rescue
    error in ArgumentError ->
      reraise ArgumentError, "field #{inspect(name)}: #{error.message}", __STACKTRACE__
  end

  defp number!(number)
       when number in 1..@max_number and number not in @reserved_numbers,
       do: number

  defp number!(other) do
    raise ArgumentError,
          "a field number is an integer from 1 to #{@max_number} outside " <>
            "#{inspect(@reserved_numbers)}, got: #{inspect(other)}"
  end

  defp presence!(required: true), do: :required
  defp presence!(optional: true), do: :optional
  defp presence!(default: value), do: {:default, value}
  # Absent in a message that brings no item.
  defp presence!(streamed: true), do: :optional

  defp presence!(other) do
    raise ArgumentError,
          "expected exactly one of `required: true`, `default: value`, `optional: true` and " <>
            "`streamed: true`, " <>
            "got: #{inspect(other)}"
  end

  # A bare list or map has no presence on the wire: absent means empty, and nothing else can.
  defp check_default!(%{type: {kind, _, _}, presence: {:default, []}}) when kind == :list, do: :ok
  defp check_default!(%{type: {:map, _, _, _}, presence: {:default, d}}) when d == %{}, do: :ok

  defp check_default!(%{type: type, presence: presence})
       when presence != :required and elem(type, 0) in [:list, :map] do
    raise ArgumentError, "a list or map with this presence must be {:wrapped, type}"
  end

  defp check_default!(_), do: :ok

  @doc "What the struct holds when the field is not given; `nil` for a required one."
  @spec default(t) :: term()
  def default(%{presence: {:default, value}}), do: value
  def default(%{presence: :required}), do: nil
  def default(%{presence: :optional, type: type}), do: if(Type.nullable?(type), do: :unset)

  @doc """
  What the field is when it is absent on the wire: `{:ok, value}`, or `:missing` where that is an
  error.
  """
  @spec absent(t) :: {:ok, term()} | :missing
  def absent(%{presence: :required, type: {:list, _, _}}), do: {:ok, []}
  def absent(%{presence: :required, type: {:map, _, _, _}}), do: {:ok, %{}}
  def absent(%{presence: :required, type: {:nullable, _}}), do: {:ok, nil}
  def absent(%{presence: :required}), do: :missing
  def absent(field), do: {:ok, default(field)}

  @doc """
  The value that stands for "not sent": `{:ok, nil}`, `{:ok, :unset}`, or `:none` where every
  value is sent.
  """
  @spec unsent(t) :: {:ok, nil | :unset} | :none
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
  def spec(%{type: type} = field) do
    case {Type.nullable?(type), unsent(field)} do
      {_, :none} -> Type.spec(type)
      {true, {:ok, nil}} -> Type.spec(type)
      {_, {:ok, unsent}} -> quote(do: unquote(Type.spec(type)) | unquote(unsent))
    end
  end
end
