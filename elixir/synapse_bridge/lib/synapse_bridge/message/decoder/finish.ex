defmodule SynapseBridge.Message.Decoder.Finish do
  @moduledoc false
  # What a decoder does when no bytes are left: from what the loop has carried to the decoded
  # value. One step for each field binds the field's variable to its final value for the steps
  # after it, or ends with `{:error, path, reason}`.

  alias SynapseBridge.Codec.Read
  alias SynapseBridge.Message.Decoder
  alias SynapseBridge.Message.Decoder.Carry
  alias SynapseBridge.Message.Shape

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

  defp result(%{kind: :message, slots: slots}),
    do: Carry.struct_of(slots, Enum.map(slots, & &1.var))

  defp result(%{kind: :wrapper, slots: [slot]}), do: slot.var
  defp result(%{kind: :entry, slots: [key, value]}), do: {key.var, value.var}

  # A struct is finished some fields at a time.
  defp functions(shape) do
    parts = Enum.chunk_every(shape.slots, @steps)
    depth = quote(do: depth)

    for {slots, n} <- Enum.with_index(parts, 1) do
      last? = n == length(parts)
      result = if last?, do: update(slots), else: call(shape, n + 1, update(slots), depth)
      deeper? = not last? or Enum.any?(slots, &match?({:nested, _}, &1.type))
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

  defp step(%{type: {:list, item}, var: var} = slot, body, _depth) do
    if Carry.packed(item) do
      quote do
        case unquote(unpack(item, var)) do
          unquote(var) when is_list(unquote(var)) -> unquote(body)
          reason -> unquote(Decoder.error(slot, quote(do: reason)))
        end
      end
    else
      quote do
        unquote(var) = :lists.reverse(unquote(var))
        unquote(body)
      end
    end
  end

  # The last entry of a key wins.
  defp step(%{type: {:map, _}, var: var}, body, _depth) do
    quote do
      unquote(var) = :maps.from_list(:lists.reverse(unquote(var)))
      unquote(body)
    end
  end

  defp step(%{type: {:nested, nested}, var: var} = slot, body, depth) do
    decoded = Decoder.call(nested, var, quote(do: unquote(depth) - 1))

    value =
      case slot.absent do
        :empty -> decoded
        :missing -> if_nil(var, {:error, [], :missing}, decoded)
        {:ok, absent} -> if_nil(var, absent, decoded)
      end

    quote do
      case unquote(value) do
        {:error, path, reason} ->
          {:error, unquote(Decoder.within(slot.path, quote(do: path))), reason}

        unquote(var) ->
          unquote(body)
      end
    end
  end

  defp step(%{absent: :missing, var: var} = slot, body, _depth),
    do: if_nil(var, {:error, slot.path, :missing}, body)

  defp step(_slot, body, _depth), do: body

  defp if_nil(var, value, body) do
    quote do
      case unquote(var) do
        nil -> unquote(Macro.escape(value))
        _ -> unquote(body)
      end
    end
  end

  defp unpack({:enum, enum}, bytes), do: quote(do: Read.enums(unquote(bytes), unquote(enum)))
  defp unpack(kind, bytes), do: quote(do: Read.unquote(:"#{kind}s")(unquote(bytes)))
end
