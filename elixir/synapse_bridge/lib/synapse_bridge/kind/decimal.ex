defmodule SynapseBridge.Kind.Decimal do
  @moduledoc false
  # A decimal number: a `Decimal` where that library is loaded, else the string that Python writes.
  # Both are taken, an integer and a float as well: a float is the number that it is written as,
  # as pydantic has it.
  #
  # The library is never called: its struct says all, and the text of a number is exact.

  alias SynapseBridge.Cast
  alias SynapseBridge.Codec.Read

  @doc "The key in `:persistent_term` of whether the library is loaded, asked once on each node."
  def library, do: {__MODULE__, :loaded?}

  defp loaded? do
    case :persistent_term.get(library(), nil) do
      nil ->
        loaded? = Code.ensure_loaded?(Decimal)
        :persistent_term.put(library(), loaded?)
        loaded?

      loaded? ->
        loaded?
    end
  end

  # pydantic takes finite numbers, unless it is told `allow_inf_nan`.
  def value(:decimal, value, path, _) do
    case any_value(value) do
      {:"$invalid", rule} -> Cast.invalid(path, rule)
      value -> if finite?(value), do: value, else: Cast.invalid(path, :finite_number)
    end
  end

  def value(:decimal_or_special, value, path, _) do
    case any_value(value) do
      {:"$invalid", rule} -> Cast.invalid(path, rule)
      value -> value
    end
  end

  defp any_value(value) when is_integer(value), do: text_value(Integer.to_string(value))
  defp any_value(value) when is_float(value), do: text_value(Float.to_string(value))
  defp any_value(:nan), do: text_value("NaN")
  defp any_value(:infinity), do: text_value("Infinity")
  defp any_value(:negative_infinity), do: text_value("-Infinity")

  defp any_value(value) when is_binary(value) do
    case Read.utf8?(value) and parse(value) do
      {_, _, _} = parts -> if loaded?(), do: struct_of(parts), else: value
      :later -> value
      _ -> {:"$invalid", :decimal_parsing}
    end
  end

  defp any_value(%{__struct__: Decimal, sign: sign, coef: coef, exp: exp} = value)
       when sign in [1, -1] and ((is_integer(coef) and coef >= 0) or coef in [:NaN, :inf]) and
              is_integer(exp),
       do: value

  defp any_value(_), do: {:"$invalid", :decimal_type}

  defp finite?(%{coef: coef}), do: is_integer(coef)
  defp finite?(text), do: not match?({_, coef, _} when is_atom(coef), parse(text))

  defp text_value(text), do: if(loaded?(), do: struct_of(parse(text)), else: text)

  def to_wire(:decimal, text) when is_binary(text), do: text
  def to_wire(:decimal, %{__struct__: Decimal, coef: :NaN}), do: "NaN"

  def to_wire(:decimal, %{__struct__: Decimal, sign: sign, coef: :inf}),
    do: sign(sign) <> "Infinity"

  def to_wire(:decimal, %{__struct__: Decimal, sign: sign, coef: coef, exp: 0}),
    do: sign(sign) <> Integer.to_string(coef)

  # As Python reads it, with the exponent kept: 1.50 is 150E-2.
  def to_wire(:decimal, %{__struct__: Decimal, sign: sign, coef: coef, exp: exp}),
    do: sign(sign) <> Integer.to_string(coef) <> "E" <> Integer.to_string(exp)

  def to_wire(:decimal, value),
    do: raise(ArgumentError, "cannot encode #{inspect(value)}: expected a decimal number")

  defp sign(1), do: ""
  defp sign(-1), do: "-"

  def from_wire(:decimal, text) do
    case {parse(text), loaded?()} do
      {{_, _, _} = parts, true} -> {:ok, struct_of(parts)}
      {{_, _, _}, false} -> {:ok, text}
      _ -> {:error, :decimal_text}
    end
  end

  defp struct_of({sign, coef, exp}), do: %{__struct__: Decimal, sign: sign, coef: coef, exp: exp}

  # Python's syntax (https://docs.python.org/3/library/decimal.html#decimal.Decimal): with spaces
  # around it and underscores in it. Digits of other scripts are left to the server.
  defp parse(text) do
    case Regex.run(~r/\A([+-]?)(?:([0-9]*)(?:\.([0-9]*))?(?:e([+-]?[0-9]+))?)\z/i, plain(text)) do
      [_, sign, whole | more] -> number(sign, whole, more)
      nil -> special(text |> plain() |> String.downcase(), text)
    end
  end

  defp plain(text), do: text |> String.trim() |> String.replace("_", "")

  defp number(sign, whole, more) do
    {fraction, exponent} =
      case more do
        [] -> {"", "0"}
        [fraction] -> {fraction, "0"}
        [fraction, exponent] -> {fraction, exponent}
      end

    # Nobody computes with an exponent of more digits.
    if whole <> fraction == "" or byte_size(exponent) > 20 do
      :error
    else
      {sign_number(sign), String.to_integer(whole <> fraction),
       String.to_integer(exponent) - byte_size(fraction)}
    end
  end

  defp special("-" <> rest, text),
    do: with({_, coef, exp} <- special(rest, text), do: {-1, coef, exp})

  defp special("+" <> rest, text), do: special(rest, text)
  defp special(infinity, _) when infinity in ["inf", "infinity"], do: {1, :inf, 0}
  # A signaling NaN is one that Python would refuse to compute with, which we never do.
  defp special(nan, _) when nan in ["nan", "snan"], do: {1, :NaN, 0}
  defp special(_, text), do: if(Read.ascii?(text), do: :error, else: :later)

  defp sign_number("-"), do: -1
  defp sign_number(_), do: 1
end
