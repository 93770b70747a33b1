defmodule SynapseBridge.Violation do
  @moduledoc """
  One thing that is wrong with one value.

    * `:path` - where it is, from the name of the Python parameter (or of the field, where a
      message was checked alone) down: `data.age`, `items[0].sku`, `prices.EUR`,
      `prices["odd key"]`. Names are the Python ones.
    * `:rule` - pydantic's name of what was violated, such as `"int_type"`, `"missing"` or
      `"greater_than_equal"` (https://docs.pydantic.dev/latest/errors/validation_errors).
    * `:message` - what is wrong, in pydantic's words.

  Checks made in Elixir and checks made by the server give the same violations. The path is empty
  where the value as a whole is wrong.

      iex> violation = %SynapseBridge.Violation{
      ...>   path: "data.age",
      ...>   rule: "int_type",
      ...>   message: "Input should be a valid integer"
      ...> }
      iex> to_string(violation)
      "data.age: Input should be a valid integer (int_type)"
  """

  alias SynapseBridge.Violation.Text

  @enforce_keys [:path, :rule, :message]
  defstruct [:path, :rule, :message]

  @type t :: %__MODULE__{path: String.t(), rule: String.t(), message: String.t()}

  @typedoc "A step on the way to a value: a field, a position in a list, a key of a map."
  @type step :: String.t() | non_neg_integer() | {:key, String.t() | integer() | boolean()}

  @doc false
  @spec new([step()], atom() | {atom(), Text.context()}, Text.context()) :: t()
  def new(path, rule, context \\ nil)
  def new(path, {rule, context}, nil), do: new(path, rule, context)

  def new(path, rule, context) do
    %__MODULE__{
      path: render(path),
      rule: Atom.to_string(rule),
      message: Text.message(rule, context)
    }
  end

  @doc """
  Writes a path.

      iex> SynapseBridge.Violation.render(["order", "items", 0, "prices", {:key, "EUR"}])
      "order.items[0].prices.EUR"

      iex> SynapseBridge.Violation.render(["prices", {:key, "per kg"}, {:key, 7}])
      ~S(prices["per kg"][7])
  """
  @spec render([step()]) :: String.t()
  def render(path) do
    path |> Enum.map_join(&step/1) |> String.trim_leading(".")
  end

  defp step({:key, key}) when is_binary(key) do
    if key =~ ~r/\A[A-Za-z_][A-Za-z0-9_]*\z/, do: step(key), else: ["[", quoted(key), "]"]
  end

  # pydantic takes Python's word that True is 1.
  defp step({:key, true}), do: "[1]"
  defp step({:key, false}), do: "[0]"
  defp step({:key, key}), do: "[#{key}]"
  defp step(index) when is_integer(index), do: "[#{index}]"
  defp step(name), do: ".#{name}"

  # A string as JSON.
  defp quoted(key) do
    if String.valid?(key),
      do: [?", for(<<char::utf8 <- key>>, do: escape(char)), ?"],
      else: inspect(key)
  end

  defp escape(?"), do: "\\\""
  defp escape(?\\), do: "\\\\"
  defp escape(?\n), do: "\\n"
  defp escape(?\r), do: "\\r"
  defp escape(?\t), do: "\\t"
  defp escape(?\b), do: "\\b"
  defp escape(?\f), do: "\\f"
  defp escape(c) when c < 0x20, do: "\\u00" <> (<<c>> |> Base.encode16(case: :lower))
  defp escape(c), do: <<c::utf8>>

  defimpl String.Chars do
    def to_string(%{path: "", rule: rule, message: message}), do: "#{message} (#{rule})"
    def to_string(violation), do: "#{violation.path}: #{violation.message} (#{violation.rule})"
  end
end
