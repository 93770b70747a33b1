defmodule SynapseBridge.Message.Decoder.Finish do
  @moduledoc false
  # What a decoder does when no bytes are left: from what the loop has carried to the decoded
  # value. One step for each field binds the field's variable to its final value for the steps
  # after it, or ends with `{:"$error", path, reason}`.

  alias SynapseBridge.Codec.{Collect, Read}
  alias SynapseBridge.Message.Decoder
  alias SynapseBridge.Message.Decoder.Carry
  alias SynapseBridge.Message.{Field, Shape}

  # The compiler needs more than twice as long for a function of twice as many steps.
  @steps 25

  @doc "The call that ends the loop, given its depth, with its arguments in scope."
  @spec call(Shape.t(), Macro.t()) :: Macro.t()
  def call(shape, depth), do: call(shape, 1, depth, Carry.arguments(shape))

  @doc "The functions that it calls. A struct is finished some fields at a time."
  @spec functions(Shape.t()) :: [Macro.t()]
  def functions(shape) do
    if Carry.struct?(shape),
      do: in_parts(shape),
      else: [function(shape, 1, Carry.arguments(shape), shape.slots, result(shape))]
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
      keys -> quote(do: Collect.present(unquote(map), unquote(keys)))
    end
  end

  defp in_parts(shape) do
    parts = Enum.chunk_every(shape.slots, @steps)

    for {slots, n} <- Enum.with_index(parts, 1) do
      last? = n == length(parts)

      result =
        if last?,
          do: present(shape, update(slots)),
          else: call(shape, n + 1, quote(do: depth), [update(slots)])

      opened = for slot <- slots, do: {Carry.key(slot), slot.var}
      arguments = [quote(do: %{unquote_splicing(opened)} = fields)]
      function(shape, n, arguments, slots, result, not last?)
    end
  end

  defp function(shape, n, arguments, slots, result, deeper? \\ false) do
    depth = quote(do: depth)
    used? = deeper? or Enum.any?(slots, &nested?(&1.type))
    head = call(shape, n, if(used?, do: depth, else: quote(do: _depth)), arguments)
    quote(do: defp(unquote(head), do: unquote(steps(slots, result, depth))))
  end

  defp update(slots) do
    changed = for %{type: type} = slot <- slots, is_tuple(type), do: {Carry.key(slot), slot.var}

    if changed == [],
      do: quote(do: fields),
      else: quote(do: %{fields | unquote_splicing(changed)})
  end

  defp call(shape, n, depth, arguments),
    do: {name(shape, n), [], [depth | arguments]}

  defp name(shape, n), do: :"finish_#{shape.name}_#{n}"

  defp steps(slots, result, depth), do: List.foldr(slots, result, &step(&1, &2, depth))

  defp step(%{type: {container, item}, var: var} = slot, body, depth)
       when container in [:list, :set] do
    case var |> collected(item, depth) |> converted(item) |> contained(container) do
      {:sure, list} ->
        bind_sure(list, slot, body)

      value ->
        bind(value, slot, body)
    end
  end

  defp step(%{type: {:map, entry}, var: var} = slot, body, depth) do
    entries =
      quote do
        Collect.map(unquote(var), unquote(Decoder.function(entry)), unquote(depth) - 1)
      end

    bind(entries, slot, body)
  end

  defp step(%{type: {kind, _}} = slot, body, depth) when kind == :nested,
    do: present_or_absent(slot, body, depth)

  defp step(%{type: type} = slot, body, depth)
       when is_tuple(type) and elem(type, 0) in [:via, :enum],
       do: present_or_absent(slot, body, depth)

  # The same as `SynapseBridge.Codec.Read.text/1`, which would be another call.
  defp step(%{type: :string, var: var} = slot, body, _depth) do
    text? = quote(do: is_binary(:unicode.characters_to_binary(unquote(var))))

    valid? =
      case slot.absent do
        {:ok, default} when not is_binary(default) ->
          quote(do: unquote(var) === unquote(default) or unquote(text?))

        _ ->
          text?
      end

    checked =
      quote do
        if unquote(valid?),
          do: unquote(body),
          else: unquote(Decoder.error(slot, :string_unicode))
      end

    if slot.absent == :missing,
      do: if_nil(var, Decoder.error(slot, :missing), checked),
      else: checked
  end

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

    if fails?(slot), do: bind(value, slot, body), else: bind_sure(value, slot, body)
  end

  # Every number is a value of an enum, known or not. A compiler that infers types sees that a
  # clause for an error could never match.
  defp fails?(%{type: {:enum, _}, absent: absent}), do: absent == :missing
  defp fails?(_), do: true

  defp decoded({:nested, nested}, value, depth),
    do: Decoder.call(nested, value, quote(do: unquote(depth) - 1))

  defp decoded({:via, type, module, argument}, value, depth) do
    decoded = decoded(type, value, depth)
    quote(do: Collect.via(unquote(decoded), unquote(module), unquote(argument)))
  end

  defp decoded({:enum, enum}, value, _depth),
    do: quote(do: unquote(enum).from_number(unquote(value)))

  defp decoded(:string, value, _depth), do: quote(do: Read.text(unquote(value)))
  defp decoded(_scalar, value, _depth), do: value

  defp nested?({kind, _}) when kind in [:nested, :map], do: true
  defp nested?({container, item}) when container in [:list, :set], do: nested?(item)
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

  defp bind_sure(value, slot, body) do
    quote do
      unquote(slot.var) = unquote(value)
      unquote(body)
    end
  end

  # From what the loop has collected to a list, to converted items, to a set.

  defp collected(var, {:via, type, _, _}, depth), do: collected(var, type, depth)

  defp collected(var, {:nested, nested}, depth) do
    quote do
      Collect.each(unquote(var), unquote(Decoder.function(nested)), unquote(depth) - 1)
    end
  end

  defp collected(var, :string, _), do: quote(do: Collect.texts(unquote(var)))

  defp collected(var, item, _) do
    if Carry.packed(item),
      do: unpack(item, var),
      else: {:sure, quote(do: :lists.reverse(unquote(var)))}
  end

  defp converted({:sure, list}, {:via, _, _, _} = via), do: converted(list, via)

  defp converted(list, {:via, _, module, argument}),
    do: quote(do: Collect.via_each(unquote(list), unquote(module), unquote(argument)))

  defp converted(list, _), do: list

  defp contained({:sure, list}, :set), do: contained(list, :set)
  defp contained(list, :list), do: list
  defp contained(list, :set), do: quote(do: Collect.set(unquote(list)))

  defp if_nil(var, value, body) do
    quote do
      case unquote(var) do
        nil -> unquote(value)
        _ -> unquote(body)
      end
    end
  end

  defp unpack({:enum, enum}, bytes), do: quote(do: Read.enums(unquote(bytes), unquote(enum)))
  defp unpack(kind, bytes), do: quote(do: Read.unquote(:"#{kind}s")(unquote(bytes)))
end
