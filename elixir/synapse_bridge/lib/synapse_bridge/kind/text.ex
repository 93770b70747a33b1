defmodule SynapseBridge.Kind.Text do
  @moduledoc false
  # Kinds that are strings, or bytes, in Elixir and on the wire, and stay as they are written. What
  # can be checked exactly and briefly is checked here; of the rest the server is the judge.

  alias SynapseBridge.Cast
  alias SynapseBridge.Codec.Read

  # What pydantic says of a value that is no string.
  @types %{
    uuid: :uuid_type,
    path: :path_type,
    url: :url_type,
    email: :string_type,
    regex: :pattern_type,
    secret_string: :string_type
  }

  def value(:secret_bytes, value, _, _) when is_binary(value), do: value
  def value(:secret_bytes, _, path, _), do: Cast.invalid(path, :bytes_type)

  def value(kind, value, path, _) when is_binary(value) do
    cond do
      not Read.utf8?(value) -> Cast.invalid(path, :string_unicode)
      fault = fault(kind, value) -> Cast.invalid(path, elem(fault, 0), elem(fault, 1))
      true -> value
    end
  end

  def value(kind, _, path, _), do: Cast.invalid(path, Map.fetch!(@types, kind))

  defp fault(:url, ""), do: {:url_parsing, "input is empty"}
  defp fault(:uuid, text), do: uuid_fault(text)

  defp fault(:email, text) do
    unless String.contains?(text, "@") do
      {:value_error, "value is not a valid email address: An email address must have an @-sign."}
    end
  end

  defp fault(_, _), do: nil

  # The forms that pydantic takes, and its words for the others: five groups of hexadecimal digits,
  # in braces or as a URN as well; or 32 digits.
  defp uuid_fault(text) do
    case text do
      <<a::binary-size(8), ?-, b::binary-size(4), ?-, c::binary-size(4), ?-, d::binary-size(4),
        ?-, e::binary-size(12)>> ->
        unless hexadecimal?(a <> b <> c <> d <> e), do: {:uuid_parsing, why_no_uuid(text, true)}

      <<"urn:uuid:", uuid::binary>> ->
        grouped_fault(uuid)

      <<?{, _::binary>> ->
        if String.ends_with?(text, "}"),
          do: text |> binary_part(1, byte_size(text) - 2) |> grouped_fault(),
          else: {:uuid_parsing, why_no_uuid(text, true)}

      <<_::binary-size(32)>> ->
        unless hexadecimal?(text), do: {:uuid_parsing, why_no_uuid(text, true)}

      _ ->
        {:uuid_parsing, why_no_uuid(text, true)}
    end
  end

  defp grouped_fault(uuid) when byte_size(uuid) == 36, do: uuid_fault(uuid)
  defp grouped_fault(uuid), do: {:uuid_parsing, why_no_uuid(uuid, false)}

  defp why_no_uuid(text, bare?) do
    groups = :binary.split(text, "-", [:global])
    lengths = Enum.map(groups, &byte_size/1)

    cond do
      fault = strange(text, 0) -> fault
      bare? and length(groups) == 1 -> "invalid length: found #{byte_size(text)}"
      length(groups) != 5 -> "invalid group count: expected 5, found #{length(groups)}"
      true -> wrong_length(Enum.zip([0..4, [8, 4, 4, 4, 12], lengths]))
    end
  end

  defp strange(<<c, rest::binary>>, n) when c in ?0..?9 or c in ?a..?f or c in ?A..?F or c == ?-,
    do: strange(rest, n + 1)

  defp strange(<<c::utf8, _::binary>>, n), do: "invalid character: found `#{<<c::utf8>>}` at #{n}"
  defp strange(<<>>, _), do: nil

  defp wrong_length(groups) do
    {n, expected, found} = Enum.find(groups, fn {_, expected, found} -> expected != found end)
    "invalid group length in group #{n}: expected #{expected}, found #{found}"
  end

  defp hexadecimal?(text), do: strange(text, 0) == nil and not String.contains?(text, "-")
end
