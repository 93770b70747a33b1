defmodule SynapseBridge.Message.Decoder do
  @moduledoc false
  # Writes the decode functions of a message. For each shape there is one loop
  # `fields_of_<shape>(binary, depth, value, …)` with a clause for every tag that can come, spelled
  # out as literal bytes, and the values found so far as arguments, which the BEAM keeps in
  # registers. Two more clauses end it: no bytes left, and a field that no clause took.
  #
  # The loop is worth the decoded value, or `{:error, path, reason}`. What an argument holds until
  # no bytes are left:
  #
  #   * a scalar: the last value;
  #   * a message, wrapper or packed list: its bytes, because occurrences merge and concatenate
  #     when their bytes do (https://protobuf.dev/programming-guides/encoding#last-one-wins);
  #   * another list, a map: the items, last one first.

  alias SynapseBridge.Codec.{Read, Write}
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
    [entry(shape)] ++
      Enum.flat_map(shape.slots, &clauses(shape, &1)) ++ [no_bytes_left(shape), no_clause(shape)]
  end

  defp entry(shape) do
    function = :"decode_#{shape.name}"

    quote do
      defp unquote(function)(_binary, depth) when depth < 0, do: {:error, [], :too_deep}

      defp unquote(function)(binary, depth),
        do: unquote(loop(shape, quote(do: binary), Enum.map(shape.slots, &initial/1)))
    end
  end

  defp initial(%{type: {:list, item}}), do: if(packed(item), do: nil, else: [])
  defp initial(%{type: {:map, _}}), do: []
  defp initial(%{type: {:nested, _}, absent: :empty}), do: ""
  defp initial(%{type: {:nested, _}}), do: nil
  defp initial(%{absent: {:ok, value}}), do: Macro.escape(value)
  defp initial(%{absent: :missing}), do: nil

  # The clauses of a field. Their bodies have `rest`, the bytes that follow, in scope.

  defp clauses(shape, %{type: {:list, item}} = slot) do
    case packed(item) do
      nil ->
        length_delimited(shape, slot, collect(shape, slot, item))

      wire_type ->
        [unpacked(shape, slot, wire_type) | length_delimited(shape, slot, merge(shape, slot))]
    end
  end

  defp clauses(shape, %{type: {:map, entry}} = slot),
    do: length_delimited(shape, slot, collect(shape, slot, {:nested, entry}))

  defp clauses(shape, %{type: {:nested, _}} = slot),
    do: length_delimited(shape, slot, merge(shape, slot))

  defp clauses(shape, %{type: :bytes} = slot),
    do: length_delimited(shape, slot, next(shape, slot, quote(do: bytes)))

  defp clauses(shape, %{type: :string} = slot),
    do: length_delimited(shape, slot, if_utf8(slot, next(shape, slot, quote(do: bytes))))

  defp clauses(shape, %{type: :double} = slot) do
    float = quote(do: [value :: float - little])
    raw = quote(do: [raw :: binary - size(8)])

    [
      clause(shape, slot, :fixed64, float, next(shape, slot, quote(do: value))),
      clause(shape, slot, :fixed64, raw, next(shape, slot, quote(do: Read.special(raw))))
    ]
  end

  # Numbers below 128 are read in the head.
  defp clauses(shape, slot) do
    small = quote(do: [0 :: 1, number :: 7])

    large =
      quote do
        case Read.varint(rest) do
          {number, rest} -> unquote(next(shape, slot, large_number(slot.type)))
          reason -> unquote(error(slot, quote(do: reason)))
        end
      end

    [
      clause(shape, slot, :varint, small, next(shape, slot, small_number(slot.type))),
      clause(shape, slot, :varint, [], large)
    ]
  end

  # Lengths below 128 are read in the head. `body` has the `bytes` in scope.
  defp length_delimited(shape, slot, body) do
    short = quote(do: [0 :: 1, length :: 7, bytes :: binary - size(length)])

    long =
      quote do
        case Read.bytes(rest) do
          {bytes, rest} -> unquote(body)
          reason -> unquote(error(slot, quote(do: reason)))
        end
      end

    [clause(shape, slot, :bytes, short, body), clause(shape, slot, :bytes, [], long)]
  end

  # An item that comes alone though its list can be packed: it joins the packed bytes.
  defp unpacked(shape, slot, :fixed64) do
    clause(shape, slot, :fixed64, quote(do: [bytes :: binary - size(8)]), merge(shape, slot))
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

    clause(shape, slot, :varint, [], body)
  end

  defp merge(shape, slot), do: next(shape, slot, quote(do: Read.merge(unquote(slot.var), bytes)))

  defp collect(shape, slot, {:nested, nested}) do
    quote do
      case unquote(call(nested, quote(do: bytes), quote(do: depth - 1))) do
        {:error, path, reason} -> {:error, unquote(within(item_path(slot))), reason}
        item -> unquote(next(shape, slot, quote(do: [item | unquote(slot.var)])))
      end
    end
  end

  defp collect(shape, slot, :bytes), do: next(shape, slot, quote(do: [bytes | unquote(slot.var)]))

  defp collect(shape, slot, :string),
    do: if_utf8(%{slot | path: item_path(slot)}, collect(shape, slot, :bytes))

  # The entry of a map knows its key, a list's item is named by its position.
  defp item_path(%{type: {:map, _}} = slot), do: slot.path
  defp item_path(slot), do: slot.path ++ [quote(do: length(unquote(slot.var)))]

  defp if_utf8(slot, body) do
    quote do
      if Read.utf8?(bytes), do: unquote(body), else: unquote(error(slot, :string_unicode))
    end
  end

  defp small_number(:bool), do: quote(do: number != 0)
  defp small_number({:enum, enum}), do: quote(do: unquote(enum).from_number(number))
  defp small_number(_), do: quote(do: number)

  defp large_number(:int64), do: quote(do: Read.int64(number))
  defp large_number({:enum, enum}), do: quote(do: unquote(enum).from_number(Read.int32(number)))
  defp large_number(kind), do: small_number(kind)

  defp packed(:double), do: :fixed64
  defp packed(kind) when kind in [:bool, :int64, :uint64], do: :varint
  defp packed({:enum, _}), do: :varint
  defp packed(_), do: nil

  # The end: each step binds a field's variable to its final value for the steps after it.

  defp no_bytes_left(shape) do
    body = List.foldr(shape.slots, result(shape), &final/2)
    quote(do: defp(unquote(loop(shape, <<>>, vars(shape))), do: unquote(body)))
  end

  defp result(%{kind: :message, slots: slots}) do
    fields = for slot <- slots, do: {elem(slot.var, 0), slot.var}
    quote(do: %__MODULE__{unquote_splicing(fields)})
  end

  defp result(%{kind: :wrapper, slots: [slot]}), do: slot.var
  defp result(%{kind: :entry, slots: [key, value]}), do: {key.var, value.var}

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

  defp final(_, body), do: body

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

  defp no_clause(shape) do
    known = for slot <- shape.slots, do: {slot.number, known_path(slot)}

    quote do
      defp unquote(loop(shape, quote(do: binary), vars(shape))) do
        case Read.skip(binary, unquote(Macro.escape(known))) do
          {:error, _, _} = error -> error
          rest -> unquote(loop(shape, quote(do: rest), vars(shape)))
        end
      end
    end
  end

  # What a map's key is when its value is broken is not known before the end.
  defp known_path(slot), do: Enum.filter(slot.path, &is_binary/1)

  # Pieces of a clause.

  defp clause(shape, slot, wire_type, segments, body) do
    tag = :binary.bin_to_list(Write.tag(slot.number, wire_type))
    binary = {:<<>>, [], tag ++ segments ++ [quote(do: rest :: bits)]}
    current = if mentions?(body, slot.var), do: slot.var, else: quote(do: _)

    quote(
      do: defp(unquote(loop(shape, binary, replace(shape, slot, current))), do: unquote(body))
    )
  end

  defp mentions?(body, var), do: body |> Macro.prewalker() |> Enum.member?(var)

  defp next(shape, slot, value), do: loop(shape, quote(do: rest), replace(shape, slot, value))

  defp loop(shape, binary, values),
    do: {:"fields_of_#{shape.name}", [], [binary, quote(do: depth) | values]}

  defp replace(shape, slot, value) do
    for %{number: number, var: var} <- shape.slots,
        do: if(number == slot.number, do: value, else: var)
  end

  defp vars(shape), do: for(slot <- shape.slots, do: slot.var)

  # The `path` in scope, put behind these steps.
  defp within(steps),
    do: List.foldr(steps, quote(do: path), &quote(do: [unquote(&1) | unquote(&2)]))

  defp error(slot, reason), do: quote(do: {:error, unquote(slot.path), unquote(reason)})
end
