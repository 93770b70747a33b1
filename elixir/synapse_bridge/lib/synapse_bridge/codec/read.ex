defmodule SynapseBridge.Codec.Read do
  @moduledoc false
  # Scalars as protobuf reads them (https://protobuf.dev/programming-guides/encoding). Nothing
  # here raises: what is wrong with the bytes comes back as an atom, one of `t:reason/0`, whose
  # text is in `SynapseBridge.Violation.Text`.

  import Bitwise

  alias SynapseBridge.Codec.Write

  @type reason ::
          :truncated | :varint_too_long | :string_unicode | :wire_type | :field_number | :too_deep

  @typedoc "What is wrong, and where, as the decode functions of messages have it."
  @type error :: {:"$error", path :: [term()], reason() | atom() | {atom(), term()}}

  # Unknown groups (an old proto2 feature) may be nested this deep.
  @max_groups 100

  @doc "A varint, reduced to 64 bits, and what follows it."
  @spec varint(bitstring()) :: {non_neg_integer(), binary()} | reason()
  def varint(<<0::1, a::7, rest::bits>>), do: {a, rest}
  def varint(<<1::1, a::7, 0::1, b::7, rest::bits>>), do: {b <<< 7 ||| a, rest}

  def varint(<<1::1, a::7, 1::1, b::7, 0::1, c::7, rest::bits>>),
    do: {c <<< 14 ||| b <<< 7 ||| a, rest}

  def varint(<<1::1, a::7, 1::1, b::7, 1::1, c::7, 0::1, d::7, rest::bits>>),
    do: {d <<< 21 ||| c <<< 14 ||| b <<< 7 ||| a, rest}

  def varint(<<1::1, a::7, 1::1, b::7, 1::1, c::7, 1::1, d::7, rest::bits>>),
    do: varint(rest, 28, d <<< 21 ||| c <<< 14 ||| b <<< 7 ||| a)

  def varint(_), do: :truncated

  defp varint(<<0::1, a::7, rest::bits>>, shift, acc) when shift < 63,
    do: {acc ||| a <<< shift, rest}

  # The tenth byte: only its lowest bit is left of a 64-bit number.
  defp varint(<<0::1, a::7, rest::bits>>, 63, acc), do: {acc ||| (a &&& 1) <<< 63, rest}

  defp varint(<<1::1, a::7, rest::bits>>, shift, acc) when shift < 63,
    do: varint(rest, shift + 7, acc ||| a <<< shift)

  defp varint(<<1::1, _::bits>>, _, _), do: :varint_too_long
  defp varint(_, _, _), do: :truncated

  @doc "A 64-bit number as two's complement."
  @spec signed(non_neg_integer()) :: integer()
  def signed(n) when n < 0x8000_0000_0000_0000, do: n
  def signed(n), do: n - 0x1_0000_0000_0000_0000

  @doc "An integer, and what follows it."
  @spec int64(binary()) :: {integer(), binary()} | reason()
  def int64(binary) do
    case varint(binary) do
      {n, rest} when n >= 0x8000_0000_0000_0000 -> {n - 0x1_0000_0000_0000_0000, rest}
      result -> result
    end
  end

  @spec uint64(binary()) :: {non_neg_integer(), binary()} | reason()
  def uint64(binary), do: varint(binary)

  @doc "The lowest 32 bits as two's complement: what an enum is on the wire."
  @spec int32(non_neg_integer()) :: integer()
  def int32(n) when n < 0x8000_0000, do: n

  def int32(n) do
    <<signed::signed-32>> = <<n::32>>
    signed
  end

  @doc "Bytes after their length, and what follows them."
  @spec bytes(bitstring()) :: {binary(), binary()} | reason()
  def bytes(binary) do
    case varint(binary) do
      {length, rest} when length <= byte_size(rest) ->
        <<bytes::binary-size(length), rest::binary>> = rest
        {bytes, rest}

      {_, _} ->
        :truncated

      reason ->
        reason
    end
  end

  @doc "A double that is no Erlang float."
  @spec special(<<_::64>>) :: :nan | :infinity | :negative_infinity
  def special(<<0::48, 0xF0, 0x7F>>), do: :infinity
  def special(<<0::48, 0xF0, 0xFF>>), do: :negative_infinity
  def special(_), do: :nan

  @doc "Whether a string is valid UTF-8. The BIF returns it as it is then, at about 1 ns a byte."
  @spec utf8?(binary()) :: boolean()
  def utf8?(bytes), do: is_binary(:unicode.characters_to_binary(bytes))

  @doc "A string, if it is valid UTF-8."
  @spec text(binary()) :: String.t() | error()
  def text(bytes) do
    if is_binary(:unicode.characters_to_binary(bytes)),
      do: bytes,
      else: {:"$error", [], :string_unicode}
  end

  @doc "Whether a string is ASCII."
  @spec ascii?(binary()) :: boolean()
  def ascii?(bytes), do: not (bytes =~ ~r/[^\x00-\x7F]/)

  @doc """
  Joins what a field has got so far with another occurrence.

  Messages merge, and packed lists concatenate, when their bytes are put behind one another.
  """
  @spec merge(binary() | nil, binary()) :: binary()
  def merge(nil, bytes), do: bytes
  def merge(before, bytes), do: <<before::binary, bytes::binary>>

  # Packed lists, from all of their bytes.

  @spec doubles(binary() | nil) :: [SynapseBridge.Message.double()] | error()
  def doubles(nil), do: []
  def doubles(packed) when rem(byte_size(packed), 8) == 0, do: whole_doubles(packed)
  def doubles(_), do: {:"$error", [], :truncated}

  defp whole_doubles(
         <<a::float-little, b::float-little, c::float-little, d::float-little, rest::bits>>
       ),
       do: [a, b, c, d | whole_doubles(rest)]

  defp whole_doubles(<<x::float-little, rest::bits>>), do: [x | whole_doubles(rest)]

  defp whole_doubles(<<raw::binary-size(8), rest::bits>>),
    do: [special(raw) | whole_doubles(rest)]

  defp whole_doubles(<<>>), do: []

  @spec int64s(binary() | nil) :: [integer()] | error()
  def int64s(nil), do: []
  def int64s(packed), do: int64s(packed, [])

  defp int64s(<<0::1, n::7, rest::bits>>, acc), do: int64s(rest, [n | acc])
  defp int64s(<<>>, acc), do: :lists.reverse(acc)

  defp int64s(packed, acc) do
    case varint(packed) do
      {n, rest} -> int64s(rest, [signed(n) | acc])
      reason -> {:"$error", [], reason}
    end
  end

  @spec uint64s(binary() | nil) :: [non_neg_integer()] | error()
  def uint64s(packed), do: packed(packed, [], & &1)

  @spec bools(binary() | nil) :: [boolean()] | error()
  def bools(packed), do: packed(packed, [], &(&1 != 0))

  @spec enums(binary() | nil, module()) :: [term()] | error()
  def enums(packed, enum), do: packed(packed, [], &enum.from_number(int32(&1)))

  defp packed(nil, _, _), do: []
  defp packed(<<>>, acc, _), do: :lists.reverse(acc)

  defp packed(varints, acc, convert) do
    case varint(varints) do
      {n, rest} -> packed(rest, [convert.(n) | acc], convert)
      reason -> {:"$error", [], reason}
    end
  end

  @doc "The tag that comes next, and what follows it."
  @spec tag(binary()) :: {non_neg_integer(), binary()} | reason()
  def tag(binary) do
    case varint(binary) do
      {tag, _} when tag >= 0x1_0000_0000 -> :field_number
      result -> result
    end
  end

  @doc """
  The field of a tag, read by the table of its message (see `SynapseBridge.Message.Decoder.Carry`),
  and what follows it. A field that is not in the table is skipped.
  """
  @spec field(
          non_neg_integer(),
          binary(),
          values,
          {map(), [{pos_integer(), path :: [term()]}]}
        ) :: {binary(), values} | error()
        when values: tuple() | map()
  def field(tag, rest, values, {rows, paths}) do
    case rows do
      %{^tag => {place, kind, how}} ->
        case read(kind, rest) do
          {value, rest} -> {rest, put(values, place, how, value)}
          reason -> {:"$error", path(paths, tag), reason}
        end

      _ ->
        case skip(tag, rest, paths) do
          rest when is_binary(rest) -> {rest, values}
          error -> error
        end
    end
  end

  defp read(:bytes, rest), do: bytes(rest)

  defp read(:double, <<x::float-little, rest::bits>>), do: {x, rest}
  defp read(:double, <<raw::binary-size(8), rest::bits>>), do: {special(raw), rest}
  defp read(:double, _), do: :truncated
  defp read(:int64, rest), do: int64(rest)
  defp read(:uint64, rest), do: varint(rest)
  defp read(:bool, rest), do: with({n, rest} <- varint(rest), do: {n != 0, rest})

  defp read(:enum, rest), do: with({n, rest} <- varint(rest), do: {int32(n), rest})

  # Of a list that can be packed: in the form in which it would be.
  defp read({:packed, :varint}, rest),
    do: with({n, rest} <- varint(rest), do: {Write.varint(n), rest})

  defp read({:packed, :fixed64}, <<raw::binary-size(8), rest::bits>>), do: {raw, rest}
  defp read({:packed, :fixed64}, _), do: :truncated

  defp put(values, place, :put, value) when is_tuple(values),
    do: :erlang.setelement(place + 1, values, value)

  defp put(values, place, :put, value), do: :maps.update(place, value, values)

  defp put(values, place, how, value),
    do: put(values, place, :put, add(how, value, get(values, place)))

  defp get(values, place) when is_tuple(values), do: elem(values, place)
  defp get(values, place), do: :erlang.map_get(place, values)

  defp add(:append, value, before), do: [value | before]
  defp add(:merge, value, before), do: merge(before, value)

  defp path(paths, tag), do: paths |> List.keyfind!(tag >>> 3, 0) |> elem(1)

  @doc """
  The fields of a message of numbers alone, by number, put into `fields`; as `skip/2` for others.
  """
  @spec varints(binary(), [{pos_integer(), path :: [term()]}], map()) ::
          %{optional(pos_integer()) => non_neg_integer()}
          | {:"$error", path :: [term()], reason()}
  def varints(<<>>, _, fields), do: fields

  def varints(<<0::1, number::4, 0::3, rest::bits>> = binary, known, fields) do
    with {_, path} <- List.keyfind(known, number, 0) do
      case varint(rest) do
        {n, rest} -> varints(rest, known, Map.put(fields, number, n))
        reason -> {:"$error", path, reason}
      end
    else
      nil -> skip_varints(binary, known, fields)
    end
  end

  def varints(binary, known, fields), do: skip_varints(binary, known, fields)

  defp skip_varints(binary, known, fields) do
    case skip(binary, known) do
      {:"$error", _, _} = error -> error
      rest -> varints(rest, known, fields)
    end
  end

  @doc """
  The member that a union holds: its number, and the bytes of the message from its field on.

  The last one counts. What came before it is dropped where it is another member, and kept where
  it is the same, because parts of messages are joined. `nil` stands for no member at all.
  """
  @spec member(binary(), [pos_integer()]) :: {pos_integer() | nil, binary()} | error()
  def member(binary, numbers), do: member(binary, numbers, binary, nil)

  defp member(<<>>, _, from, found), do: {found, from}

  defp member(binary, numbers, from, found) do
    case skip(binary, []) do
      {:"$error", _, _} = error ->
        error

      rest ->
        {tag, _} = varint(binary)
        number = tag >>> 3

        cond do
          number not in numbers or number == found -> member(rest, numbers, from, found)
          true -> member(rest, numbers, binary, number)
        end
    end
  end

  @doc """
  What follows a field that a decoder does not take, from its tag on, or what is wrong with it.

  `known` lists the fields of the message as `{number, path}`: one of them can only come here with
  another wire type, which would be a value lost in silence.
  """
  @spec skip(binary(), [{pos_integer(), path :: [term()]}]) ::
          binary() | {:"$error", path :: [term()], reason()}
  def skip(binary, known) do
    case varint(binary) do
      {tag, rest} when tag < 0x1_0000_0000 ->
        canonical = Write.varint(tag)

        # A tag with padding: legal, though nobody writes it. It is read again without.
        if byte_size(canonical) + byte_size(rest) < byte_size(binary),
          do: canonical <> rest,
          else: skip(tag, rest, known)

      {_, _} ->
        {:"$error", [], :field_number}

      reason ->
        {:"$error", [], reason}
    end
  end

  @doc "Same as `skip/2`, for a tag that has been read."
  @spec skip(non_neg_integer(), binary(), [{pos_integer(), path :: [term()]}]) ::
          binary() | {:"$error", path :: [term()], reason()}
  def skip(tag, _, _) when tag < 8, do: {:"$error", [], :field_number}

  def skip(tag, rest, known) do
    {_, path} = List.keyfind(known, tag >>> 3, 0, {nil, nil})

    case skip_value(rest, tag, @max_groups) do
      rest when is_binary(rest) and path == nil -> rest
      rest when is_binary(rest) -> {:"$error", path, :wire_type}
      reason -> {:"$error", path || [], reason}
    end
  end

  defp skip_value(rest, tag, depth) do
    case tag &&& 7 do
      0 -> after_value(varint(rest))
      1 -> after_fixed(rest, 8)
      2 -> after_value(bytes(rest))
      3 -> skip_group(rest, tag >>> 3, depth - 1)
      5 -> after_fixed(rest, 4)
      _ -> :wire_type
    end
  end

  defp after_value({_, rest}), do: rest
  defp after_value(reason), do: reason

  defp after_fixed(rest, size) when byte_size(rest) >= size,
    do: binary_part(rest, size, byte_size(rest) - size)

  defp after_fixed(_, _), do: :truncated

  defp skip_group(_, _, depth) when depth < 0, do: :too_deep

  defp skip_group(binary, number, depth) do
    case varint(binary) do
      {tag, rest} when tag == (number <<< 3 ||| 4) ->
        rest

      {tag, rest} when tag >= 8 ->
        case skip_value(rest, tag, depth) do
          rest when is_binary(rest) -> skip_group(rest, number, depth)
          reason -> reason
        end

      {_, _} ->
        :field_number

      reason ->
        reason
    end
  end
end
