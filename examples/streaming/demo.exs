# ./pants run examples/streaming:demo

show = fn reading -> IO.puts("  #{reading.sensor}: #{reading.celsius} °C") end

# A Python generator is an Enumerable. This one has no end: whoever takes three stops it after three.
{:ok, readings} = Sensors.measure("attic")
IO.puts("Three readings:")
readings |> Enum.take(3) |> Enum.each(show)

# Any Enumerable is an argument where Python has an iterator, also one that comes from Python.
case readings |> Stream.take(1_000) |> Sensors.summarize() do
  {:ok, summary} ->
    IO.puts("#{summary.count} readings, #{Float.round(summary.mean, 2)} °C in the mean. Warmest:")
    show.(summary.warmest)

  {:error, %SynapseBridge.Error{} = error} ->
    IO.puts("Error: #{Exception.message(error)}")
end

# Both at once: for each reading that goes there, one comes back.
{:ok, smoothed} = readings |> Stream.take_every(10) |> Sensors.smooth(window: 2)
IO.puts("Smoothed:")
smoothed |> Enum.take(3) |> Enum.each(show)

# What Python says that it raises has a name here as well.
{:error, %Sensors.NoReadings{message: message}} = Sensors.summarize([])
IO.puts("No readings: #{message}")
