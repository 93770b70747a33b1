defmodule SynapseBridge.Codec.Write do
  @moduledoc false
  # Scalars as protobuf writes them (https://protobuf.dev/programming-guides/encoding).
  # Values come from `Mod.new/1`; whatever it would have refused raises `ArgumentError` here.

  import Bitwise

  @min_int64 -0x8000_0000_0000_0000
  @max_int64 0x7FFF_FFFF_FFFF_FFFF
  @max_uint64 0xFFFF_FFFF_FFFF_FFFF

  @wire_types %{varint: 0, fixed64: 1, bytes: 2}

  @doc "The bytes before a field's value."
  @spec tag(pos_integer(), :varint | :fixed64 | :bytes) :: binary()
  def tag(number, wire_type), do: varint(number <<< 3 ||| Map.fetch!(@wire_types, wire_type))

  @doc "A non-negative number below 2^64, seven bits to a byte."
  @spec varint(non_neg_integer()) :: binary()
  def varint(n) when n < 0x80, do: <<n>>
  def varint(n) when n < 0x4000, do: <<1::1, n::7, n >>> 7>>
  def varint(n) when n < 0x20_0000, do: <<1::1, n::7, 1::1, n >>> 7::7, n >>> 14>>

  def varint(n) when n < 0x1000_0000,
    do: <<1::1, n::7, 1::1, n >>> 7::7, 1::1, n >>> 14::7, n >>> 21>>

  def varint(n) do
    high = varint(n >>> 28)
    <<1::1, n::7, 1::1, n >>> 7::7, 1::1, n >>> 14::7, 1::1, n >>> 21::7, high::binary>>
  end

  @spec int64(integer()) :: binary()
  def int64(n) when is_integer(n) and n >= 0 and n <= @max_int64, do: varint(n)

  # Two's complement: always ten bytes, the last of which holds the sign bit alone.
  def int64(n) when is_integer(n) and n < 0 and n >= @min_int64 do
    <<1::1, n::7, 1::1, n >>> 7::7, 1::1, n >>> 14::7, 1::1, n >>> 21::7, 1::1, n >>> 28::7, 1::1,
      n >>> 35::7, 1::1, n >>> 42::7, 1::1, n >>> 49::7, 1::1, n >>> 56::7, 1>>
  end

  def int64(other), do: refuse("an integer from -2^63 to 2^63-1", other)

  @spec uint64(non_neg_integer()) :: binary()
  def uint64(n) when is_integer(n) and n >= 0 and n <= @max_uint64, do: varint(n)
  def uint64(other), do: refuse("an integer from 0 to 2^64-1", other)

  @spec bool(boolean()) :: binary()
  def bool(true), do: <<1>>
  def bool(false), do: <<0>>
  def bool(other), do: refuse("a boolean", other)

  @spec double(SynapseBridge.Message.double() | integer()) :: binary()
  def double(x) when is_number(x), do: <<x::float-little>>
  def double(:nan), do: <<0, 0, 0, 0, 0, 0, 0xF8, 0x7F>>
  def double(:infinity), do: <<0, 0, 0, 0, 0, 0, 0xF0, 0x7F>>
  def double(:negative_infinity), do: <<0, 0, 0, 0, 0, 0, 0xF0, 0xFF>>
  def double(other), do: refuse("a float, :nan, :infinity or :negative_infinity", other)

  # Fields. Each function puts one behind those that are `done`: their iodata, and its size. A tag of
  # one byte is an integer; of more bytes, a binary.

  @type done :: {iodata(), non_neg_integer()}

  @spec put_int64(done(), byte() | binary(), pos_integer(), integer()) :: done()
  def put_int64({io, size}, tag, tag_size, n) when is_integer(n) and n >= 0 and n < 0x80,
    do: {[io, tag, n], size + tag_size + 1}

  def put_int64({io, size}, tag, tag_size, n) do
    bytes = int64(n)
    {[io, tag | bytes], size + tag_size + byte_size(bytes)}
  end

  @spec put_uint64(done(), byte() | binary(), pos_integer(), non_neg_integer()) :: done()
  def put_uint64({io, size}, tag, tag_size, n) when is_integer(n) and n >= 0 and n < 0x80,
    do: {[io, tag, n], size + tag_size + 1}

  def put_uint64({io, size}, tag, tag_size, n) do
    bytes = uint64(n)
    {[io, tag | bytes], size + tag_size + byte_size(bytes)}
  end

  @spec put_bool(done(), byte() | binary(), pos_integer(), boolean()) :: done()
  def put_bool({io, size}, tag, tag_size, value),
    do: {[io, tag | bool(value)], size + tag_size + 1}

  @spec put_double(done(), byte() | binary(), pos_integer(), SynapseBridge.Message.double()) ::
          done()
  def put_double({io, size}, tag, tag_size, x),
    do: {[io, tag | double(x)], size + tag_size + 8}

  @spec put_bytes(done(), byte() | binary(), pos_integer(), binary()) :: done()
  def put_bytes({io, size}, tag, tag_size, bytes) when byte_size(bytes) < 0x80 do
    length = byte_size(bytes)
    {[io, tag, length | bytes], size + tag_size + 1 + length}
  end

  def put_bytes(done, tag, tag_size, bytes) when is_binary(bytes),
    do: put_long(done, tag, tag_size, bytes, byte_size(bytes))

  # What it is may be a secret.
  def put_bytes(_, _, _, _), do: raise(ArgumentError, "cannot encode a value that is no binary")

  @doc "A message, which is encoded."
  @spec put_nested(done(), byte() | binary(), pos_integer(), done()) :: done()
  def put_nested({io, size}, tag, tag_size, {bytes, length}) when length < 0x80,
    do: {[io, tag, length | bytes], size + tag_size + 1 + length}

  def put_nested(done, tag, tag_size, {bytes, length}),
    do: put_long(done, tag, tag_size, bytes, length)

  @doc "A packed list, unless it is empty."
  @spec put_packed(done(), byte() | binary(), pos_integer(), binary()) :: done()
  def put_packed(done, _, _, <<>>), do: done
  def put_packed(done, tag, tag_size, packed), do: put_bytes(done, tag, tag_size, packed)

  @doc "Strings or bytes, one field after the other."
  @spec put_each_bytes(done(), byte() | binary(), pos_integer(), [binary()]) :: done()
  def put_each_bytes(done, tag, tag_size, [bytes | rest]),
    do: done |> put_bytes(tag, tag_size, bytes) |> put_each_bytes(tag, tag_size, rest)

  def put_each_bytes(done, _, _, []), do: done

  @doc "Messages, one field after the other."
  @spec put_each(done(), byte() | binary(), pos_integer(), [term()], (term() -> done())) :: done()
  def put_each({io, size}, tag, tag_size, items, encode),
    do: each(items, encode, tag, tag_size, io, size)

  defp each([item | rest], encode, tag, tag_size, io, size) do
    case encode.(item) do
      {bytes, length} when length < 0x80 ->
        each(rest, encode, tag, tag_size, [io, tag, length | bytes], size + tag_size + 1 + length)

      {bytes, length} ->
        {io, size} = put_long({io, size}, tag, tag_size, bytes, length)
        each(rest, encode, tag, tag_size, io, size)
    end
  end

  defp each([], _, _, _, io, size), do: {io, size}

  defp put_long({io, size}, tag, tag_size, bytes, length) do
    prefix = varint(length)
    {[io, tag, prefix | bytes], size + tag_size + byte_size(prefix) + length}
  end

  # Packed lists: the values one after the other. Appending to one binary is what the BEAM does
  # fastest; four at a time spares three of four appends.

  @spec doubles([SynapseBridge.Message.double() | integer()], binary()) :: binary()
  def doubles([a, b, c, d | rest], acc)
      when is_float(a) and is_float(b) and is_float(c) and is_float(d) do
    packed = <<acc::binary, a::float-little, b::float-little, c::float-little, d::float-little>>

    doubles(rest, packed)
  end

  def doubles([x | rest], acc), do: doubles(rest, <<acc::binary, double(x)::binary>>)
  def doubles([], acc), do: acc

  @spec int64s([integer()], binary()) :: binary()
  def int64s([n | rest], acc) when is_integer(n) and n >= 0 and n < 0x80,
    do: int64s(rest, <<acc::binary, n>>)

  def int64s([n | rest], acc), do: int64s(rest, <<acc::binary, int64(n)::binary>>)
  def int64s([], acc), do: acc

  @spec uint64s([non_neg_integer()], binary()) :: binary()
  def uint64s([n | rest], acc), do: uint64s(rest, <<acc::binary, uint64(n)::binary>>)
  def uint64s([], acc), do: acc

  @spec bools([boolean()], binary()) :: binary()
  def bools([b | rest], acc), do: bools(rest, <<acc::binary, bool(b)::binary>>)
  def bools([], acc), do: acc

  @spec enums([term()], module(), binary()) :: binary()
  def enums([value | rest], enum, acc),
    do: enums(rest, enum, <<acc::binary, int64(enum.to_number(value))::binary>>)

  def enums([], _enum, acc), do: acc

  defp refuse(expected, got) do
    raise ArgumentError,
          "cannot encode #{inspect(got)}: expected #{expected}. Build the struct with new/1, " <>
            "which checks every field and says where a wrong value is"
  end
end
