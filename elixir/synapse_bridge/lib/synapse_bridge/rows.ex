defmodule SynapseBridge.Rows do
  @moduledoc false
  # How the modules of messages, enums and unions are compiled, of which a package can have
  # thousands.

  @doc """
  Evaluates the rows of a table, in the body of the module that has it.

  They are in a function because Elixir compiles the body of a module as a module of its own, and
  purges that when it has run, unless there is a function in it. To purge is to look for literals
  of what goes in the heaps of all processes, of which the compiler keeps one, with all of its code,
  for each module that it has compiled: among thousands of them, a third of the whole time.
  """
  @spec evaluate((() -> term())) :: term()
  def evaluate(rows), do: rows.()

  @doc """
  What the Erlang compiler leaves out.

  It infers types for a sixth of the time, which saves nothing in a codec. Other optimizations make
  decoders of messages faster by a third, but those of unions by 7 % only, and there is nothing in
  an enum for them to do: these are compiled without, in three quarters of the time.
  """
  @spec compile_options(:codec | :table) :: [atom()]
  def compile_options(:codec), do: [:no_type_opt]
  def compile_options(:table), do: [:no_ssa_opt]
end
