defmodule GreeterTest do
  use ExUnit.Case, async: true

  test "a greeting comes back from Python" do
    assert MyPythonAgent.process_data(%{name: "Alice", age: 30}) ==
             {:ok, "Hello, Alice! You are 30 years old."}
  end

  test "maps with string keys, keywords and structs are the same argument" do
    greeting = "Hello, Zoë! You are 7 years old."

    for data <- [
          %{"name" => "Zoë", "age" => 7},
          [name: "Zoë", age: 7],
          %MyPythonAgent.InputData{name: "Zoë", age: 7}
        ] do
      assert MyPythonAgent.process_data!(data) == greeting
    end
  end

  test "an age that is no integer is refused, with its path" do
    assert {:error, %SynapseBridge.Error{code: :invalid_argument} = error} =
             MyPythonAgent.process_data(%{name: "Alice", age: "thirty"})

    assert [%SynapseBridge.Violation{path: "data.age", rule: "int_type"}] = error.violations
  end
end
