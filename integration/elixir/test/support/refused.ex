defmodule Integration.Refused do
  @moduledoc "Asserting that arguments were refused."

  import ExUnit.Assertions

  @doc "Asserts that a call was refused because of what is at `path`."
  def assert_refused(answer, path) do
    assert {:error, %SynapseBridge.Error{code: :invalid_argument, violations: violations}} =
             answer

    assert path in Enum.map(violations, & &1.path)
  end
end
