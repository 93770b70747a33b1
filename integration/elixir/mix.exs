defmodule Integration.MixProject do
  use Mix.Project

  # The driver (conftest.py) lays the runtime and the generated clients out beside this project.
  def project do
    [
      app: :integration,
      version: "0.1.0",
      elixir: "~> 1.14",
      elixirc_paths: ["test/support" | faults()],
      deps: [{:synapse_bridge, path: "../runtime", override: true} | clients() ++ grpc()]
    ]
  end

  def application, do: [extra_applications: [:logger]]

  # The library that carries the calls with SYNAPSE_TRANSPORT=grpc; the runtime reads the same variable.
  defp grpc do
    case System.get_env("SYNAPSE_BRIDGE_GRPC", "") do
      "" -> []
      "hex" -> [{:grpc, "~> 1.0"}, {:gun, "~> 2.0"}]
      folder -> [{:grpc, path: folder}]
    end
  end

  # What harms connections does so with calls of the streams, whose client not all tests lay out.
  defp faults, do: if(File.dir?("../clients/streams"), do: ["test/faults"], else: [])

  defp clients do
    for folder <- Path.wildcard("../clients/*") do
      {folder |> Path.basename() |> String.to_atom(), path: folder}
    end
  end
end
