defmodule SynapseBridge.Message.FuzzTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.Fuzz

  # Many more are run by hand: see `SynapseBridge.Fuzz`.
  test "broken bytes are read or refused with a violation, and what is read can be sent" do
    assert %{read: read, refused: refused} = Fuzz.run(20_000, 1)
    assert read > 1000
    assert refused > 1000
  end
end
