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
    spec = field |> Field.spec() |> Macro.to_string()
    demands = field.type |> Type.visible() |> demands() |> Enum.join(", ")

    notes =
      Enum.reject(["`#{spec}`", required(field), demands, default(field)], &(&1 in ["", nil]))

    about = if field.doc, do: " - " <> indent(field.doc), else: ""
    "  * `#{inspect(field.name)}` (#{Enum.join(notes, "; ")})#{about}"
  end

  # A description of several lines stays inside its item.
  defp indent(doc), do: doc |> String.trim() |> String.replace("\n", "\n    ")

  defp required(field), do: if(field.presence == :required, do: "required")

  defp default(%{role: :computed}), do: "computed by Python, never sent"
  defp default(%{role: :extra}), do: "the keys that are no fields"
  defp default(%{role: :streamed}), do: "the items of a stream"
  defp default(%{presence: {:default, value}}), do: "default `#{inspect(value)}`"
  defp default(%{presence: :optional}), do: "default made by Python"
  defp default(%{presence: :required}), do: nil

  # The same phrases as in the documentation of the client's functions, which is generated.
  defp demands({:nullable, inner}), do: demands(inner)
  defp demands({:tuple, _}), do: []

  defp demands({kind, constraints}) when kind in [:bytes, :secret_bytes],
    do: phrases(constraints, "byte", "bytes")

  defp demands({container, item, constraints}) when container in [:list, :set],
    do: phrases(constraints, "item", "items") ++ Enum.map(demands(item), &"each item #{&1}")

  defp demands({:map, _, value, constraints}),
    do: phrases(constraints, "entry", "entries") ++ Enum.map(demands(value), &"each value #{&1}")

  defp demands({_, constraints}) when is_list(constraints),
    do: phrases(constraints, "character", "characters")

  defp demands(_), do: []

  # Lower bounds come before upper ones, other than in the order of the checks.
  @order [
    :ge,
    :gt,
    :le,
    :lt,
    :multiple_of,
    :min_length,
    :max_length,
    :pattern,
    :allow_inf_nan
  ]

  defp phrases(constraints, one, many) do
    for name <- @order, {:ok, bound} <- [Keyword.fetch(constraints, name)] do
      phrase(name, bound, if(bound == 1, do: one, else: many))
    end
  end

  defp phrase(:ge, bound, _), do: "≥ #{inspect(bound)}"
  defp phrase(:gt, bound, _), do: "> #{inspect(bound)}"
  defp phrase(:le, bound, _), do: "≤ #{inspect(bound)}"
  defp phrase(:lt, bound, _), do: "< #{inspect(bound)}"
  defp phrase(:multiple_of, bound, _), do: "a multiple of #{inspect(bound)}"
  defp phrase(:min_length, bound, unit), do: "at least #{bound} #{unit}"
  defp phrase(:max_length, bound, unit), do: "at most #{bound} #{unit}"
  defp phrase(:allow_inf_nan, true, _), do: "NaN and infinities too"
  defp phrase(:allow_inf_nan, false, _), do: "finite"
  defp phrase(:pattern, pattern, _), do: "matching #{code(Pattern.source(pattern))}"

  # A text as Markdown code.
  defp code(text), do: if(text =~ "`", do: "`` #{text} ``", else: "`#{text}`")
end
