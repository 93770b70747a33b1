defmodule SynapseBridge.Codec.Collect do
  @moduledoc false
  # From what the loop of a decoder has collected to the value of a field: lists, sets, maps, and
  # values that are converted. Items come last one first. Errors are passed on.

  alias SynapseBridge.Cast
  alias SynapseBridge.Codec.Read
  alias SynapseBridge.Message.Field

  @doc "The strings in a repeated field, which come last one first."
  @spec texts([binary()]) :: [String.t()] | Read.error()
  def texts(items), do: texts(items, [])

  defp texts([bytes | rest], done) do
    if is_binary(:unicode.characters_to_binary(bytes)),
      do: texts(rest, [bytes | done]),
      else: {:"$error", [length(rest)], :string_unicode}
  end

  defp texts([], done), do: done

  @doc "The messages in a repeated field, which come last one first; the first fault of the last."
  @spec each([binary()], (binary(), integer() -> term()), integer()) :: [term()] | Read.error()
  def each([], _, _), do: []
  def each(items, decode, depth), do: each(items, decode, depth, [])

  defp each([bytes | rest], decode, depth, done) do
    case decode.(bytes, depth) do
      {:"$error", path, reason} -> {:"$error", [length(rest) | path], reason}
      item -> each(rest, decode, depth, [item | done])
    end
  end

  defp each([], _, _, done), do: done

  @doc "A map from its entries, which come last one first; a key that comes twice is an error."
  @spec map([binary()], (binary(), integer() -> {term(), term()} | Read.error()), integer()) ::
          map() | Read.error()
  def map([], _, _), do: %{}

  def map(bytes, decode, depth) do
    case entries(bytes, decode, depth, []) do
      {:"$error", _, _} = error ->
        error

      entries ->
        map = :maps.from_list(entries)
        if map_size(map) == length(entries), do: map, else: duplicate_key(entries, %{})
    end
  end

  defp entries([bytes | rest], decode, depth, done) do
    case decode.(bytes, depth) do
      {:"$error", _, _} = error -> error
      entry -> entries(rest, decode, depth, [entry | done])
    end
  end

  defp entries([], _, _, done), do: done

  defp duplicate_key([{key, _} | _], seen) when is_map_key(seen, key),
    do: {:"$error", [Cast.key_step(key)], :duplicate_key}

  defp duplicate_key([{key, _} | rest], seen), do: duplicate_key(rest, Map.put(seen, key, true))

  @doc "A set from its items; an item that comes twice is an error. An error stays one."
  @spec set([term()] | Read.error()) :: MapSet.t() | Read.error()
  def set(items) when is_list(items) do
    set = MapSet.new(items)
    if MapSet.size(set) == length(items), do: set, else: {:"$error", [], :duplicate_item}
  end

  def set(error), do: error

  @doc "A value by its conversion (see `SynapseBridge.Kind`). An error stays one."
  @spec via(term() | Read.error(), module(), term()) :: term() | Read.error()
  def via({:"$error", _, _} = error, _, _), do: error

  def via(wire, module, argument) do
    case module.from_wire(argument, wire) do
      {:ok, value} -> value
      {:error, reason} -> {:"$error", [], reason}
    end
  end

  @doc "The same for each item of a list."
  @spec via_each([term()] | Read.error(), module(), term()) :: [term()] | Read.error()
  def via_each(items, module, argument) when is_list(items),
    do: via_each(items, module, argument, 0, [])

  def via_each(error, _, _), do: error

  defp via_each([item | rest], module, argument, index, done) do
    case module.from_wire(argument, item) do
      {:ok, value} -> via_each(rest, module, argument, index + 1, [value | done])
      {:error, reason} -> {:"$error", [index], reason}
    end
  end

  defp via_each([], _, _, _, done), do: :lists.reverse(done)

  @doc "A map without those keys that are absent."
  @spec present(map(), [atom()]) :: map()
  def present(map, keys) do
    absent = Field.absent_key()
    Map.drop(map, Enum.filter(keys, &(:erlang.map_get(&1, map) == absent)))
  end
end
