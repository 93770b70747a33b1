# The same messages with a codec that is written for each of them: a function clause for each tag,
# values in arguments, nothing checked, strings not even for being UTF-8, and whatever is wrong
# with the bytes raises. It is what a generic codec can be measured against.

defmodule ByHand.Wire do
  import Bitwise

  @compile {:inline, varint: 1}

  def varint(n) when n < 0x80 and n >= 0, do: <<n>>
  def varint(n) when n < 0x4000 and n >= 0, do: <<1::1, n::7, n >>> 7>>
  def varint(n) when n >= 0, do: long(n)
  def varint(n), do: long(n + 0x1_0000_0000_0000_0000)

  defp long(n) when n < 0x80, do: <<n>>
  defp long(n), do: <<1::1, n::7, long(n >>> 7)::binary>>

  def double(x) when is_float(x), do: <<x::float-little>>
  def double(:nan), do: <<0::48, 0xF8, 0x7F>>
  def double(:infinity), do: <<0::48, 0xF0, 0x7F>>
  def double(:negative_infinity), do: <<0::48, 0xF0, 0xFF>>

  def special(<<0::48, 0xF0, 0x7F>>), do: :infinity
  def special(<<0::48, 0xF0, 0xFF>>), do: :negative_infinity
  def special(_), do: :nan

  def number(<<0::1, a::7, rest::bits>>), do: {a, rest}
  def number(<<1::1, a::7, 0::1, b::7, rest::bits>>), do: {b <<< 7 ||| a, rest}

  def number(<<1::1, a::7, 1::1, b::7, 0::1, c::7, rest::bits>>),
    do: {c <<< 14 ||| b <<< 7 ||| a, rest}

  def number(<<1::1, a::7, 1::1, b::7, 1::1, c::7, rest::bits>>),
    do: number(rest, 21, c <<< 14 ||| b <<< 7 ||| a)

  defp number(<<0::1, a::7, rest::bits>>, shift, n), do: {a <<< shift ||| n, rest}

  defp number(<<1::1, a::7, rest::bits>>, shift, n) when shift < 63,
    do: number(rest, shift + 7, a <<< shift ||| n)

  def bytes(<<0::1, n::7, bytes::binary-size(n), rest::bits>>), do: {bytes, rest}

  def bytes(binary) do
    {n, rest} = number(binary)
    <<bytes::binary-size(n), rest::bits>> = rest
    {bytes, rest}
  end

  def signed(n) when n < 0x8000_0000_0000_0000, do: n
  def signed(n), do: n - 0x1_0000_0000_0000_0000
end

defmodule ByHand.Owner do
  import ByHand.Wire
  alias Codec.Owner

  # With its size, so that the length in front of it needs no second walk.
  def encode(%Owner{id: id, name: name, score: score}) do
    id = varint(id)
    length = byte_size(name)
    prefix = varint(length)

    {[8, id, 18, prefix, name, 25 | double(score)],
     11 + byte_size(id) + byte_size(prefix) + length}
  end

  def decode(binary), do: owner(binary, nil, nil, nil)

  defp owner(<<8, 0::1, n::7, rest::bits>>, _, name, score), do: owner(rest, n, name, score)

  defp owner(<<8, rest::bits>>, _, name, score) do
    {n, rest} = number(rest)
    owner(rest, signed(n), name, score)
  end

  defp owner(<<18, 0::1, n::7, name::binary-size(n), rest::bits>>, id, _, score),
    do: owner(rest, id, name, score)

  defp owner(<<18, rest::bits>>, id, _, score) do
    {name, rest} = bytes(rest)
    owner(rest, id, name, score)
  end

  defp owner(<<25, x::float-little, rest::bits>>, id, name, _), do: owner(rest, id, name, x)

  defp owner(<<25, raw::binary-size(8), rest::bits>>, id, name, _),
    do: owner(rest, id, name, special(raw))

  defp owner(<<>>, id, name, score), do: %Owner{id: id, name: name, score: score}
end

