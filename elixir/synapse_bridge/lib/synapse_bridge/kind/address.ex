defmodule SynapseBridge.Kind.Address do
  @moduledoc false
  # Internet addresses, interfaces and networks as strings, in the syntax of Python's `ipaddress`
  # (https://docs.python.org/3/library/ipaddress.html). The text stays as it is written.

  import Bitwise

  alias SynapseBridge.Cast
  alias SynapseBridge.Codec.Read

  @rules %{
    ipv4: :ip_v4_address,
    ipv6: :ip_v6_address,
    ip: :ip_any_address,
    ipv4_interface: :ip_v4_interface,
    ipv6_interface: :ip_v6_interface,
    ip_interface: :ip_any_interface,
    ipv4_network: :ip_v4_network,
    ipv6_network: :ip_v6_network,
    ip_network: :ip_any_network
  }

  def value(kind, value, path, _) do
    if is_binary(value) and Read.utf8?(value) and valid?(kind, value),
      do: value,
      else: Cast.invalid(path, Map.fetch!(@rules, kind))
  end

  defp valid?(:ip, text), do: v4(text) != nil or v6(text) != nil
  defp valid?(:ipv4, text), do: v4(text) != nil
  defp valid?(:ipv6, text), do: v6(text) != nil

  defp valid?(:ip_interface, text),
    do: valid?(:ipv4_interface, text) or valid?(:ipv6_interface, text)

  defp valid?(:ip_network, text), do: valid?(:ipv4_network, text) or valid?(:ipv6_network, text)
  defp valid?(:ipv4_interface, text), do: with_mask(text, &v4/1, &v4_prefix/1) != nil
  defp valid?(:ipv6_interface, text), do: with_mask(text, &v6/1, &prefix(&1, 128)) != nil
  defp valid?(:ipv4_network, text), do: text |> with_mask(&v4/1, &v4_prefix/1) |> network?(32)

  defp valid?(:ipv6_network, text),
    do: text |> with_mask(&v6/1, &prefix(&1, 128)) |> network?(128)

  defp with_mask(text, address, prefix) do
    case :binary.split(text, "/") do
      [one] -> both(address.(one), :all)
      [one, mask] -> both(address.(one), prefix.(mask))
    end
  end

  defp both(nil, _), do: nil
  defp both(_, nil), do: nil
  defp both(address, prefix), do: {address, prefix}

  # No bit of a network's address is behind its prefix.
  defp network?(nil, _), do: false
  defp network?({_, :all}, _), do: true
  defp network?({address, prefix}, bits), do: (address &&& (1 <<< (bits - prefix)) - 1) == 0

  defp prefix(text, most) do
    with number when number != nil <- decimal(text, byte_size(text)),
         true <- number <= most do
      number
    else
      _ -> nil
    end
  end

  # A length, a mask of the network, or one of the hosts.
  defp v4_prefix(text) do
    with nil <- prefix(text, 32), mask when mask != nil <- v4(text) do
      ones(mask) || ones(bxor(mask, 0xFFFF_FFFF))
    end
  end

  defp ones(mask), do: Enum.find(0..32, &(mask == (0xFFFF_FFFF <<< (32 - &1) &&& 0xFFFF_FFFF)))

  # Addresses as integers.

  defp v4(text) do
    case :binary.split(text, ".", [:global]) do
      [_, _, _, _] = octets -> octets |> Enum.map(&octet/1) |> number(8)
      _ -> nil
    end
  end

  # No zero in front: some systems would read an octal number.
  defp octet("0"), do: 0
  defp octet(<<?0, _::binary>>), do: nil

  defp octet(text) do
    case decimal(text, 3) do
      number when number <= 255 -> number
      _ -> nil
    end
  end

  defp v6(text) do
    case :binary.split(text, "%", [:global]) do
      [address] -> groups(address)
      [address, zone] when zone != "" -> groups(address)
      _ -> nil
    end
  end

  defp groups(address) do
    case :binary.split(address, "::", [:global]) do
      [all] -> all |> side(&last_group/1) |> eight()
      [left, right] -> between(side(left, &[group(&1)]), side(right, &last_group/1))
      _ -> nil
    end
  end

  defp eight(groups), do: if(length(groups) == 8, do: number(groups, 16))

  # `::` stands for at least one group.
  defp between(left, right) do
    case 8 - length(left) - length(right) do
      missing when missing >= 1 -> eight(left ++ List.duplicate(0, missing) ++ right)
      _ -> nil
    end
  end

  defp side("", _), do: []

  # A text that is no group is `nil`, which `number/2` finds.
  defp side(text, last_group) do
    {last, groups} = text |> :binary.split(":", [:global]) |> List.pop_at(-1)
    Enum.map(groups, &group/1) ++ last_group.(last)
  end

  # The last 32 bits may be written as an IPv4 address.
  defp last_group(text) do
    cond do
      not String.contains?(text, ".") -> [group(text)]
      v4 = v4(text) -> [v4 >>> 16, v4 &&& 0xFFFF]
      true -> [nil]
    end
  end

  defp group(text) when byte_size(text) in 1..4, do: digits(text, 16, 0)
  defp group(_), do: nil

  defp decimal(text, longest) when byte_size(text) >= 1 and byte_size(text) <= longest,
    do: digits(text, 10, 0)

  defp decimal(_, _), do: nil

  defp digits(<<c, rest::binary>>, base, n) when c in ?0..?9,
    do: digits(rest, base, n * base + c - ?0)

  defp digits(<<c, rest::binary>>, 16, n) when c in ?a..?f,
    do: digits(rest, 16, n * 16 + c - ?a + 10)

  defp digits(<<c, rest::binary>>, 16, n) when c in ?A..?F,
    do: digits(rest, 16, n * 16 + c - ?A + 10)

  defp digits(<<>>, _, n), do: n
  defp digits(_, _, _), do: nil

  defp number(parts, bits) do
    if nil in parts, do: nil, else: Enum.reduce(parts, 0, &(&2 <<< bits ||| &1))
  end
end
