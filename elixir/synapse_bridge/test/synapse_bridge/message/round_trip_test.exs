defmodule SynapseBridge.Message.RoundTripTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.Fixtures.{Containers, Everything, Kinds, Wide}
  alias SynapseBridge.RandomValues

  setup do
    %{seed: RandomValues.seed()}
  end

  for module <- [Everything, Wide, Shop.Orders.Quote, Shop.Orders.StockRequest, Kinds, Containers] do
    test "#{inspect(module)}: what is encoded is decoded", %{seed: seed} do
      for _ <- 1..100 do
        message = RandomValues.message(unquote(module))
        bytes = message |> unquote(module).encode() |> IO.iodata_to_binary()
        assert {seed, unquote(module).decode(bytes)} == {seed, {:ok, message}}
      end
    end

    test "#{inspect(module)}: a struct that is right is taken as it is", %{seed: seed} do
      for _ <- 1..50 do
        message = RandomValues.message(unquote(module))
        assert {seed, unquote(module).new(message)} == {seed, {:ok, message}}
      end
    end

    # Which member of a union a map is meant to be is another matter.
    test "#{inspect(module)}: maps and keywords give the same as structs", %{seed: seed} do
      for _ <- 1..50, unquote(module) != Containers do
        message = RandomValues.message(unquote(module))
        expected = {seed, {:ok, message}}

        assert {seed, unquote(module).new(plain(message, &Atom.to_string/1))} == expected
        assert {seed, unquote(module).new(plain(message, & &1))} == expected
        assert {seed, unquote(module).new(Map.to_list(Map.from_struct(message)))} == expected
      end
    end

    test "#{inspect(module)}: broken bytes are refused or read, and never raise", %{seed: seed} do
      for _ <- 1..200 do
        bytes = unquote(module) |> RandomValues.message() |> unquote(module).encode()
        broken = bytes |> IO.iodata_to_binary() |> break()
        result = unquote(module).decode(broken)

        case result do
          {:ok, %unquote(module){}} -> :ok
          {:error, [%SynapseBridge.Violation{}]} -> :ok
          _ -> flunk("seed #{seed}: #{inspect(broken)} gave #{inspect(result)}")
        end
      end
    end
  end

  # Structs as maps, all the way down.
  defp plain(%module{} = struct, key) do
    if function_exported?(module, :__synapse__, 1) do
      for {name, value} <- Map.from_struct(struct),
          into: %{},
          do: {key.(name), plain(value, key)}
    else
      struct
    end
  end

  defp plain(%{} = map, key), do: Map.new(map, fn {name, value} -> {name, plain(value, key)} end)
  defp plain(list, key) when is_list(list), do: Enum.map(list, &plain(&1, key))
  defp plain(value, _key), do: value

  defp break(bytes) do
    Enum.reduce(1..:rand.uniform(4), bytes, fn _, bytes ->
      at = :rand.uniform(byte_size(bytes) + 1) - 1
      <<before::binary-size(at), rest::binary>> = bytes

      case {:rand.uniform(4), rest} do
        {1, _} -> before
        {2, <<_, rest::binary>>} -> <<before::binary, :rand.uniform(256) - 1, rest::binary>>
        {3, <<byte, rest::binary>>} -> before <> <<Bitwise.bxor(byte, 1)>> <> rest
        _ -> before <> :rand.bytes(:rand.uniform(3)) <> rest
      end
    end)
  end
end