defmodule ByHand.Account do
  import ByHand.Wire
  alias Codec.Account

  def encode(%Account{} = account) do
    %{id: id, name: name, email: email, age: age, score: score, active: active} = account
    %{tags: tags, payload: payload, delta: delta, owner: owner} = account

    [
      [8 | varint(id)],
      [18, varint(byte_size(name)) | name],
      [26, varint(byte_size(email)) | email],
      [32 | varint(age)],
      [41 | double(score)],
      if(active, do: <<48, 1>>, else: <<48, 0>>),
      tags(tags),
      [66, varint(byte_size(payload)) | payload],
      [72 | varint(delta)],
      case owner do
        nil ->
          []

        owner ->
          {bytes, size} = ByHand.Owner.encode(owner)
          [82, varint(size) | bytes]
      end
    ]
  end

  defp tags([tag | rest]), do: [[58, varint(byte_size(tag)) | tag] | tags(rest)]
  defp tags([]), do: []

  def decode(binary), do: account(binary, nil, nil, nil, nil, nil, nil, [], nil, nil, nil)

  defp account(<<8, 0::1, v::7, r::bits>>, _, b, c, d, e, f, g, h, i, j),
    do: account(r, v, b, c, d, e, f, g, h, i, j)

  defp account(<<8, r::bits>>, _, b, c, d, e, f, g, h, i, j) do
    {v, r} = number(r)
    account(r, signed(v), b, c, d, e, f, g, h, i, j)
  end

  defp account(<<18, 0::1, n::7, v::binary-size(n), r::bits>>, a, _, c, d, e, f, g, h, i, j),
    do: account(r, a, v, c, d, e, f, g, h, i, j)

  defp account(<<18, r::bits>>, a, _, c, d, e, f, g, h, i, j) do
    {v, r} = bytes(r)
    account(r, a, v, c, d, e, f, g, h, i, j)
  end

  defp account(<<26, 0::1, n::7, v::binary-size(n), r::bits>>, a, b, _, d, e, f, g, h, i, j),
    do: account(r, a, b, v, d, e, f, g, h, i, j)

  defp account(<<26, r::bits>>, a, b, _, d, e, f, g, h, i, j) do
    {v, r} = bytes(r)
    account(r, a, b, v, d, e, f, g, h, i, j)
  end

  defp account(<<32, 0::1, v::7, r::bits>>, a, b, c, _, e, f, g, h, i, j),
    do: account(r, a, b, c, v, e, f, g, h, i, j)

  defp account(<<32, r::bits>>, a, b, c, _, e, f, g, h, i, j) do
    {v, r} = number(r)
    account(r, a, b, c, signed(v), e, f, g, h, i, j)
  end

  defp account(<<41, v::float-little, r::bits>>, a, b, c, d, _, f, g, h, i, j),
    do: account(r, a, b, c, d, v, f, g, h, i, j)

  defp account(<<41, v::binary-size(8), r::bits>>, a, b, c, d, _, f, g, h, i, j),
    do: account(r, a, b, c, d, special(v), f, g, h, i, j)

  defp account(<<48, v, r::bits>>, a, b, c, d, e, _, g, h, i, j) when v < 0x80,
    do: account(r, a, b, c, d, e, v != 0, g, h, i, j)

  defp account(<<58, 0::1, n::7, v::binary-size(n), r::bits>>, a, b, c, d, e, f, g, h, i, j),
    do: account(r, a, b, c, d, e, f, [v | g], h, i, j)

  defp account(<<58, r::bits>>, a, b, c, d, e, f, g, h, i, j) do
    {v, r} = bytes(r)
    account(r, a, b, c, d, e, f, [v | g], h, i, j)
  end

  defp account(<<66, r::bits>>, a, b, c, d, e, f, g, _, i, j) do
    {v, r} = bytes(r)
    account(r, a, b, c, d, e, f, g, v, i, j)
  end

  defp account(<<72, r::bits>>, a, b, c, d, e, f, g, h, _, j) do
    {v, r} = number(r)
    account(r, a, b, c, d, e, f, g, h, signed(v), j)
  end

  defp account(<<82, r::bits>>, a, b, c, d, e, f, g, h, i, _) do
    {v, r} = bytes(r)
    account(r, a, b, c, d, e, f, g, h, i, ByHand.Owner.decode(v))
  end

  defp account(<<>>, a, b, c, d, e, f, g, h, i, j) do
    %Account{
      id: a,
      name: b,
      email: c,
      age: d,
      score: e,
      active: f,
      tags: :lists.reverse(g),
      payload: h,
      delta: i,
      owner: j
    }
  end
end

