defmodule SynapseBridge.Message.Docs do
  @moduledoc false
  # The list of fields at the end of a message's documentation.

  alias SynapseBridge.Constraint.Pattern
  alias SynapseBridge.Message.{Field, Type}

  @doc "Appends the fields to the module's documentation, if it has one."
  @spec append(module(), [Field.t()]) :: :ok
  def append(module, fields) do
    with [_ | _] <- fields,
         {line, doc} when is_binary(doc) <- Module.get_attribute(module, :moduledoc) do
      rows = Enum.map_join(fields, "\n", &row/1)

      Module.put_attribute(
        module,
        :moduledoc,
        {line, "#{String.trim(doc)}\n\n## Fields\n\n#{rows}\n"}
      )
    end

    :ok
  end

  defp row(field) do
    notes = [presence(field.presence) | constraints(field.type)]
    about = if field.doc, do: " " <> indent(field.doc), else: ""
    spec = field |> Field.spec() |> Macro.to_string()
    "  * `#{inspect(field.name)}` (`#{spec}`; #{Enum.join(notes, "; ")})#{about}"
  end

  # A description of several lines stays inside its item.
  defp indent(doc), do: doc |> String.trim() |> String.replace("\n", "\n    ")

  defp presence(:required), do: "required"
  defp presence(:optional), do: "default made by Python"
  defp presence({:default, value}), do: "default `#{inspect(value)}`"

  defp constraints(type) do
    case Type.visible(type) do
      {:nullable, inner} -> constraints(inner)
      {:list, _, constraints} -> constraint_notes(constraints)
      {:map, _, _, constraints} -> constraint_notes(constraints)
      {_kind, constraints} when is_list(constraints) -> constraint_notes(constraints)
      _ -> []
    end
  end

  # Lower bounds before upper ones, other than they are checked.
  @order [:ge, :gt, :le, :lt, :multiple_of, :min_length, :max_length, :pattern]

  defp constraint_notes(constraints) do
    for name <- @order, {^name, _} = constraint <- constraints, do: constraint(constraint)
  end

  defp constraint({:ge, bound}), do: "at least #{bound}"
  defp constraint({:gt, bound}), do: "greater than #{bound}"
  defp constraint({:le, bound}), do: "at most #{bound}"
  defp constraint({:lt, bound}), do: "less than #{bound}"
  defp constraint({:multiple_of, bound}), do: "a multiple of #{bound}"
  defp constraint({:min_length, bound}), do: "length at least #{bound}"
  defp constraint({:max_length, bound}), do: "length at most #{bound}"
  defp constraint({:pattern, pattern}), do: "pattern `#{Pattern.source(pattern)}`"
end
