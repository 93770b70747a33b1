defmodule SynapseBridge.HPACKVectors do
  @moduledoc """
  Reads `hpack/vectors.txt`, which `hpack/make_vectors.py` wrote; that script documents the format.

  The file is given by its path, as this module may be compiled elsewhere than it is used.
  """

  @doc "Strings with their Huffman codes."
  @spec huffman(Path.t()) :: [{string :: binary(), code :: binary()}]
  def huffman(path) do
    for ["huffman", string, code] <- lines(path),
        do: {Base.decode64!(string), Base.decode64!(code)}
  end

  @doc "Connections: the largest table size allowed, and blocks with their fields, in order."
  @spec connections(Path.t()) :: [
          {non_neg_integer(), [{block :: binary(), [{binary(), binary()}]}]}
        ]
  def connections(path) do
    path
    |> lines()
    |> Enum.drop_while(&match?(["huffman" | _], &1))
    |> Enum.chunk_while(nil, &add_line/2, &{:cont, finish(&1), nil})
    |> Enum.reject(&is_nil/1)
  end

  defp add_line(["connection", limit], before) do
    {:cont, finish(before), {String.to_integer(limit), []}}
  end

  defp add_line(["block", block], {limit, blocks}) do
    {:cont, {limit, [{Base.decode64!(block), []} | blocks]}}
  end

  defp add_line(["field", name, value], {limit, [{block, fields} | blocks]}) do
    field = {Base.decode64!(name), Base.decode64!(value)}
    {:cont, {limit, [{block, [field | fields]} | blocks]}}
  end

  defp finish(nil), do: nil

  defp finish({limit, blocks}) do
    {limit, for({block, fields} <- Enum.reverse(blocks), do: {block, Enum.reverse(fields)})}
  end

  defp lines(path) do
    path |> File.read!() |> String.split("\n", trim: true) |> Enum.map(&String.split(&1, "\t"))
  end
end
