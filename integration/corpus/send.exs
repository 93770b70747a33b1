# mix run send.exs CLIENT SUPPORT COUNT SEED OUTPUT -- PROGRAM ARGUMENT …
#
# Starts the server that the program is, sends COUNT random structs to each function of CLIENT for each field of the
# model that it takes, and writes into OUTPUT a line for each that does not come back the same: the number of the
# field, and what is wrong. SUPPORT has the module that makes values.
[client, support, count, seed, output, "--" | command] = System.argv()
Code.require_file(support)

defmodule Sent do
  alias SynapseBridge.Message.Field
  alias SynapseBridge.RandomValues

  # Only Python knows the bits of a flag.
  @refusals [~r/a number of flags/]

  def problems(rpc, client, count) do
    [%{type: {:message, carrier}}] = rpc.request.__synapse__(:fields)

    for %{name: name, type: {:nullable, type}} = field <- carrier.__synapse__(:fields),
        "m" <> position = field.python,
        problem <- type |> problem(name, rpc, client, count) |> List.wrap(),
        do: [position, " ", String.replace(problem, "\n", "\\n"), "\n"]
  end

  defp problem(type, name, rpc, client, count) do
    Enum.find_value(1..count, fn _ ->
      outcome = outcome(type, name, rpc, client)
      if is_binary(outcome), do: outcome
    end)
  end

  defp outcome(type, name, rpc, client) do
    value = RandomValues.value(type, 3)
    argument = struct!(elem(argument_type(rpc), 1), [{name, value}])

    case apply(client, rpc.function, [argument]) do
      {:ok, %{^name => received}} ->
        difference(value, received, "") || :ok

      {:error, %{violations: [_ | _] = violations} = error} ->
        if Enum.all?(violations, &known?/1),
          do: :refused,
          else: "#{Exception.message(error)}; sent #{show(value)}"

      {:error, error} ->
        "#{Exception.message(error)}; sent #{show(value)}"
    end
  rescue
    error -> Exception.format(:error, error, Enum.take(__STACKTRACE__, 4))
  end

  defp known?(violation), do: Enum.any?(@refusals, &Regex.match?(&1, violation.message))

  defp argument_type(rpc), do: hd(rpc.request.__synapse__(:fields)).type

  # The first place that differs, or nil. What was not sent, Python has filled in.
  defp difference(sent, received, path)

  defp difference(%module{} = sent, %module{} = received, path) do
    cond do
      module == MapSet -> each(MapSet.to_list(sent), MapSet.to_list(received), path)
      function_exported?(module, :__synapse__, 1) -> fields(sent, received, path)
      true -> plain(sent, received, path)
    end
  end

  # Maps by their entries, sets by their items: keys may hold what was not sent, too.
  defp difference(%{} = sent, %{} = received, path)
       when not is_map_key(sent, :__struct__) and not is_map_key(received, :__struct__),
       do: each(Map.to_list(sent), Map.to_list(received), path)

  defp difference([one | sent], [other | received], path),
    do: difference(one, other, path <> "[]") || difference(sent, received, path)

  defp difference(sent, received, path) when is_tuple(sent) and is_tuple(received),
    do: difference(Tuple.to_list(sent), Tuple.to_list(received), path)

  defp difference(sent, received, path), do: plain(sent, received, path)

  defp fields(%module{} = sent, received, path) do
    Enum.find_value(module.__synapse__(:fields), fn field ->
      value = Map.fetch!(sent, field.name)
      at = "#{path}.#{field.name}"
      unless unsent?(field, value), do: difference(value, Map.fetch!(received, field.name), at)
    end)
  end

  defp each(sent, received, path) when length(sent) == length(received) do
    Enum.find_value(sent, fn one ->
      differences = Enum.map(received, &difference(one, &1, path))

      unless Enum.member?(differences, nil),
        do: "#{path}: sent #{show(one)}, received none like it"
    end)
  end

  defp each(sent, received, path), do: plain(sent, received, path)

  defp plain(same, same, _), do: nil
  defp plain(sent, received, path), do: "#{path}: sent #{show(sent)}, received #{show(received)}"

  defp unsent?(field, value) do
    case Field.unsent(field) do
      :never -> true
      {:ok, unsent} when field.presence != :required -> value === unsent
      _ -> false
    end
  end

  defp show(value), do: inspect(value, limit: :infinity, printable_limit: :infinity)
end

:rand.seed(:exsss, String.to_integer(seed))
Logger.configure(level: :warning)
{:ok, _} = Application.ensure_all_started(:synapse_bridge)
client = Module.concat([client])

{:ok, supervisor} =
  Supervisor.start_link([{client, server: [command: command]}], strategy: :one_for_one)

rpcs = client.__synapse__(:rpcs)
File.write!(output, Enum.map(rpcs, &Sent.problems(&1, client, String.to_integer(count))))
Supervisor.stop(supervisor)
