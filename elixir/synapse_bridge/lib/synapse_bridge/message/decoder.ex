defmodule SynapseBridge.Message.Decoder do
  @moduledoc false
  # Writes the decode functions of a message. For each shape there is one loop
  # `fields_of_<shape>(binary, depth, value, …)`, which takes one field from the binary and comes
  # back with the rest and the values found so far (`SynapseBridge.Message.Decoder.Carry`).
  #
  # A field has a branch of its own for the form in which it nearly always comes: by its tag, told
  # apart by one `case` over literal numbers, which becomes a jump; with a value or a length of one
  # byte. Everything else - long lengths, fields of other wire types or unknown ones, broken bytes -
  # goes to `other_field_of_<shape>`, which reads by a table (`SynapseBridge.Codec.Read.field/4`). So
  # there is little to compile for each field.
  #
  # The loop is worth the decoded value, or `{:"$error", path, reason}`.

  alias SynapseBridge.Codec.{Read, Write}
  alias SynapseBridge.Message.Decoder.{Carry, Finish}
  alias SynapseBridge.Message.Shape

  @doc "The functions of all shapes, quoted."
  @spec functions([Shape.t()]) :: [Macro.t()]
  def functions(shapes), do: Enum.flat_map(shapes, &functions_of/1)

  @doc "The call that decodes `bytes`, whose shape is in this module or in another."
  @spec call({:local, atom()} | {:remote, module()}, Macro.t(), Macro.t()) :: Macro.t()
  def call({:local, shape}, bytes, depth), do: {name(shape), [], [bytes, depth]}

  def call({:remote, module}, bytes, depth),
    do: quote(do: unquote(module).__decode__(unquote(bytes), unquote(depth)))

  @doc "The same function as a value."
  @spec function({:local, atom()} | {:remote, module()}) :: Macro.t()
  def function({:local, shape}), do: quote(do: &(unquote({name(shape), [], nil}) / 2))
  def function({:remote, module}), do: quote(do: &unquote(module).__decode__/2)

  defp functions_of(shape) do
    # Tags of three bytes and more are left to the table.
    {one_byte, longer} = Enum.split_with(shape.slots, &(&1.number < 16))
    two_bytes = Enum.filter(longer, &(&1.number < 2048))
    from_two = quote(do: high * 128 + low - 128)
    two = quote(do: low >= 128 and high < 128)

    # Whole bytes are read faster than a bit and the seven others.
    [start(shape)] ++
      by_tag(shape, one_byte, quote(do: [tag]), quote(do: tag), quote(do: tag < 128)) ++
      by_tag(shape, two_bytes, quote(do: [low, high]), from_two, two) ++
      [no_bytes_left(shape), any_tag(shape), other_field(shape) | Finish.functions(shape)]
  end

  # A message's function is called by other modules.
  defp start(shape) do
    binary = quote(do: binary)
    depth = quote(do: depth)
    first = loop(shape, binary, Carry.initial(shape))
    too_deep = quote(do: {:"$error", [], :too_deep})
    head = call({:local, shape.name}, binary, depth)

    guarded =
      {:when, [], [call({:local, shape.name}, quote(do: _binary), depth), quote(do: depth < 0)]}

    if shape.name == :message do
      quote do
        @doc false
        def(unquote(guarded), do: unquote(too_deep))
        def(unquote(head), do: unquote(first))
      end
    else
      quote do
        defp(unquote(guarded), do: unquote(too_deep))
        defp(unquote(head), do: unquote(first))
      end
    end
  end

  defp name(:message), do: :__decode__
  defp name(shape), do: :"decode_#{shape}"

  # From a tag to the code for its field, which has `rest`, the bytes after the tag, in scope.
  defp by_tag(_shape, [], _segments, _number, _guard), do: []

  defp by_tag(shape, slots, segments, number, guard) do
    branches = for slot <- slots, do: branch(shape, slot)
    other = {:->, [], [[quote(do: tag)], other(shape)]}
    body = {:case, [], [number, [do: branches ++ [other]]]}
    binary = {:<<>>, [], segments ++ [quote(do: rest :: bits)]}
    head = loop(shape, binary, Carry.arguments(shape))
    [quote(do: defp(unquote(head) when unquote(guard), do: unquote(body)))]
  end

  defp branch(shape, slot) do
    {wire_type, segment, value, guard} = usual(Carry.wire(slot))
    {tag, ""} = slot.number |> Write.tag(wire_type) |> Read.varint()

    body =
      quote do
        case rest do
          <<unquote_splicing(segment), rest::bits>> when unquote(guard) ->
            unquote(next(shape, slot, Carry.add(shape, slot, value)))

          _ ->
            unquote(unusual(shape, slot, Carry.wire(slot), tag))
        end
      end

    {:->, [], [[tag], body]}
  end

  defp usual(:double),
    do: {:fixed64, quote(do: [value :: float - little]), quote(do: value), true}

  defp usual(:bytes) do
    segment = quote(do: [length, value :: binary - size(length)])
    {:bytes, segment, quote(do: value), quote(do: length < 128)}
  end

  defp usual(:bool),
    do: {:varint, quote(do: [value]), quote(do: value != 0), quote(do: value < 128)}

  defp usual(_number), do: {:varint, quote(do: [value]), quote(do: value), quote(do: value < 128)}

  # Numbers of more bits are no exception, other than truth values and enums of such.
  defp unusual(shape, slot, kind, _tag) when kind in [:int64, :uint64] do
    quote do
      case Read.unquote(kind)(rest) do
        {value, rest} -> unquote(next(shape, slot, quote(do: value)))
        reason -> unquote(error(slot, quote(do: reason)))
      end
    end
  end

  defp unusual(shape, _slot, _kind, tag) do
    quote do
      tag = unquote(tag)
      unquote(other(shape))
    end
  end

  defp no_bytes_left(shape) do
    head = loop(shape, <<>>, Carry.arguments(shape))
    quote(do: defp(unquote(head), do: unquote(Finish.call(shape, quote(do: depth)))))
  end

  # A tag of another length, or none.
  defp any_tag(shape) do
    quote do
      defp unquote(loop(shape, quote(do: binary), Carry.arguments(shape))) do
        case Read.tag(binary) do
          {tag, rest} -> unquote(other(shape))
          reason -> {:"$error", [], reason}
        end
      end
    end
  end

  defp other(shape) do
    {:"other_field_of_#{shape.name}", [],
     [quote(do: tag), quote(do: rest), quote(do: depth) | Carry.arguments(shape)]}
  end

  # Any other field, by the table.
  defp other_field(shape) do
    arguments = Carry.arguments(shape)
    values = if Carry.struct?(shape), do: hd(arguments), else: {:{}, [], arguments}

    found =
      quote(do: ({rest, unquote(values)} -> unquote(loop(shape, quote(do: rest), arguments))))

    keyed = Enum.flat_map(shape.slots, &keyed_error/1)
    error = quote(do: ({:"$error", _, _} = error -> error))

    quote do
      defp unquote(other(shape)) do
        case Read.field(tag, rest, unquote(values), unquote(Macro.escape(Carry.table(shape)))) do
          unquote(found ++ keyed ++ error)
        end
      end
    end
  end

  # The table cannot know the key of a map's entry, which is in the path to its value.
  defp keyed_error(%{path: [step]} = slot) when is_tuple(step) do
    quote do
      {:"$error", [:"$key" | path], reason} ->
        {:"$error", unquote(within(slot.path, quote(do: path))), reason}
    end
  end

  defp keyed_error(_), do: []

  # Pieces of the loop.

  defp loop(shape, binary, values),
    do: {:"fields_of_#{shape.name}", [], [binary, quote(do: depth) | values]}

  defp next(shape, slot, value), do: loop(shape, quote(do: rest), Carry.put(shape, slot, value))

  @doc "The error of a field; the reason is quoted."
  @spec error(struct(), Macro.t()) :: Macro.t()
  def error(slot, reason), do: quote(do: {:"$error", unquote(slot.path), unquote(reason)})

  @doc "A path put behind these steps."
  @spec within([Macro.t()], Macro.t()) :: Macro.t()
  def within(steps, path), do: List.foldr(steps, path, &quote(do: [unquote(&1) | unquote(&2)]))
end
