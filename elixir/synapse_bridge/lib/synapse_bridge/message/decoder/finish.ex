defmodule SynapseBridge.Message.Decoder.Finish do
  @moduledoc false
  # What a decoder does when no bytes are left: from what the loop has carried to the decoded
  # value. One step for each field binds the field's variable to its final value for the steps
  # after it, or ends with `{:"$error", path, reason}`.

  alias SynapseBridge.Codec.Read
  alias SynapseBridge.Message.Decoder
  alias SynapseBridge.Message.Decoder.Carry
  alias SynapseBridge.Message.{Field, Shape}

  # The compiler needs more than twice as long for a function of twice as many steps.
  @steps 25

  @doc "The expression that ends the loop, given its depth, and the functions that it calls."
  @spec finish(Shape.t(), Macro.t()) :: {Macro.t(), [Macro.t()]}
  def finish(shape, depth) do
    if Carry.struct?(shape) do
      [fields] = Carry.arguments(shape)
      {call(shape, 1, fields, depth), functions(shape)}
    else
      {steps(shape.slots, result(shape), depth), []}
    end
  end

  defp result(%{kind: :wrapper, slots: [slot]}), do: slot.var

  defp result(%{kind: kind, slots: slots}) when kind in [:entry, :tuple],
    do: {:{}, [], Enum.map(slots, & &1.var)}

  defp result(%{slots: slots} = shape),
    do: present(shape, Carry.struct_of(shape, Enum.map(slots, & &1.var)))

  # A map has no keys for what is absent.
  defp present(shape, map) do
    case for slot <- shape.slots, slot.absent == {:ok, Field.absent_key()}, do: Carry.key(slot) do
      [] -> map
      keys -> quote(do: Read.present(unquote(map), unquote(keys)))
    end
  end

  # A struct is finished some fields at a time.
  defp functions(shape) do
    parts = Enum.chunk_every(shape.slots, @steps)
    depth = quote(do: depth)

    for {slots, n} <- Enum.with_index(parts, 1) do
      last? = n == length(parts)

      result =
        if last?,
          do: present(shape, update(slots)),
          else: call(shape, n + 1, update(slots), depth)

      deeper? = not last? or Enum.any?(slots, &nested?(&1.type))
      opened = for slot <- slots, do: {Carry.key(slot), slot.var}

      quote do
        defp unquote(name(shape, n))(
               %{unquote_splicing(opened)} = fields,
               unquote(if deeper?, do: depth, else: quote(do: _depth))
             ),
             do: unquote(steps(slots, result, depth))
      end
    end
  end

  defp update(slots) do
    changed =
      for %{type: type} = slot <- slots,
          is_tuple(type) and elem(type, 0) != :enum,
          do: {Carry.key(slot), slot.var}

    if changed == [],
      do: quote(do: fields),
      else: quote(do: %{fields | unquote_splicing(changed)})
  end

  defp call(shape, n, fields, depth),
    do: quote(do: unquote(name(shape, n))(unquote(fields), unquote(depth)))

  defp name(shape, n), do: :"finish_#{shape.name}_#{n}"

  defp steps(slots, result, depth), do: List.foldr(slots, result, &step(&1, &2, depth))

  defp step(%{type: {container, item}, var: var} = slot, body, _depth)
       when container in [:list, :set] do
    var
    |> collected(item)
    |> converted(item)
    |> contained(container)
    |> bind(slot, body)
  end

  defp step(%{type: {:map, _}, var: var} = slot, body, _depth),
    do: bind(quote(do: Read.map(unquote(var))), slot, body)

  defp step(%{type: {kind, _}} = slot, body, depth) when kind == :nested,
    do: present_or_absent(slot, body, depth)

  defp step(%{type: {:via, _, _, _}} = slot, body, depth),
    do: present_or_absent(slot, body, depth)

  defp step(%{absent: :missing, var: var} = slot, body, _depth),
    do: if_nil(var, Decoder.error(slot, :missing), body)

  defp step(_slot, body, _depth), do: body

  defp present_or_absent(%{var: var} = slot, body, depth) do
    decoded = decoded(slot.type, var, depth)

    value =
      case slot.absent do
        :empty -> decoded
        :missing -> if_nil(var, quote(do: {:"$error", [], :missing}), decoded)
        {:ok, absent} -> if_nil(var, Macro.escape(absent), decoded)
      end

    bind(value, slot, body)
  end

  defp decoded({:nested, nested}, value, depth),
    do: Decoder.call(nested, value, quote(do: unquote(depth) - 1))

  defp decoded({:via, type, module, argument}, value, depth) do
    decoded = decoded(type, value, depth)
    quote(do: Read.via(unquote(decoded), unquote(module), unquote(argument)))
  end

  defp decoded(_scalar, value, _depth), do: value

  defp nested?({:nested, _}), do: true
  defp nested?({:via, type, _, _}), do: nested?(type)
  defp nested?(_), do: false

  # The final value of a field, or an error inside it.
  defp bind(value, slot, body) do
    quote do
      case unquote(value) do
        {:"$error", path, reason} ->
          {:"$error", unquote(Decoder.within(slot.path, quote(do: path))), reason}

        unquote(slot.var) ->
          unquote(body)
      end
    end
  end

  # From what the loop has collected to a list, to converted items, to a set.

  defp collected(var, item) do
    if Carry.packed(item),
      do: unpack(item, var),
      else: quote(do: :lists.reverse(unquote(var)))
  end

  defp converted(list, {:via, _, module, argument}),
    do: quote(do: Read.via_each(unquote(list), unquote(module), unquote(argument)))

  defp converted(list, _), do: list

  defp contained(list, :list), do: list
  defp contained(list, :set), do: quote(do: Read.set(unquote(list)))

  defp if_nil(var, value, body) do
    quote do
      case unquote(var) do
        nil -> unquote(value)
        _ -> unquote(body)
      end
    end
  end

  defp unpack({:via, type, _, _}, bytes), do: unpack(type, bytes)
  defp unpack({:enum, enum}, bytes), do: quote(do: Read.enums(unquote(bytes), unquote(enum)))
  defp unpack(kind, bytes), do: quote(do: Read.unquote(:"#{kind}s")(unquote(bytes)))
end
