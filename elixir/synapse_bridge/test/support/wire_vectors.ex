defmodule SynapseBridge.WireVectors do
  @moduledoc """
  Reads `wire/vectors.txt`, which `wire/make_vectors.py` wrote.
  """

  @path Path.join(__DIR__, "wire/vectors.txt")
  @external_resource @path

  @doc "Bytes that Python's protobuf wrote, by the name of the vector."
  @spec all() :: %{String.t() => binary()}
  def all do
    for line <- File.stream!(@path), into: %{} do
      [name, hex] = line |> String.trim_trailing("\n") |> String.split("\t")
      {name, Base.decode16!(hex, case: :lower)}
    end
  end
end
