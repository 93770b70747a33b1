defmodule SynapseBridge.Message.Type do
  @moduledoc false
  # The type of a field: as a row of the table writes it, and in the normal form that the casting
  # runtime and the code generators match on.

  alias SynapseBridge.Constraint

  @kinds [:bool, :int64, :uint64, :double, :string, :bytes]
  @key_kinds [:bool, :int64, :uint64, :string]

  @type kind :: :bool | :int64 | :uint64 | :double | :string | :bytes

  @type t ::
          kind
          | {kind, Constraint.t()}
          | {:enum, module()}
          | {:message, module()}
          | {:list, item :: t, Constraint.t()}
          | {:map, key :: t, value :: t, Constraint.t()}
          | {:nullable, t}
          | {:wrapped, t}

  @doc "The normal form of a written type. Raises `ArgumentError` with what is wrong."
  @spec parse!(term(), keyword()) :: t
  def parse!(written, constraints \\ []), do: written |> parse() |> constrain(constraints)

  defp parse(kind) when kind in @kinds, do: kind
  defp parse({:enum, module}) when is_atom(module), do: {:enum, module}
  defp parse({:message, module}) when is_atom(module), do: {:message, module}
  defp parse({:list, item}), do: {:list, parse_element(item), []}
  defp parse({:nullable, inner}), do: {:nullable, parse_element(inner)}
  defp parse({:wrapped, inner}), do: {:wrapped, parse(inner)}
  defp parse({written, [_ | _] = constraints}), do: parse!(written, constraints)

  defp parse({:map, key, value}) do
    key = parse(key)

    unless without_constraints(key) in @key_kinds do
      raise ArgumentError, "a map key is one of #{inspect(@key_kinds)}, got: #{inspect(key)}"
    end

    {:map, key, parse_element(value), []}
  end

  defp parse(other) do
    raise ArgumentError,
          "unknown type #{inspect(other)}: expected one of #{inspect(@kinds)}, {:enum, module}, " <>
            "{:message, module}, {:list, type}, {:map, key, type}, {:nullable, type}, " <>
            "{:wrapped, type}, or {type, constraints}"
  end

  # Where the wire has room for one value only, neither "none" nor "many" can be told from it.
  defp parse_element(written) do
    case parse(written) do
      type when elem(type, 0) in [:list, :map, :nullable] ->
        raise ArgumentError,
              "#{inspect(written)} inside another type must be {:wrapped, #{inspect(written)}}"

      type ->
        type
    end
  end

  defp constrain(type, []), do: type
  defp constrain({:nullable, inner}, constraints), do: {:nullable, constrain(inner, constraints)}
  defp constrain({:wrapped, inner}, constraints), do: {:wrapped, constrain(inner, constraints)}

  defp constrain({:list, item, []}, constraints),
    do: {:list, item, Constraint.new!(:list, constraints)}

  defp constrain({:map, key, value, []}, constraints),
    do: {:map, key, value, Constraint.new!(:map, constraints)}

  defp constrain(kind, constraints) when is_atom(kind),
    do: {kind, Constraint.new!(kind, constraints)}

  defp constrain(type, constraints),
    do: raise(ArgumentError, "#{inspect(type)} takes no constraints: #{inspect(constraints)}")

  @doc "The type as it is on the wire: constraints say nothing there."
  @spec without_constraints(t) :: term()
  def without_constraints({:list, item, _}), do: {:list, without_constraints(item)}

  def without_constraints({:map, key, value, _}),
    do: {:map, without_constraints(key), without_constraints(value)}

  def without_constraints({:nullable, inner}), do: {:nullable, without_constraints(inner)}
  def without_constraints({:wrapped, inner}), do: {:wrapped, without_constraints(inner)}

  def without_constraints({reference, module}) when reference in [:enum, :message],
    do: {reference, module}

  def without_constraints({kind, _}), do: kind
  def without_constraints(kind), do: kind

  @doc "The type for people: wrappers, which only the wire needs, are left out."
  @spec visible(t) :: t
  def visible({:wrapped, inner}), do: visible(inner)
  def visible({:nullable, inner}), do: {:nullable, visible(inner)}
  def visible({:list, item, constraints}), do: {:list, visible(item), constraints}
  def visible({:map, key, value, constraints}), do: {:map, key, visible(value), constraints}
  def visible(type), do: type

  @doc "Whether `nil` is a value of the type."
  @spec nullable?(t) :: boolean()
  def nullable?(type), do: match?({:nullable, _}, visible(type))

  @doc "The type as a quoted typespec."
  @spec spec(t) :: Macro.t()
  def spec(type) do
    case without_constraints(visible(type)) do
      :bool -> quote(do: boolean())
      :int64 -> quote(do: integer())
      :uint64 -> quote(do: non_neg_integer())
      :double -> quote(do: SynapseBridge.Message.double())
      :string -> quote(do: String.t())
      :bytes -> quote(do: binary())
      {reference, module} when reference in [:enum, :message] -> quote(do: unquote(module).t())
      {:list, _} -> quote(do: [unquote(spec(elem(visible(type), 1)))])
      {:map, _, _} -> map_spec(visible(type))
      {:nullable, _} -> quote(do: unquote(spec(elem(visible(type), 1))) | nil)
    end
  end

  defp map_spec({:map, key, value, _}),
    do: quote(do: %{optional(unquote(spec(key))) => unquote(spec(value))})
end
