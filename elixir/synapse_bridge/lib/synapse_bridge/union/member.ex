defmodule SynapseBridge.Union.Member do
  @moduledoc """
  One row of a union's table, as `Mod.__synapse__(:members)` returns it.

    * `:tag` - what says which member a value is, in `{tag, value}`;
    * `:number` - the protobuf field number;
    * `:type` - the type in normal form;
    * `:classes` - what the BEAM can see of its values;
    * `:bare?` - whether a value stands for itself, because no other member has values like it;
    * `:doc` - the description, or `nil`.
  """

  alias SynapseBridge.Message.Type

  @enforce_keys [:tag, :number, :type]
  defstruct [:tag, :number, :type, :doc, classes: [], bare?: false]

  @type t :: %__MODULE__{
          tag: atom(),
          number: pos_integer(),
          type: Type.t(),
          classes: [class()],
          bare?: boolean(),
          doc: String.t() | nil
        }

  @typedoc """
  What the BEAM can see of a value. `:any` is like all others, `{:struct, module}` and
  `{:term, value}` are like their equals only.
  """
  @type class ::
          :any
          | :integer
          | :float
          | :binary
          | :list
          | :map
          | :pair
          | :tuple
          | :unknown_enum
          | {:struct, module()}
          | {:term, atom() | integer()}

  @doc "A row. Raises `ArgumentError` with what is wrong."
  @spec new!(atom(), pos_integer(), term(), keyword()) :: t()
  def new!(tag, number, type, options) do
    {doc, constraints} = Keyword.pop(options, :doc)
    type = Type.parse!(type, constraints)

    unless Type.element?(type) do
      raise ArgumentError, "member #{inspect(tag)}: #{inspect(type)} must be {:wrapped, type}"
    end

    %__MODULE__{tag: tag, number: number, type: type, doc: doc}
  end

  @doc "The same members, each knowing whether its values stand for themselves."
  @spec distinguish([t()]) :: [t()]
  def distinguish(members) do
    members = for member <- members, do: %{member | classes: classes(member.type)}

    for %{tag: tag} = member <- members do
      others = for other <- members, other.tag != tag, do: other.classes ++ taken(other.type)
      %{member | bare?: not Enum.any?(member.classes, &shared?(&1, List.flatten(others)))}
    end
  end

  # What an argument may look like besides: a map may be meant to be a message.
  defp taken({:message, _}), do: [:map]
  defp taken(_), do: []

  # A pair could be `{tag, value}`, and `nil` no value of the union at all.
  defp shared?(:pair, _), do: true
  defp shared?({:term, nil}, _), do: true
  defp shared?(class, others), do: Enum.any?(others, &like?(class, &1))

  defp like?(:any, _), do: true
  defp like?(_, :any), do: true
  defp like?(:integer, {:term, n}) when is_integer(n), do: true
  defp like?({:term, n}, :integer) when is_integer(n), do: true
  defp like?(:unknown_enum, :pair), do: true
  defp like?(class, class), do: true
  defp like?(_, _), do: false

  # What the values of a type look like.
  defp classes({:nullable, type}), do: [{:term, nil} | classes(type)]
  defp classes({:wrapped, type}), do: classes(type)
  defp classes({:list, _, _}), do: [:list]
  defp classes({:set, _, _}), do: [{:struct, MapSet}]
  defp classes({:map, _, _, _}), do: [:map]
  defp classes({:tuple, [_, _]}), do: [:pair]
  defp classes({:tuple, _}), do: [:tuple]
  defp classes({:custom, _, _}), do: [:any]
  defp classes({:union, _}), do: [:any]

  defp classes({:message, module}) do
    if compiled!(module).__synapse__(:struct), do: [{:struct, module}], else: [:map]
  end

  defp classes({:enum, module}) do
    terms = for term <- compiled!(module).values(), do: {:term, term}
    [:unknown_enum | terms]
  end

  defp classes({kind, constraints}) when is_list(constraints), do: classes(kind)
  defp classes(:bool), do: [{:term, true}, {:term, false}]
  defp classes(kind) when kind in [:int64, :uint64, :bigint, :timedelta], do: [:integer]

  defp classes(:double),
    do: [:float, {:term, :nan}, {:term, :infinity}, {:term, :negative_infinity}]

  defp classes(:datetime), do: [{:struct, DateTime}]
  defp classes(:naive_datetime), do: [{:struct, NaiveDateTime}]
  defp classes(:date), do: [{:struct, Date}]
  defp classes(:time), do: [{:struct, Time}]
  defp classes(:tensor), do: [{:struct, SynapseBridge.Tensor}]
  defp classes(:decimal), do: [:binary, {:struct, Decimal}]
  defp classes(:any), do: [:any]
  defp classes(_text_or_bytes), do: [:binary]

  @doc "Whether a value looks like one of a member's, as a guard."
  @spec guard(t(), Macro.t()) :: Macro.t()
  def guard(%__MODULE__{classes: classes}, value) do
    classes
    |> Enum.map(&class_guard(&1, value))
    |> Enum.reduce(fn class, others -> quote(do: unquote(others) or unquote(class)) end)
  end

  # The compiler waits for a module in another file, but not for one further down.
  defp compiled!(module) do
    case Code.ensure_compiled(module) do
      {:module, module} ->
        module

      {:error, reason} ->
        raise ArgumentError,
              "#{inspect(module)}, a member of this union, is not there (#{reason}): define it " <>
                "above the union, or in another file"
    end
  end

  # Whether a value looks like one of a class.
  defp class_guard(:any, _), do: true
  defp class_guard(:integer, value), do: quote(do: is_integer(unquote(value)))
  defp class_guard(:float, value), do: quote(do: is_float(unquote(value)))
  defp class_guard(:binary, value), do: quote(do: is_binary(unquote(value)))
  defp class_guard(:list, value), do: quote(do: is_list(unquote(value)))

  defp class_guard(:map, value),
    do: quote(do: is_map(unquote(value)) and not is_map_key(unquote(value), :__struct__))

  defp class_guard(:pair, value),
    do: quote(do: is_tuple(unquote(value)) and tuple_size(unquote(value)) == 2)

  defp class_guard(:tuple, value),
    do: quote(do: is_tuple(unquote(value)) and tuple_size(unquote(value)) != 2)

  defp class_guard({:term, term}, value), do: quote(do: unquote(value) === unquote(term))

  defp class_guard(:unknown_enum, value) do
    quote do
      is_tuple(unquote(value)) and tuple_size(unquote(value)) == 2 and
        elem(unquote(value), 0) == :unknown
    end
  end

  defp class_guard({:struct, module}, value) do
    quote do
      is_map(unquote(value)) and is_map_key(unquote(value), :__struct__) and
        :erlang.map_get(:__struct__, unquote(value)) == unquote(module)
    end
  end
end
