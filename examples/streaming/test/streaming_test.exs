defmodule StreamingTest do
  use ExUnit.Case, async: true

  alias Sensors.{Reading, Summary}

  defp readings(temperatures),
    do: for(celsius <- temperatures, do: %{sensor: "attic", celsius: celsius})

  test "a stream without an end is taken from, as often as one likes" do
    {:ok, readings} = Sensors.measure("attic")
    assert [%Reading{sensor: "attic", celsius: 20.0}, _] = Enum.take(readings, 2)
    assert [20.0, 20.5, 20.99] = readings |> Enum.take(3) |> Enum.map(& &1.celsius)
  end

  test "a stream goes in" do
    assert [20.0, 25.0, 18.0] |> readings() |> Sensors.summarize() ==
             {:ok,
              %Summary{count: 3, mean: 21.0, warmest: %Reading{sensor: "attic", celsius: 25.0}}}
  end

  test "what comes from one function goes into another" do
    assert %Summary{count: 10_000} =
             "attic" |> Sensors.measure!() |> Stream.take(10_000) |> Sensors.summarize!()
  end

  test "a stream goes in while another comes out" do
    assert [10.0, 20.0, 30.0]
           |> readings()
           |> Sensors.smooth!(window: 2)
           |> Enum.map(& &1.celsius) ==
             [10.0, 15.0, 25.0]
  end

  test "an exception that Python declares is the call's error" do
    assert {:error, %Sensors.NoReadings{message: "no thermometer has shown anything"}} =
             Sensors.summarize([])
  end

  test "an item that does not fit is told by its position" do
    assert {:error, %SynapseBridge.Error{code: :invalid_argument, violations: [violation]}} =
             [20.0, "hot"] |> readings() |> Sensors.summarize()

    assert violation.path == "readings[1].celsius"
  end
end
