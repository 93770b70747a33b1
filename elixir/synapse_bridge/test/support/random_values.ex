defmodule SynapseBridge.RandomValues do
  @moduledoc """
  Values of a message's types at random, edges more often than chance would have it.

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

  @doc "A struct of the message, as `new/1` would return it."
  @spec message(module(), non_neg_integer()) :: struct()
  def message(module, depth \\ 3) do
    fields = for field <- module.__synapse__(:fields), do: {field.name, field_value(field, depth)}

    struct!(module, fields)
  end

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

  @doc "A value of a type in normal form, without its constraints."
  @spec value(term(), non_neg_integer()) :: term()
  def value(type, depth)

  def value({kind, constraints}, depth) when is_list(constraints), do: value(kind, depth)
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

  def value({:enum, enum}, _), do: pick([{:unknown, 12_345} | enum.values()])
  def value({:message, module}, depth), do: message(module, depth - 1)
  def value({:wrapped, type}, depth), do: value(type, depth)

  def value({:nullable, {:message, _}}, depth) when depth <= 0, do: nil

  def value({:nullable, type}, depth),
    do: if(:rand.uniform(3) == 1, do: nil, else: value(type, depth))

  def value({:list, _, _}, depth) when depth < 0, do: []
  def value({:list, type, _}, depth), do: for(_ <- 1..items(depth)//1, do: value(type, depth - 1))
  def value({:map, _, _, _}, depth) when depth < 0, do: %{}

  def value({:map, key, type, _}, depth),
    do: for(_ <- 1..items(depth)//1, into: %{}, do: {value(key, depth), value(type, depth - 1)})

  defp pick(list), do: Enum.at(list, :rand.uniform(length(list)) - 1)
  defp size, do: pick([0, 1, 2, 5, 10, 127, 128, 300])
  defp items(depth), do: pick([0, 1, 2, max(depth, 0) * 3])

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
