defmodule SynapseBridge.Channel.Waiting do
  @moduledoc """
  The calls that wait for a connection, as a value of the process that they wait for.
  """

  alias SynapseBridge.Channel.Call

  defstruct calls: [], count: 0

  @type t :: %__MODULE__{
          calls: [{GenServer.from(), wait_for_ready :: boolean(), Call.deadline()}],
          count: non_neg_integer()
        }

  @doc "Adds a call; `wait_for_ready?` says that it waits until its deadline in any case."
  @spec add(t(), GenServer.from(), wait_for_ready? :: boolean(), Call.deadline()) :: t()
  def add(%__MODULE__{calls: calls, count: count}, from, wait_for_ready?, deadline) do
    %__MODULE__{calls: [{from, wait_for_ready?, deadline} | calls], count: count + 1}
  end

  @doc "Answers all of them, the first that came first."
  @spec answer(t(), term()) :: t()
  def answer(%__MODULE__{calls: calls}, answer) do
    for {from, _wait?, _deadline} <- Enum.reverse(calls), do: GenServer.reply(from, answer)
    %__MODULE__{}
  end

  @doc "Answers those that do not wait any longer, and forgets those that have given up."
  @spec turn_away(t(), term()) :: t()
  def turn_away(%__MODULE__{calls: calls}, answer) do
    {staying, leaving} = Enum.split_with(calls, fn {_from, wait?, _deadline} -> wait? end)
    for {from, _wait?, _deadline} <- leaving, do: GenServer.reply(from, answer)
    staying = Enum.reject(staying, fn {_, _, deadline} -> Call.remaining(deadline) == 0 end)
    %__MODULE__{calls: staying, count: length(staying)}
  end
end
