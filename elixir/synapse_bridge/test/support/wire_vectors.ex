defmodule SynapseBridge.WireVectors do
  @moduledoc """
  Reads `wire/vectors.txt`, which `wire/make_vectors.py` wrote.

  The file is given by its path, as this module may be compiled elsewhere than it is used.
  """

  @doc "Bytes that Python's protobuf wrote, by the name of the vector."
  @spec all(Path.t()) :: %{String.t() => binary()}
  def all(path) do
    for line <- File.stream!(path), into: %{} do
      [name, hex] = line |> String.trim_trailing("\n") |> String.split("\t")
      {name, Base.decode16!(hex, case: :lower)}
    end
  end
end
