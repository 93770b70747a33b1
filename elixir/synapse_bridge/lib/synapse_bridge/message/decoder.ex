defmodule SynapseBridge.Message.Decoder do
  @moduledoc false
  # Writes the decode functions of a message. For each shape there is one loop
  # `fields_of_<shape>(binary, depth, value, …)`, which takes one field from the binary and comes
  # back with the rest and the values found so far (`SynapseBridge.Message.Decoder.Carry`). Tags
  # are told apart by one `case` over literal numbers, which becomes a jump. The loop is worth the
  # decoded value, or `{:"$error", path, reason}`.

  alias SynapseBridge.Codec.{Read, Write}
  alias SynapseBridge.Message.Decoder.{Carry, Finish}
  alias SynapseBridge.Message.Shape

  @doc "The functions of all shapes, quoted."
  @spec functions([Shape.t()]) :: [Macro.t()]
  def functions(shapes), do: Enum.flat_map(shapes, &functions_of/1)

  @doc "The call that decodes `bytes`, whose shape is in this module or in another."
  @spec call({:local, atom()} | {:remote, module()}, Macro.t(), Macro.t()) :: Macro.t()
  def call({:local, shape}, bytes, depth),
    do: quote(do: unquote(:"decode_#{shape}")(unquote(bytes), unquote(depth)))

  def call({:remote, module}, bytes, depth),
    do: quote(do: unquote(module).__decode__(unquote(bytes), unquote(depth)))

  defp functions_of(shape) do
    {one_byte, longer} = Enum.split_with(shape.slots, &(&1.number < 16))
    {two_bytes, longest} = Enum.split_with(longer, &(&1.number < 2048))

    {ending, functions} = Finish.finish(shape, quote(do: depth))

    [start(shape)] ++
      by_tag(shape, one_byte, quote(do: [0 :: 1, tag :: 7]), quote(do: tag), nil) ++
      by_tag(shape, two_bytes, in_two_bytes(), from_two_bytes(), quote(do: high > 0)) ++
      Enum.flat_map(longest, &by_literal_tag(shape, &1)) ++
      [no_bytes_left(shape, ending), any_tag(shape) | functions]
  end

  defp start(shape) do
    function = :"decode_#{shape.name}"

    quote do
      defp unquote(function)(_binary, depth) when depth < 0, do: {:"$error", [], :too_deep}

      defp unquote(function)(binary, depth),
        do: unquote(loop(shape, quote(do: binary), Carry.initial(shape)))
    end
  end

  # From a tag to the code for its field, which has `rest`, the bytes after the tag, in scope.

  defp by_tag(_shape, [], _segments, _number, _guard), do: []

  # The guard keeps a tag with padding out; `any_tag/1` knows what to do with it.
  defp by_tag(shape, slots, segments, number, guard) do
    branches =
      for slot <- slots, {wire_type, body} <- fields(shape, slot) do
        {tag, ""} = slot.number |> Write.tag(wire_type) |> Read.varint()
        {:->, [], [[tag], body]}
      end

    other = {:->, [], [[quote(do: tag)], skip(shape, quote(do: Read.skip(tag, rest)))]}

    head = loop(shape, binary(segments), Carry.arguments(shape))
    head = if guard, do: {:when, [], [head, guard]}, else: head
    body = quote(do: case(unquote(number), do: unquote(branches ++ [other])))
    [quote(do: defp(unquote(head), do: unquote(body)))]
  end

  defp by_literal_tag(shape, slot) do
    for {wire_type, body} <- fields(shape, slot) do
      tag = :binary.bin_to_list(Write.tag(slot.number, wire_type))

      quote(
        do: defp(unquote(loop(shape, binary(tag), Carry.arguments(shape))), do: unquote(body))
      )
    end
  end

  defp no_bytes_left(shape, ending) do
    head = loop(shape, <<>>, Carry.arguments(shape))
    quote(do: defp(unquote(head), do: unquote(ending)))
  end

  defp any_tag(shape) do
    quote do
      defp unquote(loop(shape, quote(do: binary), Carry.arguments(shape))),
        do: unquote(skip(shape, quote(do: Read.skip(binary))))
    end
  end

  defp skip(shape, {read, meta, arguments}) do
    known = for slot <- shape.slots, do: {slot.number, Enum.reject(slot.path, &is_tuple/1)}

    quote do
      case unquote({read, meta, arguments ++ [Macro.escape(known)]}) do
        {:"$error", _, _} = error -> error
        rest -> unquote(loop(shape, quote(do: rest), Carry.arguments(shape)))
      end
    end
  end

  # The code for a field, by wire type. A value that is to be converted is so at the end.

  defp fields(shape, %{type: {:via, type, _, _}} = slot), do: fields(shape, %{slot | type: type})

  defp fields(shape, %{type: {container, {:via, item, _, _}}} = slot)
       when container in [:list, :set],
       do: fields(shape, %{slot | type: {container, item}})

  defp fields(shape, %{type: {container, item}} = slot) when container in [:list, :set] do
    case Carry.packed(item) do
      nil -> [bytes: bytes(slot, collect(shape, slot, item))]
      wire_type -> [{:bytes, bytes(slot, merge(shape, slot))}, unpacked(shape, slot, wire_type)]
    end
  end

  defp fields(shape, %{type: {:map, entry}} = slot),
    do: [bytes: bytes(slot, collect(shape, slot, {:nested, entry}))]

  defp fields(shape, %{type: {:nested, _}} = slot), do: [bytes: bytes(slot, merge(shape, slot))]

  defp fields(shape, %{type: :bytes} = slot),
    do: [bytes: bytes(slot, next(shape, slot, quote(do: bytes)))]

  defp fields(shape, %{type: :string} = slot),
    do: [bytes: bytes(slot, if_utf8(slot, next(shape, slot, quote(do: bytes))))]

  defp fields(shape, %{type: :double} = slot) do
    body =
      quote do
        case rest do
          <<value::float-little, rest::bits>> -> unquote(next(shape, slot, quote(do: value)))
          <<raw::binary-size(8), rest::bits>> -> unquote(next(shape, slot, special()))
          _ -> unquote(error(slot, :truncated))
        end
      end

    [fixed64: body]
  end

  defp fields(shape, %{type: type} = slot) do
    body =
      quote do
        case rest do
          <<0::1, number::7, rest::bits>> ->
            unquote(next(shape, slot, small(type, quote(do: number))))

          <<unquote_splicing(in_two_bytes()), rest::bits>> ->
            unquote(next(shape, slot, small(type, from_two_bytes())))

          _ ->
            case Read.varint(rest) do
              {number, rest} -> unquote(next(shape, slot, large(type, quote(do: number))))
              reason -> unquote(error(slot, quote(do: reason)))
            end
        end
      end

    [varint: body]
  end

  # Reads the length and the bytes; `body` has the `bytes` in scope.
  defp bytes(slot, body) do
    quote do
      case rest do
        <<0::1, length::7, bytes::binary-size(length), rest::bits>> ->
          unquote(body)

        _ ->
          case Read.bytes(rest) do
            {bytes, rest} -> unquote(body)
            reason -> unquote(error(slot, quote(do: reason)))
          end
      end
    end
  end

  # An item that comes alone, though its list can be packed, joins the packed bytes.
  defp unpacked(shape, slot, :fixed64) do
    body =
      quote do
        case rest do
          <<bytes::binary-size(8), rest::bits>> -> unquote(merge(shape, slot))
          _ -> unquote(error(slot, :truncated))
        end
      end

    {:fixed64, body}
  end

  defp unpacked(shape, slot, :varint) do
    body =
      quote do
        case Read.varint(rest) do
          {number, rest} ->
            bytes = Write.varint(number)
            unquote(merge(shape, slot))

          reason ->
            unquote(error(slot, quote(do: reason)))
        end
      end

    {:varint, body}
  end

  defp merge(shape, slot),
    do: next(shape, slot, quote(do: Read.merge(unquote(Carry.get(shape, slot)), bytes)))

  defp collect(shape, slot, {:nested, nested}) do
    quote do
      case unquote(call(nested, quote(do: bytes), quote(do: depth - 1))) do
        {:"$error", path, reason} ->
          {:"$error", unquote(within(item_path(shape, slot), quote(do: path))), reason}

        item ->
          unquote(next(shape, slot, quote(do: [item | unquote(Carry.get(shape, slot))])))
      end
    end
  end

  defp collect(shape, slot, :bytes),
    do: next(shape, slot, quote(do: [bytes | unquote(Carry.get(shape, slot))]))

  defp collect(shape, slot, :string),
    do: if_utf8(%{slot | path: item_path(shape, slot)}, collect(shape, slot, :bytes))

  # The entry of a map knows its key; a list's item is named by its position.
  defp item_path(_shape, %{type: {:map, _}} = slot), do: slot.path

  defp item_path(shape, slot),
    do: slot.path ++ [quote(do: length(unquote(Carry.get(shape, slot))))]

  defp if_utf8(slot, body) do
    quote do
      if Read.utf8?(bytes), do: unquote(body), else: unquote(error(slot, :string_unicode))
    end
  end

  defp in_two_bytes, do: quote(do: [1 :: 1, low :: 7, 0 :: 1, high :: 7])
  defp from_two_bytes, do: quote(do: high * 128 + low)
  defp special, do: quote(do: Read.special(raw))

  defp small(:bool, number), do: quote(do: unquote(number) != 0)
  defp small({:enum, enum}, number), do: quote(do: unquote(enum).from_number(unquote(number)))
  defp small(_, number), do: number

  defp large(:int64, number), do: quote(do: Read.int64(unquote(number)))
  defp large({:enum, _} = enum, number), do: small(enum, quote(do: Read.int32(unquote(number))))
  defp large(kind, number), do: small(kind, number)

  # Pieces of the loop.

  defp loop(shape, binary, values),
    do: {:"fields_of_#{shape.name}", [], [binary, quote(do: depth) | values]}

  defp binary(segments), do: {:<<>>, [], segments ++ [quote(do: rest :: bits)]}

  defp next(shape, slot, value), do: loop(shape, quote(do: rest), Carry.put(shape, slot, value))

  @doc "The error of a field; the reason is quoted."
  @spec error(struct(), Macro.t()) :: Macro.t()
  def error(slot, reason), do: quote(do: {:"$error", unquote(slot.path), unquote(reason)})

  @doc "A path put behind these steps."
  @spec within([Macro.t()], Macro.t()) :: Macro.t()
  def within(steps, path), do: List.foldr(steps, path, &quote(do: [unquote(&1) | unquote(&2)]))
end
