defmodule SynapseBridge.RandomValues do
  @moduledoc """
  Values of a message's types at random, edges more often than chance would have it.

  They are valid: Python takes them, and gives back the same.

  They come from the generator of the process. `seed/0` starts it with `SYNAPSE_SEED`, or with a
  number that a test shows when it fails.
  """

  alias SynapseBridge.Message.Field

  @doc "Seeds the generator of this process and says with what."
  @spec seed() :: integer()
  def seed do
    seed =
      case System.get_env("SYNAPSE_SEED") do
        nil -> :erlang.unique_integer([:positive]) + System.os_time(:microsecond)
        text -> String.to_integer(text)
      end

    :rand.seed(:exsss, seed)
    seed
  end

  @doc "A struct of the message (or a map, where it is one), as `new/1` would return it."
  @spec message(module(), non_neg_integer()) :: map()
  def message(module, depth \\ 3) do
    fields = module.__synapse__(:fields)

    if module.__synapse__(:struct) do
      struct!(module, for(field <- fields, do: {field.name, field_value(field, depth)}))
    else
      for field <- fields,
          field.presence == :required or :rand.uniform(2) == 1,
          into: %{},
          do: {field.name, value(field.type, depth)}
    end
  end

  # Of computed fields and of streamed ones there is nothing to send.
  defp field_value(%{role: role} = field, _) when role in [:computed, :streamed],
    do: Field.default(field)

  defp field_value(field, depth) do
    unsent = Field.unsent(field)
    sendable = value(field.type, depth)

    case {unsent, field.presence} do
      {{:ok, unsent}, presence} when presence != :required ->
        # Where absence decodes to another default, it is not the same value again.
        same? = Field.absent(field) == {:ok, unsent}
        if same? and :rand.uniform(4) == 1, do: unsent, else: sendable

      _ ->
        sendable
    end
  end

  @doc "A value of a type in normal form, within its constraints; of patterns, what letters fit."
  @spec value(term(), non_neg_integer()) :: term()
  def value(type, depth)

  def value({:tuple, types}, depth),
    do: types |> Enum.map(&value(&1, depth - 1)) |> List.to_tuple()

  def value({kind, [_ | _] = limits}, _) when kind in [:int64, :uint64, :bigint] do
    step = Keyword.get(limits, :multiple_of, 1)
    low = Enum.max([-1000 | for({name, least} <- limits, name in [:ge, :gt], do: least)])
    high = Enum.min([low + 2000 | for({name, most} <- limits, name in [:le, :lt], do: most)])
    # The ends of the range are no values of `gt` and `lt`.
    low = low + if(limits[:gt], do: 1, else: 0)
    high = high - if(limits[:lt], do: 1, else: 0)
    steps = Enum.to_list(-Integer.floor_div(-low, step)..Integer.floor_div(high, step)//1)
    step * pick(steps)
  end

  def value({:double, [_ | _] = limits}, _) do
    low = Enum.max([-1.0e6 | for({name, least} <- limits, name in [:ge, :gt], do: least)])
    high = Enum.min([1.0e6 | for({name, most} <- limits, name in [:le, :lt], do: most)])
    low + (high - low) * :rand.uniform()
  end

  def value({kind, [_ | _] = limits}, _) when kind in [:string, :secret_string],
    do: for(_ <- 1..long(limits, size())//1, into: "", do: <<pick(Enum.to_list(?a..?z))>>)

  def value({kind, [_ | _] = limits}, _) when kind in [:bytes, :secret_bytes],
    do: :rand.bytes(long(limits, size()))

  def value({kind, limits}, depth) when is_list(limits), do: value(kind, depth)
  def value(:bool, _), do: :rand.uniform(2) == 1
  def value(:int64, _), do: integer(-Integer.pow(2, 63), Integer.pow(2, 63) - 1)
  def value(:uint64, _), do: integer(0, Integer.pow(2, 64) - 1)
  def value(:string, _), do: for(_ <- 1..size()//1, into: "", do: <<code_point()::utf8>>)
  def value(:bytes, _), do: :rand.bytes(size())

  def value(:double, _) do
    case :rand.uniform(8) do
      1 -> pick([:nan, :infinity, :negative_infinity])
      2 -> pick([0.0, -0.0, 5.0e-324, 1.7976931348623157e308])
      _ -> (:rand.uniform() - 0.5) * :math.pow(10, :rand.uniform(40) - 20)
    end
  end

  def value(:bigint, depth) do
    case :rand.uniform(3) do
      1 -> value(:int64, depth)
      2 -> value(:int64, depth) * value(:int64, depth) * value(:int64, depth)
      3 -> :rand.bytes(60) |> :binary.decode_unsigned()
    end
  end

  def value(:datetime, _), do: DateTime.from_gregorian_seconds(second(), microsecond())
  def value(:naive_datetime, _), do: NaiveDateTime.from_gregorian_seconds(second(), microsecond())

  def value(:date, depth),
    do: depth |> then(&value(:naive_datetime, &1)) |> NaiveDateTime.to_date()

  def value(:time, depth),
    do: depth |> then(&value(:naive_datetime, &1)) |> NaiveDateTime.to_time()

  def value(:timedelta, _),
    do: integer(-315_576_000_000_000_000, 315_576_000_000_000_000)

  # As Python writes it: one digit before an exponent.
  def value(:decimal, _) do
    number = :rand.uniform(1000)
    digit = rem(number, 9) + 1
    pick(["", "-"]) <> pick(["#{number}", "#{number}.50", "#{digit}E+9", "#{digit}E-400"])
  end

  def value(:uuid, _) do
    <<a::binary-size(8), b::binary-size(4), c::binary-size(4), d::binary-size(4), e::binary>> =
      Base.encode16(:rand.bytes(16), case: :lower)

    Enum.join([a, b, c, d, e], "-")
  end

  def value(kind, _) when kind in [:ip, :ipv4], do: Enum.map_join(1..4, ".", fn _ -> byte() end)
  # As Python writes it: zeros shortened.
  def value(:ipv6, _), do: "fe80::#{1 + byte()}:#{1 + byte()}"
  def value(:ip_interface, depth), do: value(:ipv6_interface, depth)
  def value(:ip_network, depth), do: value(:ipv4_network, depth)
  def value(:ipv4_interface, depth), do: value(:ipv4, depth) <> "/#{:rand.uniform(33) - 1}"
  def value(:ipv6_interface, depth), do: value(:ipv6, depth) <> "/#{:rand.uniform(129) - 1}"
  def value(:ipv4_network, _), do: "10.#{byte()}.0.0/#{15 + :rand.uniform(17)}"
  def value(:ipv6_network, _), do: "fe80::/#{15 + :rand.uniform(80)}"
  def value(:url, _), do: "https://example.org/#{byte()}"
  def value(:email, depth), do: "#{byte()}@#{value(:ipv4, depth)}.example.org"
  def value(:secret_string, depth), do: value(:string, depth)
  def value(kind, _) when kind in [:path, :regex], do: "a/#{byte()}é"
  def value(:secret_bytes, depth), do: value(:bytes, depth)

  def value(:tensor, _) do
    shape = pick([[], [0], [3], [2, 3], [1, 2, 2]])
    {dtype, size} = pick([{"float32", 4}, {"int64", 8}, {"bool", 1}, {"complex128", 16}])
    bytes = Enum.reduce(shape, size, &(&1 * &2))
    data = if dtype == "bool", do: :binary.copy(<<1>>, bytes), else: :rand.bytes(bytes)
    %SynapseBridge.Tensor{dtype: dtype, shape: shape, data: data}
  end

  def value(:any, depth) do
    case :rand.uniform(if(depth > 0, do: 9, else: 7)) do
      1 -> nil
      2 -> value(:bool, depth)
      3 -> value(:int64, depth)
      4 -> value(:bigint, depth)
      5 -> value(:double, depth)
      6 -> value(:string, depth)
      7 -> %SynapseBridge.Bytes{data: value(:bytes, depth)}
      8 -> value({:list, :any, []}, depth)
      9 -> value({:map, :string, :any, []}, depth)
    end
  end

  def value({:enum, enum}, _), do: pick(enum.values())
  def value({:message, module}, depth), do: message(module, depth - 1)
  def value({:wrapped, type}, depth), do: value(type, depth)
  def value({:custom, SynapseBridge.Fixtures.Celsius, _}, _), do: celsius()

  def value({:set, type, limits}, depth),
    do: {:list, type, limits} |> value(depth) |> MapSet.new()

  def value({:union, union}, depth) do
    member = pick(union.__synapse__(:members))
    value = value(member.type, depth - 1)
    if member.bare?, do: value, else: {member.tag, value}
  end

  def value({:nullable, {:union, _}}, depth) when depth <= 0, do: nil

  def value({:nullable, {:message, _}}, depth) when depth <= 0, do: nil

  def value({:nullable, type}, depth),
    do: if(:rand.uniform(3) == 1, do: nil, else: value(type, depth))

  def value({:list, type, limits}, depth),
    do: for(_ <- 1..long(limits, items(depth))//1, do: value(type, depth - 1))

  def value({:map, key, type, limits}, depth) do
    for _ <- 1..long(limits, items(depth))//1,
        into: %{},
        do: {value(key, depth), value(type, depth - 1)}
  end

  # The first and the last second that there is, and the one before 1970.
  defp second do
    pick([
      31_622_400,
      315_569_433_599,
      62_167_219_199,
      31_622_400 + :rand.uniform(315_537_811_199)
    ])
  end

  defp microsecond, do: {pick([0, 1, 999_999, :rand.uniform(1_000_000) - 1]), 6}
  defp byte, do: :rand.uniform(256) - 1

  defp celsius,
    do:
      struct(SynapseBridge.Fixtures.Celsius, degrees: Float.round(:rand.uniform(50_000) / 100, 2))

  defp pick(list), do: Enum.at(list, :rand.uniform(length(list)) - 1)
  defp size, do: pick([0, 1, 2, 5, 10, 127, 128, 300])
  defp items(depth) when depth < 0, do: 0
  defp items(depth), do: pick([0, 1, 2, depth * 3])

  # A length that constraints allow, near to this one.
  defp long(limits, length),
    do: length |> max(limits[:min_length] || 0) |> min(limits[:max_length] || length)

  # Of every length in bits, not of every size: small ones and the ends come often.
  defp integer(min, max) do
    case :rand.uniform(10) do
      1 ->
        min

      2 ->
        max

      _ ->
        (Bitwise.bsl(1, :rand.uniform(64)) - :rand.uniform(200)) |> sign(min) |> between(min, max)
    end
  end

  defp sign(n, 0), do: n
  defp sign(n, _), do: pick([n, -n])
  defp between(n, min, max), do: n |> Kernel.max(min) |> Kernel.min(max)

  # One to four bytes of UTF-8.
  defp code_point,
    do: pick([0, ?a, ?Z, 0x7F, 0x80, ?é, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFD, 0x10FFFF])
end