defmodule ByHand.Embedding do
  import ByHand.Wire
  alias Codec.Embedding

  def encode(%Embedding{values: values}) do
    bytes = pack(values, <<>>)
    [10, varint(byte_size(bytes)) | bytes]
  end

  defp pack([a, b, c, d | rest], acc)
       when is_float(a) and is_float(b) and is_float(c) and is_float(d) do
    pack(
      rest,
      <<acc::binary, a::float-little, b::float-little, c::float-little, d::float-little>>
    )
  end

  defp pack([x | rest], acc), do: pack(rest, <<acc::binary, double(x)::binary>>)
  defp pack([], acc), do: acc

  def decode(<<10, rest::bits>>) do
    {packed, ""} = bytes(rest)
    %Embedding{values: unpack(packed)}
  end

  defp unpack(<<a::float-little, b::float-little, c::float-little, d::float-little, rest::bits>>),
    do: [a, b, c, d | unpack(rest)]

  defp unpack(<<x::float-little, rest::bits>>), do: [x | unpack(rest)]
  defp unpack(<<raw::binary-size(8), rest::bits>>), do: [special(raw) | unpack(rest)]
  defp unpack(<<>>), do: []
end

defmodule ByHand.Owners do
  import ByHand.Wire
  alias Codec.Owners

  def encode(%Owners{owners: owners}), do: items(owners)

  defp items([owner | rest]) do
    {bytes, size} = ByHand.Owner.encode(owner)
    [[10, varint(size) | bytes] | items(rest)]
  end

  defp items([]), do: []

  def decode(binary), do: owners(binary, [])

  defp owners(<<10, 0::1, n::7, bytes::binary-size(n), rest::bits>>, acc),
    do: owners(rest, [ByHand.Owner.decode(bytes) | acc])

  defp owners(<<10, rest::bits>>, acc) do
    {bytes, rest} = bytes(rest)
    owners(rest, [ByHand.Owner.decode(bytes) | acc])
  end

  defp owners(<<>>, acc), do: %Owners{owners: :lists.reverse(acc)}
end

defmodule ByHand.Wide do
  # Nobody would write 200 clauses; they are what somebody would write for each field.
  import ByHand.Wire
  alias Codec.Wide

  @fields for n <- 1..200, do: {n, :"field_#{n}", rem(n, 4)}

  def encode(%Wide{} = wide) do
    [
      unquote_splicing(
        for {n, name, kind} <- @fields do
          value = quote(do: :erlang.map_get(unquote(name), var!(wide)))

          case kind do
            0 -> quote(do: double(unquote(n), unquote(value)))
            1 -> quote(do: [unquote(ByHand.Wire.varint(n * 8)) | varint(unquote(value))])
            2 -> quote(do: string(unquote(ByHand.Wire.varint(n * 8 + 2)), unquote(value)))
            3 -> quote(do: bool(unquote(ByHand.Wire.varint(n * 8)), unquote(value)))
          end
        end
      )
    ]
  end

  defp string(tag, text), do: [tag, varint(byte_size(text)) | text]
  defp bool(_, nil), do: []
  defp bool(tag, true), do: [tag | <<1>>]
  defp bool(tag, false), do: [tag | <<0>>]
  defp double(_, nil), do: []
  defp double(n, x), do: [varint(n * 8 + 1) | double(x)]

  def decode(binary),
    do: wide(binary, %Wide{unquote_splicing(for {_, name, _} <- @fields, do: {name, nil})})

  for {n, name, kind} <- @fields do
    tag = ByHand.Wire.varint(n * 8 + Enum.at([1, 0, 2, 0], kind)) |> :binary.bin_to_list()

    case kind do
      0 ->
        defp wide(<<unquote_splicing(tag), x::float-little, rest::bits>>, wide),
          do: wide(rest, %{wide | unquote(name) => x})

      1 ->
        defp wide(<<unquote_splicing(tag), 0::1, v::7, rest::bits>>, wide),
          do: wide(rest, %{wide | unquote(name) => v})

        defp wide(<<unquote_splicing(tag), rest::bits>>, wide) do
          {v, rest} = number(rest)
          wide(rest, %{wide | unquote(name) => signed(v)})
        end

      2 ->
        defp wide(<<unquote_splicing(tag), 0::1, n::7, v::binary-size(n), rest::bits>>, wide),
          do: wide(rest, %{wide | unquote(name) => v})

        defp wide(<<unquote_splicing(tag), rest::bits>>, wide) do
          {v, rest} = bytes(rest)
          wide(rest, %{wide | unquote(name) => v})
        end

      3 ->
        defp wide(<<unquote_splicing(tag), v, rest::bits>>, wide) when v < 0x80,
          do: wide(rest, %{wide | unquote(name) => v != 0})
    end
  end

  defp wide(<<>>, wide), do: wide
end
