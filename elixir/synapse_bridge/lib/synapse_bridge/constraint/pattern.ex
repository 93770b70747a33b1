defmodule SynapseBridge.Constraint.Pattern do
  @moduledoc false
  # A pattern in the syntax of pydantic's default engine, the Rust `regex` crate, checked with
  # Erlang's PCRE as far as the two agree. What only the other engine can judge is let through:
  # the server has the last word, and a right value must never be refused here.
  #
  # The compiled expression is kept in `:persistent_term`, made by the first use on each node,
  # because it depends on the PCRE of the OTP that runs it and cannot be a literal on OTP 28.

  alias SynapseBridge.Codec.Read

  @enforce_keys [:source, :checks]
  defstruct [:source, :checks]

  @typedoc """
  `checks` says which strings PCRE can be asked about: `:all`, `:ascii` where the expression
  leans on Unicode tables, or `:none`.
  """
  @type t :: %__MODULE__{source: String.t(), checks: :all | :ascii | :none}

  # In Rust `$` is the very end of the text, and classes know Unicode.
  @options [:unicode, :ucp, :dollar_endonly]

  @doc "The pattern, and how far PCRE can be trusted with it."
  @spec new(String.t()) :: t()
  def new(source), do: %__MODULE__{source: source, checks: checks(source)}

  @doc "The expression as Python has it."
  @spec source(t()) :: String.t()
  def source(%__MODULE__{source: source}), do: source

  @doc "Whether the pattern is found in the text, as far as can be told here."
  @spec match?(t(), String.t()) :: boolean()
  def match?(%{checks: :none}, _), do: true

  def match?(%{checks: checks, source: source}, text) do
    # `report_errors`: an expression that gives up on a text has not said no.
    :re.run(text, compiled(source), [:report_errors, capture: :none]) != :nomatch or
      (checks == :ascii and not Read.ascii?(text))
  end

  defp checks(source) do
    cond do
      read_differently?(source) -> :none
      Kernel.match?({:error, _}, :re.compile(source, @options)) -> :none
      leans_on_unicode?(source) -> :ascii
      true -> :all
    end
  end

  # What one engine takes for something else than the other: set operations, nested and POSIX
  # classes, possessive quantifiers, `{,n}`, look-around, comments, recursion, conditions, verbs,
  # back-references, some modes and escapes.
  defp read_differently?(source) do
    source =~ ~r/
        && | -- | ~~ | \[\^?\[ | \[:
      | [*+?}]\+ | \{,
      | \(\?[=!#>|&R0-9(] | \(\?P(?!<) | \(\?<[=!] | \(\?[a-zA-Z-]*[mxRUuJX] | \(\*
      | \\[0-9gGkKhHvVNRXCEQ<>Z] | \\b\{
    /x
  end

  # Case folding, properties, and the classes whose tables differ outside ASCII.
  defp leans_on_unicode?(source), do: source =~ ~r/\\[wWsSbBdDpP] | \(\?[a-zA-Z-]*i/x

  defp compiled(source) do
    case :persistent_term.get({__MODULE__, source}, nil) do
      nil ->
        {:ok, compiled} = :re.compile(source, @options)
        :persistent_term.put({__MODULE__, source}, compiled)
        compiled

      compiled ->
        compiled
    end
  end
end
