defmodule SynapseBridge.MixProject do
  use Mix.Project

  @version "0.1.0"

  def project do
    [
      app: :synapse_bridge,
      version: @version,
      elixir: "~> 1.14",
      description: "The Elixir runtime of Synapse Bridge: call typed Python functions over gRPC.",
      package: [licenses: ["Apache-2.0"]],
      elixirc_paths: elixirc_paths(Mix.env()),
      start_permanent: Mix.env() == :prod,
      deps: deps()
    ]
  end

  # There is no application module: a channel is put into the supervision tree of whoever uses it.
  def application do
    [extra_applications: [:logger, :crypto, :public_key, :ssl]]
  end

  # The runtime needs nothing. The library `grpc` is named where SYNAPSE_BRIDGE_GRPC is `hex` or the folder
  # that it is in: then `SynapseBridge.Transport.GRPC` is compiled, after it. Without Hex, Mix stops at
  # the name alone, even of an optional dependency.
  defp deps do
    case System.get_env("SYNAPSE_BRIDGE_GRPC", "") do
      "" -> []
      "hex" -> [{:grpc, "~> 1.0", optional: true}, {:gun, "~> 2.0", only: :test}]
      folder -> [{:grpc, path: folder, optional: true}]
    end
  end

  defp elixirc_paths(:test), do: ["lib", "test/support"]
  defp elixirc_paths(_env), do: ["lib"]
end
