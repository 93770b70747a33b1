defmodule Odd.NamesTest do
  use ExUnit.Case

  alias Integration.Server
  alias Odd.Names

  setup_all do
    start_supervised!({Names, Server.channel()})
    :ok
  end

  test "functions of every client leave their names to it" do
    assert Names.call_(%{text: "a"}) == {:ok, %Names.CallRequest{text: "a"}}

    assert Names.child_spec_(%{}) ==
             {:ok, %Names.Kernel{end_: "end", do_: 1, nil_: false, fn_: nil}}

    assert %{id: _, start: {_, _, _}} = Names.child_spec(target: "127.0.0.1:1")
  end

  test "parameters that are called like options of a call get an underscore" do
    assert Names.rpc_(1, timeout_: "a", channel_: "b", metadata_: 2, timeout: 5_000) ==
             {:ok, "1 a b 2"}
  end

  test "functions of Kernel and special forms are ordinary names" do
    assert Names.inspect(%{value: "a"}) == {:ok, %Names.String{value: "a", values: []}}
    request = %Names.Request{new: 5}

    assert Names.unquote_(request, %{name: "service", result: %{pb: "x"}}, 7) ==
             {:ok, %Names.Service{name: "service 5 7", result: %Names.Any{pb: "x"}}}
  end

  test "reserved words are fields with an underscore, by their own name in a violation" do
    assert {:ok, %Names.Kernel{end_: "x", nil_: true}} =
             Names.child_spec_(%{"end" => "x", "nil" => true})

    assert {:error, error} = Names.child_spec_(%{end_: 1})
    assert [%SynapseBridge.Violation{path: "child.end"}] = error.violations
  end

  test "names of protobuf's own are fields" do
    map = %Names.Map{items: [1], value: %Names.Kernel{}, has_field: true, clear: "c"}
    assert {:ok, %Names.TupleOfBoth{first: ^map, second: any}} = Names.send(map, %{self: "s"})
    assert any == %Names.Any{self: "s"}
  end

  test "reserved words are members of enums, odd texts of literals" do
    assert Names.alias_("nil", "nil") |> elem(1) |> length() == 2

    for literal <- ["do", "a b", "é", "", 7, true] do
      assert {:ok, [:end, :unspecified]} = Names.alias_(:end, literal)
    end

    assert {:error, _} = Names.alias_(:end, 1)
    assert {:error, _} = Names.alias_(:end, "7")
  end

  test "what is left" do
    assert Names.raise_(%{"a" => 1}, [2, 3]) == {:ok, 6}
    assert Names.main() == {:ok, []}
    assert Names.main(argv: ["a"]) == {:ok, ["a"]}
    assert Names.bytes("ä") == {:ok, %{"ä" => 1}}
  end
end
