defmodule SynapseBridge.Message.Encoder do
  @moduledoc false
  # Writes the encode functions of a message: for each shape one function from a value to
  # `{iodata, size}`. The size is counted along the way, so that the length in front of a nested
  # message costs no second walk over its bytes. Every step below is an expression that has `io`
  # and `size` so far in scope and is worth the next `{io, size}`.

  alias SynapseBridge.Codec.Write
  alias SynapseBridge.Message.Shape

  # The compiler needs more than twice as long for a function of twice as many steps.
  @steps 25

  @doc "The functions of all shapes, quoted."
  @spec functions([Shape.t()]) :: [Macro.t()]
  def functions(shapes), do: Enum.flat_map(shapes, &(functions_of(&1) ++ loops(&1)))

  @doc "The call that encodes `value`, whose shape is in this module or in another."
  @spec call({:local, atom()} | {:remote, module()}, Macro.t()) :: Macro.t()
  def call({:local, shape}, value), do: quote(do: unquote(:"encode_#{shape}")(unquote(value)))
  def call({:remote, module}, value), do: quote(do: unquote(module).__encode__(unquote(value)))

  defp functions_of(%{slots: slots} = shape)
       when length(slots) <= @steps or shape.kind == :tuple do
    [
      quote do
        defp unquote(:"encode_#{shape.name}")(unquote(pattern(shape))) do
          {io, size} = {[], 0}
          unquote(steps(shape, slots))
        end
      end
    ]
  end

  # A wide message, some fields at a time.
  defp functions_of(%{slots: slots} = shape) do
    message = pattern(%{shape | slots: []})

    parts =
      for {slots, n} <- slots |> Enum.chunk_every(@steps) |> Enum.with_index(1),
          do: {:"encode_#{shape.name}_part_#{n}", slots}

    calls = for {name, _} <- parts, do: quote(do: {io, size} = unquote(name)(message, io, size))

    main =
      quote do
        defp unquote(:"encode_#{shape.name}")(unquote(message)) do
          {io, size} = {[], 0}
          unquote_splicing(calls)
          {io, size}
        end
      end

    [main | for({name, slots} <- parts, do: part(shape, name, slots))]
  end

  defp part(shape, name, slots) do
    quote do
      defp unquote(name)(unquote(pattern(%{shape | slots: slots})), io, size),
        do: unquote(steps(shape, slots))
    end
  end

  defp steps(shape, slots) do
    steps = for slot <- slots, do: quote(do: {io, size} = unquote(step(shape, slot)))

    quote do
      unquote_splicing(steps)
      {io, size}
    end
  end

  defp pattern(%{kind: :message, slots: slots}) do
    fields = for slot <- slots, slot.unsent != :never, do: {elem(slot.var, 0), slot.var}
    quote(do: %__MODULE__{unquote_splicing(fields)} = message)
  end

  defp pattern(%{kind: :dict, slots: slots}) do
    fields =
      for slot <- slots, slot.unsent in [:none, {:ok, nil}], do: {elem(slot.var, 0), slot.var}

    quote(do: %{unquote_splicing(fields)} = message)
  end

  defp pattern(%{kind: :wrapper, slots: [slot]}), do: slot.var
  defp pattern(%{slots: slots}), do: {:{}, [], Enum.map(slots, & &1.var)}

  # A field that can be unsent adds nothing then.
  defp step(shape, %{unsent: :none} = slot), do: field(shape, slot)
  defp step(_shape, %{unsent: :never}), do: quote(do: {io, size})

  defp step(shape, %{unsent: :absent_key} = slot) do
    quote do
      case message do
        %{unquote(elem(slot.var, 0)) => unquote(slot.var)} -> unquote(field(shape, slot))
        _ -> {io, size}
      end
    end
  end

  defp step(shape, %{unsent: {:ok, unsent}} = slot) do
    quote do
      case unquote(slot.var) do
        unquote(unsent) -> {io, size}
        _ -> unquote(field(shape, slot))
      end
    end
  end

  defp field(shape, %{type: {:list, item}} = slot) do
    case packed(item, slot.var) do
      nil -> quote(do: unquote(loop_name(shape, slot))(unquote(slot.var), io, size))
      packed -> packed_field(slot, packed)
    end
  end

  # A set is sent as the list of what is in it.
  defp field(shape, %{type: {:set, item}} = slot) do
    list = quote(do: MapSet.to_list(unquote(slot.var)))

    case packed(item, list) do
      nil -> quote(do: unquote(loop_name(shape, slot))(unquote(list), io, size))
      packed -> packed_field(slot, packed)
    end
  end

  defp field(shape, %{type: {:map, _}} = slot),
    do: quote(do: unquote(loop_name(shape, slot))(:maps.to_list(unquote(slot.var)), io, size))

  defp field(_shape, slot), do: single(slot.type, slot.var, slot.number)

  defp single(kind, value, number) when kind in [:int64, :uint64],
    do: varint(number, value, quote(do: Write.unquote(kind)(n)))

  defp single({:enum, enum}, value, number) do
    value = quote(do: unquote(enum).to_number(unquote(value)))
    varint(number, value, quote(do: Write.int64(n)))
  end

  defp single(:bool, value, number) do
    {tag, tag_size} = tag(number, :varint)
    quote(do: {[io, unquote(tag) | Write.bool(unquote(value))], size + unquote(tag_size + 1)})
  end

  defp single(:double, value, number) do
    {tag, tag_size} = tag(number, :fixed64)
    quote(do: {[io, unquote(tag) | Write.double(unquote(value))], size + unquote(tag_size + 8)})
  end

  defp single(kind, value, number) when kind in [:string, :bytes] do
    quote do
      bytes = unquote(value)
      length = byte_size(bytes)
      unquote(length_delimited(number))
    end
  end

  defp single({:via, type, module, argument}, value, number) do
    single(type, quote(do: unquote(module).to_wire(unquote(argument), unquote(value))), number)
  end

  defp single({:nested, nested}, value, number) do
    quote do
      {bytes, length} = unquote(call(nested, value))
      unquote(length_delimited(number))
    end
  end

  # A number of one byte goes into the iodata as it is; a longer one is made by `write`, of `n`.
  defp varint(number, value, write) do
    {tag, tag_size} = tag(number, :varint)

    quote do
      case unquote(value) do
        n when is_integer(n) and n >= 0 and n < 0x80 ->
          {[io, unquote(tag), n], size + unquote(tag_size + 1)}

        n ->
          bytes = unquote(write)
          {[io, unquote(tag) | bytes], size + byte_size(bytes) + unquote(tag_size)}
      end
    end
  end

  # Expects `bytes` (iodata) and their `length` in scope.
  defp length_delimited(number) do
    {tag, tag_size} = tag(number, :bytes)

    # Generated: a small wrapper is never longer, which Dialyzer finds out.
    quote generated: true do
      if length < 0x80 do
        {[io, unquote(tag), length | bytes], size + length + unquote(tag_size + 1)}
      else
        prefix = Write.varint(length)

        {[io, unquote(tag), prefix | bytes],
         size + length + byte_size(prefix) + unquote(tag_size)}
      end
    end
  end

  defp packed_field(slot, packed) do
    quote do
      case unquote(packed) do
        <<>> ->
          {io, size}

        bytes ->
          length = byte_size(bytes)
          unquote(length_delimited(slot.number))
      end
    end
  end

  defp packed(:bool, list), do: quote(do: Write.bools(unquote(list), <<>>))
  defp packed(:int64, list), do: quote(do: Write.int64s(unquote(list), <<>>))
  defp packed(:uint64, list), do: quote(do: Write.uint64s(unquote(list), <<>>))
  defp packed(:double, list), do: quote(do: Write.doubles(unquote(list), <<>>))
  defp packed({:enum, enum}, list), do: quote(do: Write.enums(unquote(list), unquote(enum), <<>>))

  defp packed({:via, type, module, argument}, list) do
    wires =
      quote(do: for(item <- unquote(list), do: unquote(module).to_wire(unquote(argument), item)))

    packed(type, wires)
  end

  defp packed(_, _), do: nil

  # Repeated fields that are not packed: one function each, which puts item behind item.
  defp loops(shape) do
    for %{type: {repeated, item}} = slot when repeated in [:list, :set, :map] <- shape.slots,
        slot.unsent != :never and packed(item, nil) == nil do
      loop(
        loop_name(shape, slot),
        slot.number,
        if(repeated == :map, do: {:nested, item}, else: item)
      )
    end
  end

  defp loop(name, number, item_type) do
    quote do
      defp unquote(name)([item | rest], io, size) do
        {io, size} = unquote(single(item_type, quote(do: item), number))
        unquote(name)(rest, io, size)
      end

      defp unquote(name)([], io, size), do: {io, size}
    end
  end

  defp loop_name(shape, slot), do: :"encode_#{shape.name}_#{slot.number}"

  # A one-byte tag as an integer saves a binary in the iodata.
  defp tag(number, wire_type) do
    case Write.tag(number, wire_type) do
      <<byte>> -> {byte, 1}
      bytes -> {bytes, byte_size(bytes)}
    end
  end
end
