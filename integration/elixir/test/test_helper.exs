# What only the built-in transport promises is left out where another carries the calls.
left_out = if System.get_env("SYNAPSE_TRANSPORT", "") == "", do: [], else: [:built_in]
ExUnit.start(timeout: 60_000, exclude: left_out)
