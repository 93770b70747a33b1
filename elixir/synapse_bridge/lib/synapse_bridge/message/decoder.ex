defmodule SynapseBridge.Message.Decoder do
  @moduledoc false
  # Writes the decode functions of a message. For each shape there is one loop
  # `fields_of_<shape>(binary, depth, value, …)`, which takes one field from the binary and comes
  # back with the rest and the values found so far. These are its arguments, which the BEAM keeps
  # in registers; tags are told apart by one `case` over literal numbers, which becomes a jump.
  #
  # The loop is worth the decoded value, or `{:error, path, reason}`. What an argument holds until
  # no bytes are left:
  #
  #   * a scalar: the last value;
  #   * a message, wrapper or packed list: its bytes, because occurrences merge and concatenate
  #     when their bytes do (https://protobuf.dev/programming-guides/encoding#last-one-wins);
  #   * another list, a map: the items, last one first.
  #
  # Many arguments in many branches would take the compiler minutes: a message with many fields
  # carries one struct instead.

  alias SynapseBridge.Codec.{Read, Write}
  alias SynapseBridge.Message.Shape

  # Beyond this a struct is the better carrier: 200 arguments took three times as long to compile and
  # half as long again to run.
  @most_arguments 32

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

    [start(shape)] ++
      by_tag(shape, one_byte, quote(do: [0 :: 1, tag :: 7]), quote(do: tag), nil) ++
      by_tag(shape, two_bytes, in_two_bytes(), from_two_bytes(), quote(do: high > 0)) ++
      Enum.flat_map(longest, &by_literal_tag(shape, &1)) ++
      [no_bytes_left(shape), any_tag(shape)]
  end

  defp start(shape) do
    function = :"decode_#{shape.name}"

    quote do
      defp unquote(function)(_binary, depth) when depth < 0, do: {:error, [], :too_deep}

      defp unquote(function)(binary, depth),
        do: unquote(loop(shape, quote(do: binary), initial(shape)))
    end
  end

  defp initial(%{slots: slots} = shape) do
    values = Enum.map(slots, &initial_value/1)
    if carries_struct?(shape), do: [struct_of(slots, values)], else: values
  end

  defp initial_value(%{type: {:list, item}}), do: if(packed(item), do: nil, else: [])
  defp initial_value(%{type: {:map, _}}), do: []
  defp initial_value(%{type: {:nested, _}, absent: :empty}), do: ""
  defp initial_value(%{type: {:nested, _}}), do: nil
  defp initial_value(%{absent: {:ok, value}}), do: Macro.escape(value)
  defp initial_value(%{absent: :missing}), do: nil

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

    head = loop(shape, binary(segments), carried(shape))
    head = if guard, do: {:when, [], [head, guard]}, else: head
    body = quote(do: case(unquote(number), do: unquote(branches ++ [other])))
    [quote(do: defp(unquote(head), do: unquote(body)))]
  end

  defp by_literal_tag(shape, slot) do
    for {wire_type, body} <- fields(shape, slot) do
      tag = :binary.bin_to_list(Write.tag(slot.number, wire_type))
      quote(do: defp(unquote(loop(shape, binary(tag), carried(shape))), do: unquote(body)))
    end
  end

  defp any_tag(shape) do
    quote do
      defp unquote(loop(shape, quote(do: binary), carried(shape))),
        do: unquote(skip(shape, quote(do: Read.skip(binary))))
    end
  end

  defp skip(shape, {read, meta, arguments}) do
    known = for slot <- shape.slots, do: {slot.number, Enum.filter(slot.path, &is_binary/1)}

    quote do
      case unquote({read, meta, arguments ++ [Macro.escape(known)]}) do
        {:error, _, _} = error -> error
        rest -> unquote(loop(shape, quote(do: rest), carried(shape)))
      end
    end
  end

  # The code for a field, by wire type.

  defp fields(shape, %{type: {:list, item}} = slot) do
    case packed(item) do
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
    do: next(shape, slot, quote(do: Read.merge(unquote(current(shape, slot)), bytes)))

  defp collect(shape, slot, {:nested, nested}) do
    quote do
      case unquote(call(nested, quote(do: bytes), quote(do: depth - 1))) do
        {:error, path, reason} -> {:error, unquote(within(item_path(shape, slot))), reason}
        item -> unquote(next(shape, slot, quote(do: [item | unquote(current(shape, slot))])))
      end
    end
  end

  defp collect(shape, slot, :bytes),
    do: next(shape, slot, quote(do: [bytes | unquote(current(shape, slot))]))

  defp collect(shape, slot, :string),
    do: if_utf8(%{slot | path: item_path(shape, slot)}, collect(shape, slot, :bytes))

  # The entry of a map knows its key; a list's item is named by its position.
  defp item_path(_shape, %{type: {:map, _}} = slot), do: slot.path

  defp item_path(shape, slot),
    do: slot.path ++ [quote(do: length(unquote(current(shape, slot))))]

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

  defp packed(:double), do: :fixed64
  defp packed(kind) when kind in [:bool, :int64, :uint64], do: :varint
  defp packed({:enum, _}), do: :varint
  defp packed(_), do: nil

  # The end: each step binds a field's variable to its final value for the steps after it.

  defp no_bytes_left(shape) do
    body = List.foldr(shape.slots, result(shape), &final/2)
    head = loop(shape, <<>>, carried(shape))

    if carries_struct?(shape) do
      fields = for slot <- shape.slots, do: {key(slot), slot.var}

      quote do
        defp unquote(head) do
          %{unquote_splicing(fields)} = fields
          unquote(body)
        end
      end
    else
      quote(do: defp(unquote(head), do: unquote(body)))
    end
  end

  defp result(%{kind: :message, slots: slots} = shape) do
    if carries_struct?(shape) do
      changed = for %{type: type} = slot <- slots, not scalar?(type), do: {key(slot), slot.var}
      quote(do: %{fields | unquote_splicing(changed)})
    else
      struct_of(slots, Enum.map(slots, & &1.var))
    end
  end

  defp result(%{kind: :wrapper, slots: [slot]}), do: slot.var
  defp result(%{kind: :entry, slots: [key, value]}), do: {key.var, value.var}

  defp scalar?(type), do: is_atom(type) or elem(type, 0) == :enum

  defp final(%{type: {:list, item}, var: var} = slot, body) do
    if packed(item) do
      quote do
        case unquote(unpack(item, var)) do
          unquote(var) when is_list(unquote(var)) -> unquote(body)
          reason -> unquote(error(slot, quote(do: reason)))
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
  defp final(%{type: {:map, _}, var: var}, body) do
    quote do
      unquote(var) = :maps.from_list(:lists.reverse(unquote(var)))
      unquote(body)
    end
  end

  defp final(%{type: {:nested, nested}, var: var} = slot, body) do
    decoded = call(nested, var, quote(do: depth - 1))

    value =
      case slot.absent do
        :empty -> decoded
        :missing -> if_nil(var, {:error, [], :missing}, decoded)
        {:ok, absent} -> if_nil(var, absent, decoded)
      end

    quote do
      case unquote(value) do
        {:error, path, reason} -> {:error, unquote(within(slot.path)), reason}
        unquote(var) -> unquote(body)
      end
    end
  end

  defp final(%{absent: :missing, var: var} = slot, body),
    do: if_nil(var, {:error, slot.path, :missing}, body)

  defp final(_slot, body), do: body

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

  # The loop: its head, its call, and what it carries.

  defp loop(shape, binary, carried),
    do: {:"fields_of_#{shape.name}", [], [binary, quote(do: depth) | carried]}

  defp binary(segments), do: {:<<>>, [], segments ++ [quote(do: rest :: bits)]}

  defp next(shape, slot, value) do
    carried =
      if carries_struct?(shape) do
        [quote(do: %{fields | unquote(key(slot)) => unquote(value)})]
      else
        for other <- shape.slots, do: if(other.number == slot.number, do: value, else: other.var)
      end

    loop(shape, quote(do: rest), carried)
  end

  defp carries_struct?(shape), do: length(shape.slots) > @most_arguments

  defp carried(shape) do
    if carries_struct?(shape), do: [quote(do: fields)], else: Enum.map(shape.slots, & &1.var)
  end

  defp current(shape, slot) do
    if carries_struct?(shape), do: quote(do: fields.unquote(key(slot))), else: slot.var
  end

  defp key(%{var: {name, _, _}}), do: name

  defp struct_of(slots, values) do
    fields = Enum.zip(Enum.map(slots, &key/1), values)
    quote(do: %__MODULE__{unquote_splicing(fields)})
  end

  # The `path` in scope, put behind these steps.
  defp within(steps),
    do: List.foldr(steps, quote(do: path), &quote(do: [unquote(&1) | unquote(&2)]))

  defp error(slot, reason), do: quote(do: {:error, unquote(slot.path), unquote(reason)})
end
