defmodule SynapseBridge.Tool.Json do
  @moduledoc false
  # Terms as JSON values: what goes to a model. No encoder is needed, as the values cross as messages.

  alias SynapseBridge.{Value, Violation}

  @typedoc "`nil`, booleans, numbers, valid strings, lists of these, and maps with strings as keys."
  @type t :: nil | boolean() | number() | String.t() | [t()] | %{optional(String.t()) => t()}

  # Messages around the value take part of the depth that they may have together.
  @around 16

  @doc "The JSON value of a term, or a text that says what of it has none."
  @spec from(term()) :: {:ok, t()} | {:error, String.t()}
  def from(term) do
    json = value(term, [])

    case Value.value(:any, json, [], @around) do
      {:"$invalid", [violation | _]} -> {:error, to_string(violation)}
      json -> {:ok, json}
    end
  catch
    {__MODULE__, path, text} -> {:error, located(Violation.render(Enum.reverse(path)), text)}
  end

  defp value(term, _path) when is_nil(term) or is_boolean(term) or is_number(term), do: term
  defp value(atom, _path) when is_atom(atom), do: Atom.to_string(atom)

  defp value(text, path) when is_binary(text),
    do: if(String.valid?(text), do: text, else: refuse(path, "a binary that is no UTF-8 text"))

  defp value(list, path) when length(list) >= 0 do
    for {item, index} <- Enum.with_index(list), do: value(item, [index | path])
  end

  defp value(%Date{} = date, _path), do: Date.to_iso8601(date)
  defp value(%Time{} = time, _path), do: Time.to_iso8601(time)
  defp value(%DateTime{} = moment, _path), do: DateTime.to_iso8601(moment)
  defp value(%NaiveDateTime{} = moment, _path), do: NaiveDateTime.to_iso8601(moment)

  defp value(%module{} = struct, path) do
    if String.Chars.impl_for(struct) do
      struct |> to_string() |> value(path)
    else
      refuse(path, "a #{inspect(module)}; give a map of what the model is to see")
    end
  end

  defp value(map, path) when is_map(map) do
    Enum.reduce(map, %{}, fn {key, value}, object ->
      key = key(key, path)
      here = [{:key, key} | path]
      if is_map_key(object, key), do: refuse(here, "a key that is there twice")
      Map.put(object, key, value(value, here))
    end)
  end

  defp value(term, path), do: refuse(path, "#{kind(term)}, which JSON does not have")

  defp key(key, _path) when is_atom(key), do: Atom.to_string(key)

  defp key(key, path) when is_binary(key),
    do: if(String.valid?(key), do: key, else: refuse(path, "a key that is no UTF-8 text"))

  defp key(key, path), do: refuse(path, "the key #{inspect(key)}; keys are strings or atoms")

  defp kind(term) when is_tuple(term), do: "a tuple"
  defp kind(term) when is_function(term), do: "a function"
  defp kind(term) when is_list(term), do: "an improper list"
  defp kind(term) when is_bitstring(term), do: "a bitstring"
  defp kind(_term), do: "a pid, port or reference"

  @spec refuse([Violation.step()], String.t()) :: no_return()
  defp refuse(path, text), do: throw({__MODULE__, path, text})

  defp located("", text), do: text
  defp located(path, text), do: "#{path}: #{text}"
end
