defmodule SynapseBridge.Constraint do
  @moduledoc false
  # pydantic's constraints. They are checked in pydantic's order, and the first that fails is the
  # value's violation, as there. Lengths count code points of strings, bytes of byte strings, items
  # of lists and entries of maps.

  import Bitwise

  alias SynapseBridge.Constraint.Pattern

  # For each kind of value: its constraints in the order of the checks.
  @orders %{
    int64: [:multiple_of, :le, :lt, :ge, :gt],
    uint64: [:multiple_of, :le, :lt, :ge, :gt],
    bigint: [:multiple_of, :le, :lt, :ge, :gt],
    double: [:allow_inf_nan, :multiple_of, :le, :lt, :ge, :gt],
    decimal: [:allow_inf_nan],
    string: [:min_length, :max_length, :pattern],
    bytes: [:min_length, :max_length],
    secret_string: [:min_length, :max_length],
    secret_bytes: [:min_length, :max_length],
    list: [:max_length, :min_length],
    set: [:max_length, :min_length],
    map: [:max_length, :min_length]
  }

  @type t :: [{atom(), number() | atom() | Pattern.t()}]
  @type failure :: {rule :: atom(), SynapseBridge.Violation.Text.context()}

  @doc """
  The constraints of a kind of value, checked and put in order.

  Raises `ArgumentError` for one that the kind does not have.
  """
  @spec new!(atom(), keyword()) :: t()
  def new!(kind, constraints) do
    order = Map.get(@orders, kind, [])

    case Keyword.keys(constraints) -- order do
      [] ->
        for name <- order,
            {:ok, bound} <- [Keyword.fetch(constraints, name)],
            do: {name, name |> bound!(bound) |> whole(kind)}

      [unknown | _] ->
        raise ArgumentError,
              "unknown option or constraint #{inspect(unknown)} of a #{kind}: " <>
                "expected one of #{inspect(order)}"
    end
  end

  defp bound!(:pattern, source) when is_binary(source), do: Pattern.new(source)

  defp bound!(name, bound)
       when name in [:min_length, :max_length] and is_integer(bound) and bound >= 0,
       do: bound

  defp bound!(name, bound)
       when name in [:multiple_of, :le, :lt, :ge, :gt] and
              (is_number(bound) or bound in [:nan, :infinity, :negative_infinity]),
       do: bound

  # What the kind allows anyway needs no check.
  defp bound!(:allow_inf_nan, allow?) when is_boolean(allow?), do: allow?

  defp bound!(name, bound),
    do: raise(ArgumentError, "constraint #{name} cannot be #{inspect(bound)}")

  # pydantic reads 2.0 as 2 where it bounds an integer.
  defp whole(bound, kind)
       when kind in [:int64, :uint64, :bigint] and is_float(bound) and trunc(bound) == bound,
       do: trunc(bound)

  defp whole(bound, _kind), do: bound

  @doc "Checks a value that is known to be of its kind."
  @spec check(atom(), term(), t()) :: :ok | failure()
  def check(_kind, _value, []), do: :ok

  def check(kind, value, constraints) when kind in [:int64, :uint64, :bigint, :double],
    do: check_number(constraints, value)

  def check(:string, value, constraints), do: check_string(constraints, value, nil)
  def check(:bytes, value, constraints), do: check_bytes(constraints, byte_size(value))

  # To pydantic a secret is a container of characters or bytes.
  def check(:secret_string, value, constraints),
    do: check_secret(constraints, code_points(value, 0))

  def check(:secret_bytes, value, constraints), do: check_secret(constraints, byte_size(value))

  @doc "Checks the most that a container may hold, before its items are looked at."
  @spec check_max(String.t(), non_neg_integer(), t()) :: :ok | failure()
  def check_max(container, size, [{:max_length, bound} | _]) when size > bound,
    do: {:too_long, {container, bound, size}}

  def check_max(_, _, _), do: :ok

  @doc "Checks the least that a container may hold, once its items are known to be right."
  @spec check_min(String.t(), non_neg_integer(), t()) :: :ok | failure()
  def check_min(container, size, constraints) do
    case List.keyfind(constraints, :min_length, 0) do
      {_, bound} when size < bound -> {:too_short, {container, bound, size}}
      _ -> :ok
    end
  end

  defp check_number([], _), do: :ok

  defp check_number([{:allow_inf_nan, allow?} | constraints], value) do
    if allow? or is_number(value),
      do: check_number(constraints, value),
      else: {:finite_number, nil}
  end

  defp check_number([{name, bound} | constraints], value) do
    if number?(name, value, bound),
      do: check_number(constraints, value),
      else: {rule(name), bound}
  end

  defp rule(:ge), do: :greater_than_equal
  defp rule(:gt), do: :greater_than
  defp rule(:le), do: :less_than_equal
  defp rule(:lt), do: :less_than
  defp rule(:multiple_of), do: :multiple_of

  # Erlang compares integers and floats exactly, as Python does.
  defp number?(:ge, value, bound) when is_number(value) and is_number(bound), do: value >= bound
  defp number?(:gt, value, bound) when is_number(value) and is_number(bound), do: value > bound
  defp number?(:le, value, bound) when is_number(value) and is_number(bound), do: value <= bound
  defp number?(:lt, value, bound) when is_number(value) and is_number(bound), do: value < bound
  defp number?(:multiple_of, value, bound), do: multiple?(value, bound)

  # IEEE 754: NaN is neither less, nor equal, nor greater.
  defp number?(_, :nan, _), do: false
  defp number?(_, _, :nan), do: false
  defp number?(name, value, bound), do: number?(name, rank(value), rank(bound))

  defp rank(:negative_infinity), do: -1
  defp rank(:infinity), do: 1
  defp rank(_), do: 0

  defp multiple?(_value, bound) when bound == 0, do: true

  defp multiple?(value, bound) when is_integer(value) and is_integer(bound),
    do: rem(value, bound) == 0

  # What pydantic-core does: the nearest multiple must not be farther away than this, whatever the
  # size of the numbers. NaN and infinity pass.
  defp multiple?(value, bound) when is_number(value) and is_number(bound) do
    abs(value - round(value / bound) * bound) <= 1.0e-9
  rescue
    # A quotient beyond the largest float.
    ArithmeticError -> false
  end

  defp multiple?(_, _), do: true

  defp check_string([], _, _), do: :ok

  defp check_string([{:pattern, pattern} | constraints], value, length) do
    if Pattern.match?(pattern, value),
      do: check_string(constraints, value, length),
      else: {:string_pattern_mismatch, Pattern.source(pattern)}
  end

  defp check_string(constraints, value, nil),
    do: check_string(constraints, value, code_points(value, 0))

  defp check_string([{:min_length, bound} | _], _, length) when length < bound,
    do: {:string_too_short, bound}

  defp check_string([{:max_length, bound} | _], _, length) when length > bound,
    do: {:string_too_long, bound}

  defp check_string([_ | constraints], value, length),
    do: check_string(constraints, value, length)

  # Seven ASCII bytes at a time, as far as they go.
  defp code_points(<<seven::56, rest::bits>>, n) when (seven &&& 0x80808080808080) == 0,
    do: code_points(rest, n + 7)

  defp code_points(<<_::utf8, rest::bits>>, n), do: code_points(rest, n + 1)
  defp code_points(<<>>, n), do: n

  defp check_secret([{:min_length, bound} | _], size) when size < bound,
    do: {:too_short, {"Value", bound, size}}

  defp check_secret([{:max_length, bound} | _], size) when size > bound,
    do: {:too_long, {"Value", bound, size}}

  defp check_secret([_ | constraints], size), do: check_secret(constraints, size)
  defp check_secret([], _), do: :ok

  defp check_bytes([{:min_length, bound} | _], size) when size < bound,
    do: {:bytes_too_short, bound}

  defp check_bytes([{:max_length, bound} | _], size) when size > bound,
    do: {:bytes_too_long, bound}

  defp check_bytes([_ | constraints], size), do: check_bytes(constraints, size)
  defp check_bytes([], _), do: :ok
end
