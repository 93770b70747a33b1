defmodule Integration.Tally do
  @moduledoc """
  Calls that met a fault, and what became of them, counted.

  A call is *right* when its result is, *told* when it ended in a typed error, *lost* when it had
  no end in time, or a wrong one, and *duplicated* when the function ran more than once for it.
  """

  alias SynapseBridge.Error

  defstruct calls: 0, right: 0, told: %{}, lost: 0, duplicated: 0, recovered: 0, after: 0

  @doc """
  Counts one call: its outcome, what is right, how often it ran, and the call made after it, which
  had its result so many milliseconds after the fault was over.
  """
  def count(tally, outcome, right, ran, {time, after_it}) do
    %{tally | calls: tally.calls + 1, after: max(tally.after, time)}
    |> outcome(outcome, right)
    |> Map.update!(:duplicated, &if(ran > 1, do: &1 + 1, else: &1))
    |> Map.update!(:recovered, &if(after_it == right, do: &1 + 1, else: &1))
  end

  defp outcome(tally, right, right), do: %{tally | right: tally.right + 1}

  defp outcome(tally, {:error, %Error{code: code}}, _right),
    do: %{tally | told: Map.update(tally.told, code, 1, &(&1 + 1))}

  defp outcome(tally, _wrong, _right), do: %{tally | lost: tally.lost + 1}

  @doc "Adds tallies up."
  def sum(tallies) do
    Enum.reduce(tallies, fn one, all ->
      Map.merge(all, one, fn
        :__struct__, module, module -> module
        :told, some, others -> Map.merge(some, others, fn _code, a, b -> a + b end)
        :after, a, b -> max(a, b)
        _key, a, b -> a + b
      end)
    end)
  end

  @doc "One line of the report."
  def report(tally, fault) do
    told = for {code, number} <- tally.told, do: "#{number} #{code}"

    IO.puts(
      "| #{fault} | #{tally.calls} | #{tally.right} | #{Enum.join(told, ", ")} | " <>
        "#{tally.lost} | #{tally.duplicated} | #{tally.recovered} | #{tally.after} ms |"
    )

    tally
  end
end
