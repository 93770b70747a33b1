defmodule SynapseBridge.ViolationTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.Violation

  doctest SynapseBridge.Violation

  # What the server writes for the same places (src/synapse_bridge/serve/path.py).
  test "keys that are no identifiers are JSON strings" do
    for {key, text} <- [
          {"EUR", ".EUR"},
          {"_a1", "._a1"},
          {"1a", ~S(["1a"])},
          {"", ~S([""])},
          {"é", ~S(["é"])},
          {"say \"hi\" \\", ~S(["say \"hi\" \\"])},
          {"a\nb\tc\rd\be\ff", ~S(["a\nb\tc\rd\be\ff"])},
          {<<1, 0x1F>>, ~S(["\u0001\u001f"])},
          {7, "[7]"},
          {-7, "[-7]"},
          {true, "[1]"},
          {false, "[0]"}
        ] do
      assert Violation.render(["prices", {:key, key}]) == "prices" <> text
    end
  end

  test "a key at the start has no dot before it" do
    assert Violation.render([{:key, "a"}]) == "a"
    assert Violation.render([{:key, "a b"}]) == ~S(["a b"])
    assert Violation.render([]) == ""
  end
end
