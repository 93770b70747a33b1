defmodule SynapseBridge.Fuzz do
  @moduledoc """
  Broken bytes for the decoders of messages: random ones, and messages that are cut, changed and put
  together wrongly.

  The command that runs many, from the folder of the Mix project:

      MIX_ENV=test mix run -e 'SynapseBridge.Fuzz.main()' -- 10_000_000 7

  with the number of inputs and the seed.
  """

  alias SynapseBridge.{RandomValues, Violation}
  alias SynapseBridge.Codec.Write

  @modules [
    SynapseBridge.Fixtures.Kinds,
    SynapseBridge.Fixtures.Containers,
    SynapseBridge.Fixtures.Everything,
    SynapseBridge.Fixtures.Wide,
    SynapseBridge.Fixtures.Options,
    SynapseBridge.Fixtures.Open,
    Shop.Orders.Order,
    SynapseBridge.Rpc.Status
  ]

  # Messages of each module to break, and how often each is broken before there are new ones.
  @messages 20
  @uses 50

  @doc "Runs as many inputs as the first argument says, and prints what came of them."
  @spec main([String.t()]) :: :ok
  def main(arguments \\ System.argv()) do
    [inputs, seed] =
      for text <- arguments, do: text |> String.replace("_", "") |> String.to_integer()

    atoms = :erlang.system_info(:atom_count)
    counts = run(inputs, seed)
    IO.puts("#{inputs} inputs of seed #{seed}: #{inspect(counts)}")
    # Modules that are loaded on the way bring some.
    IO.puts("atoms made: #{:erlang.system_info(:atom_count) - atoms}")
  end

  @doc """
  Decodes so many broken inputs, and counts those that are read and those that are refused.

  Raises where a decoder raises, or returns anything else, or something that cannot be sent
  again and come back.
  """
  @spec run(pos_integer(), integer()) :: %{read: non_neg_integer(), refused: non_neg_integer()}
  def run(inputs, seed) do
    :rand.seed(:exsss, seed)
    round(inputs, %{read: 0, refused: 0})
  end

  defp round(left, counts) when left <= 0, do: counts

  defp round(left, counts) do
    module = pick(@modules)
    messages = for _ <- 1..@messages, do: bytes(module, RandomValues.message(module, 2))
    n = min(@messages * @uses, left)

    counts =
      Enum.reduce(1..n, counts, fn _, counts ->
        Map.update!(counts, check(module, broken(messages)), &(&1 + 1))
      end)

    round(left - n, counts)
  end

  defp check(module, input) do
    case module.decode(input) do
      {:ok, message} ->
        # Computed fields are not sent, so it is the bytes that must be the same.
        sent = bytes(module, message)

        case module.decode(sent) do
          {:ok, again} ->
            if bytes(module, again) == sent, do: :read, else: wrong(module, input, again)

          again ->
            wrong(module, input, again)
        end

      {:error, [%Violation{path: path, rule: rule, message: text}]}
      when is_binary(path) and is_binary(rule) and is_binary(text) ->
        :refused

      other ->
        wrong(module, input, other)
    end
  rescue
    error -> wrong(module, input, error)
  end

  defp wrong(module, input, got) do
    raise "#{inspect(module)}.decode(#{inspect(input, limit: :infinity)}) gave #{inspect(got)}"
  end

  defp bytes(module, message), do: message |> module.encode() |> IO.iodata_to_binary()

  defp broken(messages) do
    case :rand.uniform(10) do
      1 -> :rand.bytes(:rand.uniform(40))
      2 -> fields(:rand.uniform(6))
      3 -> pick(messages) <> pick(messages)
      _ -> Enum.reduce(1..:rand.uniform(4), pick(messages), fn _, bytes -> change(bytes) end)
    end
  end

  # Well-formed fields of any number and wire type.
  defp fields(n), do: for(_ <- 1..n, into: "", do: any_field())

  defp any_field do
    number = pick([:rand.uniform(30), :rand.uniform(60), 2047, 2048])

    case :rand.uniform(4) do
      1 -> Write.tag(number, :varint) <> Write.varint(:rand.uniform(1_000_000) - 1)
      2 -> Write.tag(number, :fixed64) <> :rand.bytes(8)
      3 -> delimited(number, :rand.bytes(:rand.uniform(8) - 1))
      4 -> delimited(number, fields(:rand.uniform(3)))
    end
  end

  defp delimited(number, bytes),
    do: Write.tag(number, :bytes) <> Write.varint(byte_size(bytes)) <> bytes

  defp change(bytes) do
    at = :rand.uniform(byte_size(bytes) + 1) - 1
    <<before::binary-size(at), rest::binary>> = bytes

    case {:rand.uniform(7), rest} do
      {1, _} ->
        before

      {2, _} ->
        rest

      {3, <<_, rest::binary>>} ->
        before <> <<pick([0, 1, 0x7F, 0x80, 0xFF])>> <> rest

      {4, <<byte, rest::binary>>} ->
        before <> <<Bitwise.bxor(byte, pick([1, 2, 7, 8, 0x80]))>> <> rest

      {5, <<_, rest::binary>>} ->
        before <> <<:rand.uniform(256) - 1>> <> rest

      {6, _} ->
        before <> any_field() <> rest

      _ ->
        before <> :rand.bytes(:rand.uniform(3)) <> rest
    end
  end

  defp pick(list), do: Enum.at(list, :rand.uniform(length(list)) - 1)
end
