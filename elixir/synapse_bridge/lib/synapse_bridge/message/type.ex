defmodule SynapseBridge.Message.Type do
  @moduledoc false
  # The type of a field: as a row of the table writes it, and in the normal form that the casting
  # runtime and the code generators match on.

  alias SynapseBridge.{Constraint, Kind}

  @kinds Kind.all()

  @type t ::
          Kind.t()
          | {Kind.t(), Constraint.t()}
          | {:enum, module()}
          | {:message, module()}
          | {:union, module()}
          | {:list, item :: t, Constraint.t()}
          | {:set, item :: t, Constraint.t()}
          | {:map, key :: t, value :: t, Constraint.t()}
          | {:tuple, [t]}
          | {:nullable, t}
          | {:wrapped, t}
          | {:custom, converter :: module(), t}

  @doc "The normal form of a written type. Raises `ArgumentError` with what is wrong."
  @spec parse!(term(), keyword()) :: t
  def parse!(written, constraints \\ []), do: written |> parse() |> constrain(constraints)

  defp parse(kind) when kind in @kinds, do: kind

  defp parse({reference, module})
       when reference in [:enum, :message, :union] and is_atom(module),
       do: {reference, module}

  defp parse({:list, item}), do: {:list, parse_element(item), []}
  defp parse({:set, item}), do: {:set, parse_element(item), []}
  defp parse({:tuple, items}) when is_list(items), do: {:tuple, Enum.map(items, &parse/1)}
  defp parse({:nullable, inner}), do: {:nullable, parse_element(inner)}
  defp parse({:wrapped, inner}), do: {:wrapped, parse(inner)}
  defp parse({:map, key, value}), do: {:map, parse_element(key), parse_element(value), []}

  defp parse({:custom, converter, wire}) when is_atom(converter),
    do: {:custom, converter, parse_element(wire)}

  defp parse({written, [_ | _] = constraints}), do: parse!(written, constraints)

  defp parse(other) do
    raise ArgumentError,
          "unknown type #{inspect(other)}: expected one of #{inspect(@kinds)}, {:enum, module}, " <>
            "{:message, module}, {:union, module}, {:list, type}, {:set, type}, " <>
            "{:map, key, type}, {:tuple, [type]}, {:nullable, type}, {:wrapped, type}, " <>
            "{:custom, module, type}, or {type, constraints}"
  end

  # Where the wire has room for one value only, neither "none" nor "many" can be told from it.
  defp parse_element(written) do
    type = parse(written)

    unless element?(type) do
      raise ArgumentError,
            "#{inspect(written)} inside another type must be {:wrapped, #{inspect(written)}}"
    end

    type
  end

  @doc "Whether exactly one value on the wire stands for a value of the type."
  @spec element?(t) :: boolean()
  def element?(type), do: not open?(type) and not match?({:nullable, _}, type)

  defp constrain(type, []), do: type
  defp constrain({:nullable, inner}, constraints), do: {:nullable, constrain(inner, constraints)}
  defp constrain({:wrapped, inner}, constraints), do: {:wrapped, constrain(inner, constraints)}

  defp constrain({container, item, []}, constraints) when container in [:list, :set],
    do: {container, item, Constraint.new!(container, constraints)}

  defp constrain({:map, key, value, []}, constraints),
    do: {:map, key, value, Constraint.new!(:map, constraints)}

  defp constrain(kind, constraints) when is_atom(kind),
    do: {kind, Constraint.new!(kind, constraints)}

  defp constrain(type, constraints),
    do: raise(ArgumentError, "#{inspect(type)} takes no constraints: #{inspect(constraints)}")

  @doc "The type as it is on the wire: constraints say nothing there."
  @spec without_constraints(t) :: term()
  def without_constraints({container, item, _}) when container in [:list, :set],
    do: {container, without_constraints(item)}

  def without_constraints({:map, key, value, _}),
    do: {:map, without_constraints(key), without_constraints(value)}

  def without_constraints({:tuple, items}), do: {:tuple, Enum.map(items, &without_constraints/1)}

  def without_constraints({around, inner}) when around in [:nullable, :wrapped],
    do: {around, without_constraints(inner)}

  def without_constraints({reference, module}) when reference in [:enum, :message, :union],
    do: {reference, module}

  # The converter's casts need the constraints of what it converts to.
  def without_constraints({:custom, _, _} = custom), do: custom
  def without_constraints({kind, _}), do: kind
  def without_constraints(kind), do: kind

  @doc "The type for people: wrappers, which only the wire needs, are left out."
  @spec visible(t) :: t
  def visible({:wrapped, inner}), do: visible(inner)
  def visible({:nullable, inner}), do: {:nullable, visible(inner)}

  def visible({container, item, constraints}) when container in [:list, :set],
    do: {container, visible(item), constraints}

  def visible({:map, key, value, constraints}),
    do: {:map, visible(key), visible(value), constraints}

  def visible({:tuple, items}), do: {:tuple, Enum.map(items, &visible/1)}
  def visible(type), do: type

  @doc "Whether `nil` is a value of the type."
  @spec nullable?(t) :: boolean()
  def nullable?(type), do: match?({:nullable, _}, visible(type)) or visible(type) == :any

  @doc "Whether absent means empty on the wire: lists, sets and maps that are not wrapped."
  @spec open?(t) :: boolean()
  def open?(type), do: is_tuple(type) and elem(type, 0) in [:list, :set, :map]

  @doc "Whether there are secrets in values of the type, those of other messages aside."
  @spec secret?(t) :: boolean()
  def secret?(kind) when is_atom(kind), do: Kind.secret?(kind)
  def secret?({:tuple, items}), do: Enum.any?(items, &secret?/1)
  def secret?({container, item, _}) when container in [:list, :set], do: secret?(item)
  def secret?({:map, key, value, _}), do: secret?(key) or secret?(value)
  def secret?({around, inner}) when around in [:nullable, :wrapped], do: secret?(inner)
  def secret?({:custom, _, wire}), do: secret?(wire)
  def secret?({reference, _}) when reference in [:enum, :message, :union], do: false
  def secret?({kind, _}), do: Kind.secret?(kind)

  @doc "The type as a quoted typespec."
  @spec spec(t) :: Macro.t()
  def spec(type), do: type |> visible() |> quoted()

  defp quoted(kind) when is_atom(kind), do: Kind.spec(kind)
  defp quoted({:list, item, _}), do: quote(do: [unquote(quoted(item))])
  defp quoted({:set, item, _}), do: quote(do: MapSet.t(unquote(quoted(item))))
  defp quoted({:nullable, inner}), do: quote(do: unquote(quoted(inner)) | nil)
  defp quoted({:tuple, items}), do: {:{}, [], Enum.map(items, &quoted/1)}
  defp quoted({:wrapped, inner}), do: quoted(inner)
  defp quoted({:custom, converter, _}), do: quote(do: unquote(converter).t())

  defp quoted({reference, module}) when reference in [:enum, :message, :union],
    do: quote(do: unquote(module).t())

  defp quoted({kind, _}), do: Kind.spec(kind)

  defp quoted({:map, key, value, _}),
    do: quote(do: %{optional(unquote(quoted(key))) => unquote(quoted(value))})
end
