# mix run echo.exs CLIENT INPUT OUTPUT
#
# Has the client's modules decode the results in INPUT, check them as arguments, and encode them into OUTPUT.
# A record of INPUT: size and name of the method, size and bytes of its response. One of OUTPUT: 0 and the
# request, or 1 and what is wrong; its size before it.
[client, input, output] = System.argv()
rpcs = Map.new(Module.concat([client]).__synapse__(:rpcs), &{Path.basename(&1.path), &1})

defmodule Echo do
  def records(<<>>, _), do: []

  def records(<<n::32, name::binary-size(n), m::32, bytes::binary-size(m), rest::binary>>, rpcs) do
    [record(Map.fetch!(rpcs, name), bytes) | records(rest, rpcs)]
  end

  defp record(rpc, bytes) do
    answer =
      try do
        echo(rpc, bytes)
      rescue
        error -> <<1, Exception.format(:error, error, Enum.take(__STACKTRACE__, 3))::binary>>
      end

    [<<byte_size(answer)::32>>, answer]
  end

  defp echo(rpc, bytes) do
    with {:ok, %{result: result}} <- rpc.response.decode(bytes),
         {:ok, request} <- argument(rpc, result) do
      IO.iodata_to_binary([0, rpc.request.encode(request)])
    else
      {:error, violations} -> <<1, Enum.map_join(violations, "\n", &to_string/1)::binary>>
    end
  end

  defp argument(rpc, result) do
    with {:error, violations} <- rpc.request.new(%{value: result}) do
      # Which member of a union a map is meant to be, a caller has to say where several fit.
      if Enum.all?(violations, &(&1.rule == "union_ambiguous")),
        do: {:ok, struct!(rpc.request, value: result)},
        else: {:error, violations}
    end
  end
end

File.write!(output, input |> File.read!() |> Echo.records(rpcs))
