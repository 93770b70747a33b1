# Prints the milliseconds of processor time that compiling the module of a message of 10 fields takes.

source = fn n ->
  """
  defmodule Compiled.Message#{n} do
    @moduledoc "A message."
    use SynapseBridge.Message

    message do
      field :id, 1, :int64, required: true, ge: 0
      field :name, 2, :string, required: true, doc: "The name."
      field :email, 3, {:nullable, :string}, default: nil
      field :age, 4, :int64, default: 0
      field :score, 5, :double, required: true
      field :active, 6, :bool, default: false
      field :tags, 7, {:list, :string}, default: []
      field :payload, 8, :bytes, optional: true
      field :attributes, 9, {:map, :string, :string}, default: %{}
      field :owner, 10, {:nullable, {:message, Compiled.Message#{n}}}, default: nil
    end
  end
  """
end

# The first ones load the compiler.
for n <- 1..5, do: Code.compile_string(source.(n))
{before, _} = :erlang.statistics(:runtime)
for n <- 6..45, do: Code.compile_string(source.(n))
{later, _} = :erlang.statistics(:runtime)
IO.puts((later - before) / 40)
