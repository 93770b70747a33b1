# mix run --no-start edits.exs CLIENT CALLS OLD NEW
#
# Makes each call that the file CALLS has to the server at OLD, and to the one at NEW, with a client that was generated
# for the former. Prints a line for each: `call:`, its number, and `same`, `other`, or `failed` where it failed at OLD.
[client, calls, old, new] = System.argv()

defmodule Edits do
  # Results of every call, by a client that is connected to one server.
  def results(client, calls, target) do
    {:ok, supervisor} = Supervisor.start_link([{client, target: target}], strategy: :one_for_one)
    results = for {_, function, argument} <- calls, do: apply(client, function, [argument])
    Supervisor.stop(supervisor)
    results
  end

  def verdict({:ok, old}, {:ok, new}), do: if(alike?(old, new), do: "same", else: "other")
  def verdict({:ok, _}, {:error, _}), do: "other"
  def verdict({:error, _}, _), do: "failed"

  # An enum value that this client does not know yet is said to be that.
  defp alike?(_, {:unknown, _}), do: true

  defp alike?(%module{} = old, %module{} = new),
    do: alike?(Map.from_struct(old), Map.from_struct(new))

  defp alike?(%{} = old, %{} = new),
    do: Map.keys(old) == Map.keys(new) and Enum.all?(old, fn {k, v} -> alike?(v, new[k]) end)

  defp alike?([one | old], [other | new]), do: alike?(one, other) and alike?(old, new)
  defp alike?(old, new), do: old === new
end

{:ok, _} = Application.ensure_all_started(:synapse_bridge)
client = Module.concat([client])
{calls, []} = Code.eval_file(calls)
[old, new] = for target <- [old, new], do: Edits.results(client, calls, target)

for {{number, _, _}, old, new} <- Enum.zip([calls, old, new]) do
  IO.puts("call: #{number} #{Edits.verdict(old, new)} #{inspect(old)} #{inspect(new)}")
end
