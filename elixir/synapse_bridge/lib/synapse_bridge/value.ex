defmodule SynapseBridge.Value do
  @moduledoc false
  # Any value: what Python annotates as `Any`, `object` or `JsonValue`. On the wire it is the message
  # `synapse_bridge.v1.Value`, which keeps integers of every size, floats, text and bytes apart:
  #
  #     message Value {
  #       oneof kind {
  #         bool null_value = 1;  bool bool_value = 2;  int64 int64_value = 3;
  #         string bigint_value = 4;  double double_value = 5;  string string_value = 6;
  #         bytes bytes_value = 7;  ListValue list_value = 8;  ObjectValue object_value = 9;
  #       }
  #     }
  #     message ListValue { repeated Value items = 1; }
  #     message ObjectValue { map<string, Value> entries = 1; }
  #
  # `depth` counts messages: a list is one more inside a value, an object one, and each entry another.

  alias SynapseBridge.{Bytes, Cast}
  alias SynapseBridge.Codec.{Read, Write}
  alias SynapseBridge.Kind.BigInteger

  @max_depth Cast.max_depth()
  @min_int64 -0x8000_0000_0000_0000
  @max_int64 0x7FFF_FFFF_FFFF_FFFF

  # Checks.

  def value(:any, value, path, depth), do: cast(value, path, depth + 1)

  defp cast(_, path, depth) when depth > @max_depth, do: Cast.invalid(path, :too_deep)
  defp cast(value, _, _) when is_boolean(value) or is_number(value) or is_nil(value), do: value
  defp cast(value, _, _) when value in [:nan, :infinity, :negative_infinity], do: value

  defp cast(value, path, _) when is_binary(value),
    do: if(Read.utf8?(value), do: value, else: Cast.invalid(path, :any_unicode))

  defp cast(%Bytes{data: data} = value, _, _) when is_binary(data), do: value

  defp cast(list, path, depth) when length(list) >= 0 do
    if depth + 1 > @max_depth,
      do: Cast.invalid(path, :too_deep),
      else: items(list, 0, path, depth + 2)
  end

  defp cast(map, path, depth) when is_map(map) and not is_struct(map) do
    cond do
      depth + 1 > @max_depth ->
        Cast.invalid(path, :too_deep)

      map == %{} ->
        map

      true ->
        case entries(:maps.to_list(map), path, depth + 3) do
          {:"$invalid", _} = invalid -> invalid
          entries -> :maps.from_list(entries)
        end
    end
  end

  defp cast(_, path, _), do: Cast.invalid(path, :any_type)

  defp items([item | rest], index, path, depth),
    do: Cast.both(cast(item, [index | path], depth), items(rest, index + 1, path, depth))

  defp items([], _, _, _), do: []

  defp entries([{key, value} | rest], path, depth) do
    here = [Cast.key_step(key) | path]
    Cast.both(entry(key, cast(value, here, depth), here), entries(rest, path, depth))
  end

  defp entries([], _, _), do: []

  defp entry(_, {:"$invalid", _} = invalid, _), do: invalid

  defp entry(key, value, path) when is_binary(key),
    do: if(Read.utf8?(key), do: {key, value}, else: Cast.invalid(path, :string_unicode))

  defp entry(_, _, path), do: Cast.invalid(path, :any_key)

  # To bytes. As everywhere: iodata and its size.

  def __encode__(nil), do: {[8, 1], 2}
  def __encode__(true), do: {[16, 1], 2}
  def __encode__(false), do: {[16, 0], 2}

  def __encode__(n) when is_integer(n) and n >= @min_int64 and n <= @max_int64 do
    bytes = Write.int64(n)
    {[24 | bytes], 1 + byte_size(bytes)}
  end

  def __encode__(n) when is_integer(n), do: field(34, Integer.to_string(n))
  def __encode__(x) when is_float(x), do: {[41 | Write.double(x)], 9}
  def __encode__(text) when is_binary(text), do: field(50, text)
  def __encode__(%Bytes{data: data}), do: field(58, data)

  def __encode__(x) when x in [:nan, :infinity, :negative_infinity],
    do: {[41 | Write.double(x)], 9}

  def __encode__(list) when is_list(list) do
    {items, size} = encode_items(list, [], 0)
    field(66, items, size)
  end

  def __encode__(map) when is_map(map) and not is_struct(map) do
    {entries, size} = map |> :maps.to_list() |> encode_entries([], 0)
    field(74, entries, size)
  end

  def __encode__(_), do: raise(ArgumentError, "cannot encode a value that Value has no kind for")

  defp encode_items([item | rest], io, size) do
    {bytes, length} = __encode__(item)
    {bytes, length} = field(10, bytes, length)
    encode_items(rest, [io | bytes], size + length)
  end

  defp encode_items([], io, size), do: {io, size}

  defp encode_entries([{key, value} | rest], io, size) do
    {value, value_size} = __encode__(value)
    {value, value_size} = field(18, value, value_size)
    {key, key_size} = field(10, key)
    {bytes, length} = field(10, [key | value], key_size + value_size)
    encode_entries(rest, [io | bytes], size + length)
  end

  defp encode_entries([], io, size), do: {io, size}

  defp field(tag, binary), do: field(tag, binary, byte_size(binary))

  defp field(tag, bytes, length) when length < 0x80, do: {[tag, length | bytes], length + 2}

  defp field(tag, bytes, length) do
    prefix = Write.varint(length)
    {[tag, prefix | bytes], length + 1 + byte_size(prefix)}
  end

  # From bytes. Of several kinds the last one counts; lists and objects that come in parts are
  # joined, as protobuf has it, by putting their bytes behind one another.

  @known for number <- 1..9, do: {number, []}

  def __decode__(_, depth) when depth < 0, do: {:"$error", [], :too_deep}
  def __decode__(binary, depth), do: kind(binary, nil, depth)

  # A value alone is a value as a whole, in all but a few cases.
  defp kind(<<50, 0::1, n::7, text::binary-size(n)>>, _, _), do: string(text)
  defp kind(<<24, 0::1, n::7>>, _, _), do: n
  defp kind(<<8, 0::1, _::7>>, _, _), do: nil
  defp kind(<<16, 0::1, n::7>>, _, _), do: n != 0
  defp kind(<<41, x::float-little>>, _, _), do: x
  defp kind(<<>>, found, depth), do: finish(found, depth)
  defp kind(<<8, rest::bits>>, _, depth), do: varint(rest, :null, depth)
  defp kind(<<16, rest::bits>>, _, depth), do: varint(rest, :bool, depth)
  defp kind(<<24, rest::bits>>, _, depth), do: varint(rest, :int64, depth)
  defp kind(<<34, rest::bits>>, _, depth), do: bytes(rest, :bigint, "", depth)

  defp kind(<<41, raw::binary-size(8), rest::bits>>, _, depth),
    do: kind(rest, {:double, raw}, depth)

  defp kind(<<50, rest::bits>>, _, depth), do: bytes(rest, :string, "", depth)
  defp kind(<<58, rest::bits>>, _, depth), do: bytes(rest, :bytes, "", depth)
  defp kind(<<66, rest::bits>>, {:list, part}, depth), do: bytes(rest, :list, part, depth)
  defp kind(<<66, rest::bits>>, _, depth), do: bytes(rest, :list, "", depth)
  defp kind(<<74, rest::bits>>, {:object, part}, depth), do: bytes(rest, :object, part, depth)
  defp kind(<<74, rest::bits>>, _, depth), do: bytes(rest, :object, "", depth)

  defp kind(binary, found, depth) do
    case Read.skip(binary, @known) do
      {:"$error", _, _} = error -> error
      rest -> kind(rest, found, depth)
    end
  end

  defp varint(binary, kind, depth) do
    case Read.varint(binary) do
      {n, rest} -> kind(rest, {kind, n}, depth)
      reason -> {:"$error", [], reason}
    end
  end

  defp bytes(binary, kind, before, depth) do
    case Read.bytes(binary) do
      {bytes, rest} when before == "" -> kind(rest, {kind, bytes}, depth)
      {bytes, rest} -> kind(rest, {kind, before <> bytes}, depth)
      reason -> {:"$error", [], reason}
    end
  end

  defp finish({:null, _}, _), do: nil
  defp finish({:bool, n}, _), do: n != 0
  defp finish({:int64, n}, _), do: Read.signed(n)
  defp finish({:double, <<x::float-little>>}, _), do: x
  defp finish({:double, raw}, _), do: Read.special(raw)
  defp finish({:string, text}, _), do: string(text)
  defp finish({:bytes, data}, _), do: %Bytes{data: data}
  defp finish({:list, _}, 0), do: {:"$error", [], :too_deep}
  defp finish({:list, bytes}, depth), do: decode_items(bytes, [], depth - 2)
  defp finish({:object, _}, 0), do: {:"$error", [], :too_deep}
  defp finish({:object, bytes}, depth), do: decode_entries(bytes, %{}, depth - 2)

  defp finish({:bigint, digits}, _) do
    case BigInteger.from_wire(:bigint, digits) do
      {:ok, n} -> n
      {:error, reason} -> {:"$error", [], reason}
    end
  end

  defp finish(nil, _), do: {:"$error", [], :any_kind}

  defp string(text), do: if(Read.utf8?(text), do: text, else: {:"$error", [], :string_unicode})

  defp decode_items(<<>>, items, _), do: :lists.reverse(items)

  defp decode_items(<<10, rest::bits>>, items, depth) do
    case Read.bytes(rest) do
      {bytes, rest} ->
        case __decode__(bytes, depth) do
          {:"$error", path, reason} -> {:"$error", [length(items) | path], reason}
          item -> decode_items(rest, [item | items], depth)
        end

      reason ->
        {:"$error", [length(items)], reason}
    end
  end

  defp decode_items(binary, items, depth) do
    case Read.skip(binary, [{1, []}]) do
      {:"$error", _, _} = error -> error
      rest -> decode_items(rest, items, depth)
    end
  end

  defp decode_entries(<<>>, map, _), do: map
  defp decode_entries(_, _, depth) when depth < 0, do: {:"$error", [], :too_deep}

  defp decode_entries(<<10, rest::bits>>, map, depth) do
    case Read.bytes(rest) do
      {bytes, rest} ->
        case decode_entry(bytes, "", "", depth - 1) do
          {:"$error", _, _} = error -> error
          {key, _} when is_map_key(map, key) -> {:"$error", [{:key, key}], :duplicate_key}
          {key, value} -> decode_entries(rest, Map.put(map, key, value), depth)
        end

      reason ->
        {:"$error", [], reason}
    end
  end

  defp decode_entries(binary, map, depth) do
    case Read.skip(binary, [{1, []}]) do
      {:"$error", _, _} = error -> error
      rest -> decode_entries(rest, map, depth)
    end
  end

  defp decode_entry(<<>>, key, value, depth) do
    if Read.utf8?(key) do
      case __decode__(value, depth) do
        {:"$error", path, reason} -> {:"$error", [{:key, key} | path], reason}
        value -> {key, value}
      end
    else
      {:"$error", [{:key, key}], :string_unicode}
    end
  end

  defp decode_entry(<<10, rest::bits>>, key, value, depth) do
    case Read.bytes(rest) do
      {key, rest} -> decode_entry(rest, key, value, depth)
      reason -> {:"$error", [{:key, key}], reason}
    end
  end

  defp decode_entry(<<18, rest::bits>>, key, value, depth) do
    case Read.bytes(rest) do
      {bytes, rest} -> decode_entry(rest, key, value <> bytes, depth)
      reason -> {:"$error", [{:key, key}], reason}
    end
  end

  defp decode_entry(binary, key, value, depth) do
    case Read.skip(binary, [{1, []}, {2, [{:key, key}]}]) do
      {:"$error", _, _} = error -> error
      rest -> decode_entry(rest, key, value, depth)
    end
  end
end
