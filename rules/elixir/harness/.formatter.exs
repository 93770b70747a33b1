[
  inputs: ["*.exs"]
]
