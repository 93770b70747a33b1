defmodule SynapseBridge.Union.Choice do
  @moduledoc false
  # Which member of a union a value is meant to be.

  alias SynapseBridge.{Cast, Violation}
  alias SynapseBridge.Union.Member

  @doc "Casts a value: to the bare value of a member, or to `{tag, value}` (see `Member`)."
  @spec cast(term(), module(), [Violation.step()], non_neg_integer()) :: term()
  def cast(input, union, path, depth) do
    members = union.__synapse__(:members)

    case tagged_member(input, members) do
      {member, value} -> as(member, value, path, depth)
      nil -> bare(input, members, union, path, depth)
    end
  end

  defp tagged_member({tag, value}, members) when is_atom(tag) do
    with %Member{} = member <- Enum.find(members, &(&1.tag == tag)), do: {member, value}
  end

  defp tagged_member(_, _), do: nil

  defp as(member, value, path, depth) do
    case Cast.value(member.type, value, path, depth) do
      {:"$invalid", _} = invalid -> invalid
      value -> if member.bare?, do: value, else: {member.tag, value}
    end
  end

  # The one member whose values look like this says what is wrong with it, too.
  defp bare(input, members, union, path, depth) do
    similar = for tag <- union.__like__(input), do: Enum.find(members, &(&1.tag == tag))

    case similar do
      [member] when not is_map(input) or is_struct(input) -> as(member, input, path, depth)
      similar -> among(similar, input, members, union, path, depth)
    end
  end

  defp among(similar, input, members, union, path, depth) do
    messages = Enum.filter(members, &match?({:message, _}, &1.type))
    discriminator = union.__synapse__(:discriminator)

    cond do
      fields?(input) and discriminator != nil and messages == members ->
        discriminated(input, messages, discriminator, path, depth)

      fields?(input) ->
        fitting(Enum.uniq(similar ++ messages), input, path, depth)

      similar != [] ->
        fitting(similar, input, path, depth)

      true ->
        fitting(members, input, path, depth)
    end
  end

  defp fields?(input),
    do: (is_map(input) and not is_struct(input)) or (input != [] and Keyword.keyword?(input))

  # A candidate alone says itself what is wrong.
  defp fitting([member], input, path, depth), do: as(member, input, path, depth)

  defp fitting(members, input, path, depth) do
    fits =
      for member <- members,
          value = as(member, input, path, depth),
          not match?({:"$invalid", _}, value),
          do: {member, value}

    case closest(fits) do
      [{_, value}] -> value
      [] -> Cast.invalid(path, :union_no_match, Enum.map(members, &Atom.to_string(&1.tag)))
      several -> Cast.invalid(path, :union_ambiguous, for({m, _} <- several, do: "#{m.tag}"))
    end
  end

  # A message that has fields for all keys fits better than one that keeps them as extra ones.
  defp closest([_] = fits), do: fits

  defp closest(fits) do
    case Enum.reject(fits, &extras?/1) do
      [] -> fits
      without_extras -> without_extras
    end
  end

  defp extras?({%{type: {:message, module}}, value}) do
    value = with {tag, value} when is_atom(tag) <- value, do: value

    Enum.any?(module.__synapse__(:fields), fn field ->
      field.role == :extra and Map.get(value, field.name, %{}) != %{}
    end)
  end

  defp extras?(_), do: false

  # As pydantic does it: the tag decides alone.
  defp discriminated(input, messages, discriminator, path, depth) do
    tags = for member <- messages, do: {member, tag_field(member, discriminator)}

    case Enum.find_value(tags, &given(input, &1)) do
      nil ->
        Cast.invalid(path, :union_tag_not_found, discriminator)

      {:ok, tag} ->
        case Enum.find(tags, fn {_, field} -> field && tag?(field, tag) end) do
          {member, _} ->
            as(member, input, path, depth)

          nil ->
            Cast.invalid(path, :union_tag_invalid, {show(tag), discriminator, expected(tags)})
        end
    end
  end

  defp tag_field(%{type: {:message, module}}, discriminator),
    do: Enum.find(module.__synapse__(:fields), &(&1.python == discriminator))

  defp given(_, {_, nil}), do: nil

  defp given(input, {_, %{name: name, python: python}}) do
    Enum.find_value([name, python, Atom.to_string(name)], fn key ->
      with {^key, tag} <- Enum.find(input, &match?({^key, _}, &1)), do: {:ok, tag}
    end)
  end

  defp tag?(field, tag), do: enum(field.type) != nil and enum(field.type).cast(tag) != :error

  defp enum({:enum, module}), do: module
  defp enum({around, type}) when around in [:nullable, :wrapped], do: enum(type)
  defp enum(_), do: nil

  defp expected(tags) do
    for {_, field} <- tags,
        field != nil,
        enum(field.type) != nil,
        row <- enum(field.type).__synapse__(:rows),
        do: to_string(row.value)
  end

  defp show(tag) when is_binary(tag), do: tag
  defp show(tag) when is_atom(tag), do: Atom.to_string(tag)
  defp show(tag), do: inspect(tag)
end
