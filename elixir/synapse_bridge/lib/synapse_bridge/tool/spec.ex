defmodule SynapseBridge.Tool.Spec do
  @moduledoc false
  # Reads the shape of a function's first argument from its `@spec`: types as the Erlang compiler keeps
  # them (the Abstract Format) in the module's debug information.

  alias SynapseBridge.Tool.Shape

  @integers %{
    integer: {:integer, nil, nil},
    non_neg_integer: {:integer, 0, nil},
    pos_integer: {:integer, 1, nil},
    neg_integer: {:integer, nil, -1},
    byte: {:integer, 0, 255},
    char: {:integer, 0, 0x10FFFF}
  }

  @doc "The shape of the first argument. Raises `ArgumentError` with the reason where it has none."
  @spec shape!(module(), atom(), arity()) :: Shape.t()
  def shape!(module, function, arity) do
    case argument(module, function, arity) do
      {:ok, argument, variables} -> object!(argument, {module, variables, []}, {function, arity})
      {:error, text} -> raise ArgumentError, "#{called(module, function, arity)} #{text}"
    end
  end

  defp called(module, function, arity), do: Exception.format_mfa(module, function, arity)

  defp object!(argument, context, {function, arity}) do
    case shape(argument, context) do
      {:object, _} = shape ->
        shape

      {:map, _} = shape ->
        shape

      _other ->
        raise ArgumentError,
              "#{called(elem(context, 0), function, arity)} takes something else than a map as its " <>
                "first argument; a model gives an object"
    end
  end

  defp argument(module, function, arity) do
    with {:ok, specs} <- specs(module) do
      case List.keyfind(specs, {function, arity}, 0) do
        {_, [spec]} -> first(spec)
        {_, _several} -> {:error, "has several specs; a model needs one"}
        nil -> {:error, "has no @spec"}
      end
    end
  end

  defp specs(module) do
    case Code.Typespec.fetch_specs(module) do
      {:ok, specs} ->
        {:ok, specs}

      :error ->
        {:error,
         "has no @spec that could be read: the module's debug information is not there. " <>
           "mix release strips it unless told to keep it (strip_beams: [keep: [\"Dbgi\"]]), and a " <>
           "module that is being compiled, or lives in a script, has none"}
    end
  end

  defp first({:type, _, :bounded_fun, [function, constraints]}) do
    variables =
      for {:type, _, :constraint, [{:atom, _, :is_subtype}, [{:var, _, name}, type]]} <-
            constraints,
          into: %{},
          do: {name, type}

    with {:ok, argument, _} <- first(function), do: {:ok, argument, variables}
  end

  defp first({:type, _, :fun, [{:type, _, :product, [argument | _]}, _result]}),
    do: {:ok, argument, %{}}

  defp first(_spec), do: {:error, "takes nothing; a handler takes the arguments as a map"}

  # The context: the module that the type stands in, its variables, and the types that it is part of.

  defp shape({:ann_type, _, [_name, type]}, context), do: shape(type, context)
  defp shape({:type, _, name, []}, _context) when is_map_key(@integers, name), do: @integers[name]
  defp shape({:type, _, name, _}, _context) when name in [:any, :term], do: :any
  defp shape({:type, _, name, []}, _context) when name in [:binary, :bitstring], do: :string
  defp shape({:type, _, :binary, _}, _context), do: :string
  defp shape({:type, _, name, []}, _context) when name in [:float, :number, :boolean], do: name

  defp shape({:type, _, :range, [low, high]}, _context),
    do: {:integer, integer(low), integer(high)}

  defp shape({:atom, _, atom}, _context), do: {:literal, atom}
  defp shape({:integer, _, _} = literal, _context), do: {:literal, integer(literal)}
  defp shape({:op, _, :-, _} = literal, _context), do: {:literal, integer(literal)}
  defp shape({:type, _, :list, []}, _context), do: {:list, :any, 0}
  defp shape({:type, _, :list, [items]}, context), do: {:list, shape(items, context), 0}
  defp shape({:type, _, :nonempty_list, []}, _context), do: {:list, :any, 1}
  defp shape({:type, _, :nonempty_list, [items]}, context), do: {:list, shape(items, context), 1}
  defp shape({:type, _, :map, :any}, _context), do: {:map, :any}
  defp shape({:type, _, :map, fields}, context), do: map(fields, context)

  defp shape({:type, _, :union, types}, context),
    do: {:union, types |> Enum.map(&shape(&1, context)) |> Enum.flat_map(&members/1)}

  defp shape({:var, _, name} = variable, {module, variables, within}) do
    case variables do
      %{^name => {type, {module, variables}}} -> shape(type, {module, variables, within})
      %{^name => type} -> shape(type, {module, variables, within})
      _ -> unknown!(variable, module)
    end
  end

  defp shape({:user_type, _, name, arguments}, {module, _, _} = context),
    do: defined(module, name, arguments, context)

  defp shape({:remote_type, _, [{:atom, _, String}, {:atom, _, :t}, []]}, _context), do: :string

  defp shape({:remote_type, _, [{:atom, _, module}, {:atom, _, name}, arguments]}, context) do
    if name == :t and module in Shape.texts(),
      do: {:text, module},
      else: defined(module, name, arguments, context)
  end

  defp shape(type, {module, _, _}), do: unknown!(type, module)

  defp members({:union, shapes}), do: shapes
  defp members(shape), do: [shape]

  defp integer({:integer, _, value}), do: value
  defp integer({:op, _, :-, {:integer, _, value}}), do: -value

  defp map([], _context), do: {:object, []}

  defp map([{:type, _, kind, [key, value]}] = fields, context) do
    case key(key, context) do
      {:field, _} -> object(fields, context)
      :strings when kind == :map_field_assoc -> {:map, shape(value, context)}
      _ -> unknown!(key, elem(context, 0))
    end
  end

  defp map(fields, context), do: object(fields, context)

  defp object(fields, context) do
    {:object,
     for {:type, _, kind, [key, value]} <- fields do
       case key(key, context) do
         {:field, name} -> {name, kind == :map_field_exact, shape(value, context)}
         _ -> unknown!(key, elem(context, 0))
       end
     end}
  end

  defp key({:atom, _, :__struct__}, _context), do: :struct
  defp key({:atom, _, name}, _context), do: {:field, name}
  defp key(key, context), do: if(shape(key, context) == :string, do: :strings, else: :other)

  # A type by name: what it stands for, with its parameters given.
  defp defined(module, name, arguments, {from, variables, within}) do
    here = {module, name, length(arguments)}

    if here in within,
      do:
        raise(
          ArgumentError,
          "the type #{type_name(here)} holds itself, which a tool's parameters cannot"
        )

    case definition(module, name, length(arguments)) do
      {type, names} ->
        given = Map.new(Enum.zip(names, Enum.map(arguments, &{&1, {from, variables}})))
        shape(type, {module, given, [here | within]})

      nil ->
        raise ArgumentError, "the type #{type_name(here)} is not there, or opaque"
    end
  end

  defp definition(module, name, arity) do
    with {:ok, types} <- Code.Typespec.fetch_types(module) do
      Enum.find_value(types, fn
        {kind, {^name, type, variables}}
        when kind in [:type, :typep] and length(variables) == arity ->
          {type, for({:var, _, variable} <- variables, do: variable)}

        _ ->
          nil
      end)
    else
      :error -> nil
    end
  end

  defp type_name({module, name, arity}), do: "#{inspect(module)}.#{name}/#{arity}"

  @spec unknown!(term(), module()) :: no_return()
  defp unknown!(type, module) do
    raise ArgumentError,
          "a type in the specs of #{inspect(module)} has no place in a tool's parameters: #{written(type)}"
  end

  defp written(type) do
    {:"::", _, [_name, type]} = Code.Typespec.type_to_quoted({:unknown, type, []})
    Macro.to_string(type)
  end
end
