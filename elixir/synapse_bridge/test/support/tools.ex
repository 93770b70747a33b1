defmodule SynapseBridge.Tools do
  @moduledoc "Functions with specs, as handlers of tools have them. Specs are read from compiled files."

  @type state :: :open | :shipped | :lost
  @type page(item) :: %{required(:items) => [item], optional(:next) => String.t() | nil}
  @type tree :: %{name: String.t(), children: [tree()]}

  @spec find(%{
          required(:customer) => String.t(),
          optional(:state) => state(),
          optional(:limit) => 1..100,
          optional(:since) => Date.t()
        }) :: {:ok, map()}
  def find(arguments), do: {:ok, arguments}

  @spec kinds(%{
          integer: integer(),
          natural: non_neg_integer(),
          positive: pos_integer(),
          negative: neg_integer(),
          float: float(),
          number: number(),
          flag: boolean(),
          bytes: binary(),
          list: list(),
          some: nonempty_list(integer()),
          words: [String.t()],
          scores: %{optional(String.t()) => float()},
          object: map(),
          anything: term(),
          maybe: String.t() | nil,
          either: integer() | [integer()],
          level: -1 | 0 | 1,
          mode: :fast | nil | integer(),
          moment: DateTime.t(),
          local: NaiveDateTime.t(),
          clock: Time.t()
        }) :: term()
  def kinds(arguments), do: arguments

  @spec paged(arguments, map()) :: term() when arguments: page(state())
  def paged(arguments, context), do: {arguments, context}

  @spec free(%{optional(String.t()) => integer()}) :: term()
  def free(arguments), do: arguments

  @spec grow(tree()) :: term()
  def grow(tree), do: tree

  @spec tuple(%{pair: {integer(), integer()}}) :: term()
  def tuple(arguments), do: arguments

  @spec text(String.t()) :: term()
  def text(text), do: text

  @spec several(%{a: integer()}) :: term()
  @spec several(%{b: integer()}) :: term()
  def several(arguments), do: arguments

  def without(arguments), do: arguments
end
