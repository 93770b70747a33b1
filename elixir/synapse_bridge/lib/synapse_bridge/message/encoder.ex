defmodule SynapseBridge.Message.Encoder do
  @moduledoc false
  # Writes the encode functions of a message: for each shape one function from a value to
  # `{iodata, size}`. The size is counted along the way, so that the length in front of a nested
  # message costs no second walk over its bytes.
  #
  # A field is one call of a function of `SynapseBridge.Codec.Write`, which puts it behind those in
  # `done`, so that there is little to compile for each field.

  alias SynapseBridge.Codec.Write
  alias SynapseBridge.Message.Decoder.Carry
  alias SynapseBridge.Message.Shape

  # The compiler needs more than twice as long for a function of twice as many steps.
  @steps 25

  @doc "The functions of all shapes, quoted."
  @spec functions([Shape.t()]) :: [Macro.t()]
  def functions(shapes), do: Enum.flat_map(shapes, &functions_of/1)

  @doc "The call that encodes `value`, whose shape is in this module or in another."
  @spec call({:local, atom()} | {:remote, module()}, Macro.t()) :: Macro.t()
  def call({:local, shape}, value), do: {name(shape), [], [value]}
  def call({:remote, module}, value), do: quote(do: unquote(module).__encode__(unquote(value)))

  # The same as a function.
  defp function({:local, shape}), do: quote(do: &(unquote({name(shape), [], nil}) / 1))
  defp function({:remote, module}), do: quote(do: &unquote(module).__encode__/1)

  defp name(:message), do: :__encode__
  defp name(shape), do: :"encode_#{shape}"

  defp functions_of(%{slots: slots} = shape)
       when length(slots) <= @steps or shape.kind == :tuple do
    [define(shape, pattern(shape), steps(slots))]
  end

  # A wide message, some fields at a time.
  defp functions_of(%{slots: slots} = shape) do
    parts =
      for {slots, n} <- slots |> Enum.chunk_every(@steps) |> Enum.with_index(1),
          do: {:"encode_#{shape.name}_part_#{n}", slots}

    calls = for {name, _} <- parts, do: quote(do: done = unquote(name)(message, done))
    main = define(shape, pattern(%{shape | slots: []}), {:__block__, [], calls})
    [main | for({name, slots} <- parts, do: part(shape, name, slots))]
  end

  # A message's function is called by other modules.
  defp define(shape, pattern, body) do
    head = {name(shape.name), [], [pattern]}

    body =
      quote do
        done = {[], 0}
        unquote(body)
      end

    if shape.name == :message do
      quote do
        @doc false
        def(unquote(head), do: unquote(body))
      end
    else
      quote(do: defp(unquote(head), do: unquote(body)))
    end
  end

  defp part(shape, name, slots) do
    quote do
      defp unquote(name)(unquote(pattern(%{shape | slots: slots})), done),
        do: unquote(steps(slots))
    end
  end

  defp steps(slots) do
    steps = for slot <- slots, do: quote(do: done = unquote(step(slot)))

    quote do
      unquote_splicing(steps)
      done
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
  defp step(%{unsent: :none} = slot), do: field(slot.type, slot.var, slot.number)
  defp step(%{unsent: :never}), do: quote(do: done)

  defp step(%{unsent: :absent_key} = slot) do
    quote do
      case message do
        %{unquote(elem(slot.var, 0)) => unquote(slot.var)} ->
          unquote(field(slot.type, slot.var, slot.number))

        _ ->
          done
      end
    end
  end

  defp step(%{unsent: {:ok, unsent}} = slot) do
    quote do
      case unquote(slot.var) do
        unquote(unsent) -> done
        _ -> unquote(field(slot.type, slot.var, slot.number))
      end
    end
  end

  defp field({:list, item}, value, number), do: items(item, value, number)

  # A set is sent as the list of what is in it, a map as that of its entries.
  defp field({:set, item}, value, number),
    do: items(item, quote(do: MapSet.to_list(unquote(value))), number)

  defp field({:map, entry}, value, number),
    do: items({:nested, entry}, quote(do: :maps.to_list(unquote(value))), number)

  defp field({:via, type, module, argument}, value, number),
    do: field(type, converted(module, argument, value), number)

  defp field({:nested, nested}, value, number),
    do: put(:put_nested, number, :bytes, [call(nested, value)])

  defp field({:enum, enum}, value, number),
    do: field(:int64, quote(do: unquote(enum).to_number(unquote(value))), number)

  defp field(:double, value, number), do: put(:put_double, number, :fixed64, [value])

  defp field(kind, value, number) when kind in [:string, :bytes],
    do: put(:put_bytes, number, :bytes, [value])

  defp field(kind, value, number), do: put(:"put_#{kind}", number, :varint, [value])

  defp items(item, list, number) do
    if Carry.packed(item),
      do: put(:put_packed, number, :bytes, [packed(item, list)]),
      else: several(item, list, number)
  end

  defp several({:via, type, module, argument}, list, number) do
    several(type, each_converted(module, argument, list), number)
  end

  defp several({:nested, nested}, list, number),
    do: put(:put_each, number, :bytes, [list, function(nested)])

  defp several(_string_or_bytes, list, number), do: put(:put_each_bytes, number, :bytes, [list])

  defp packed({:via, type, module, argument}, list) do
    packed(type, each_converted(module, argument, list))
  end

  defp packed({:enum, enum}, list), do: quote(do: Write.enums(unquote(list), unquote(enum), <<>>))
  defp packed(kind, list), do: quote(do: Write.unquote(:"#{kind}s")(unquote(list), <<>>))

  defp converted(module, argument, value),
    do: quote(do: unquote(module).to_wire(unquote(argument), unquote(value)))

  defp each_converted(module, argument, list) do
    item = quote(do: item)
    quote(do: for(unquote(item) <- unquote(list), do: unquote(converted(module, argument, item))))
  end

  # A one-byte tag as an integer saves a binary in the iodata.
  defp put(function, number, wire_type, arguments) do
    {tag, size} =
      case Write.tag(number, wire_type) do
        <<byte>> -> {byte, 1}
        bytes -> {bytes, byte_size(bytes)}
      end

    quote(
      do: Write.unquote(function)(done, unquote(tag), unquote(size), unquote_splicing(arguments))
    )
  end
end
