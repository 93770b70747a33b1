defmodule SynapseBridge.StatusTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.Status

  doctest Status

  test "each of the 17 codes has one name" do
    for code <- 0..16, do: assert(code |> Status.name() |> Status.code() == code)
  end

  test "a local status has no trailers" do
    assert Status.local(:cancelled, "why") == %Status{code: 1, message: "why", trailers: []}
  end
end
