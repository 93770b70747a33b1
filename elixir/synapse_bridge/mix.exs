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
      deps: []
    ]
  end

  # There is no application module: a channel is put into the supervision tree of whoever uses it.
  def application do
    [extra_applications: [:logger, :crypto, :public_key, :ssl]]
  end

  defp elixirc_paths(:test), do: ["lib", "test/support"]
  defp elixirc_paths(_env), do: ["lib"]
end
