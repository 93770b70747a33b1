defmodule SynapseBridge.ErrorTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.{Error, Rpc, Status, Violation, WireVectors}

  @vectors Path.expand("../support/wire/vectors.txt", __DIR__)

  @details "grpc-status-details-bin"

  setup do
    %{bytes: WireVectors.all(@vectors)["google.rpc.Status"]}
  end

  defp error(trailers),
    do: Error.from_status(%Status{code: 3, message: "2 violations", trailers: trailers})

  test "details that Python wrote become structs, violations and the reason", %{bytes: bytes} do
    error = error([{"x-shard", "7"}, {@details, bytes}])

    assert error.code == :invalid_argument
    assert error.message == "2 violations"
    assert error.reason == "pydantic_core._pydantic_core.ValidationError"
    assert error.metadata == %{"x-shard" => "7"}

    assert error.violations == [
             %Violation{
               path: "data.age",
               rule: "int_type",
               message: "Input should be a valid integer"
             },
             %Violation{path: "data", rule: "My-Rule", message: "Odd"}
           ]

    assert [
             %Rpc.BadRequest{field_violations: [_, _]},
             %Rpc.ErrorInfo{reason: "VALIDATION_ERROR", domain: "shop.orders.v1.OrdersService"},
             %Rpc.DebugInfo{stack_entries: ["a.py:1", "b.py:2"], detail: "trace"},
             %Rpc.RetryInfo{retry_delay: %Rpc.Duration{seconds: -1, nanos: -500_000_000}},
             %Rpc.Any{type_url: "type.googleapis.com/google.rpc.Help", value: value}
           ] = error.details

    assert value =~ "https://example.com"
  end

  test "a detail whose bytes are broken is kept as it came" do
    any = %Rpc.Any{type_url: "type.googleapis.com/google.rpc.BadRequest", value: <<10>>}
    status = %Rpc.Status{code: 3, details: [any]}
    error = error([{@details, status |> Rpc.Status.encode() |> IO.iodata_to_binary()}])
    assert {error.details, error.violations, error.reason} == {[any], [], nil}
  end

  test "an exception that was too large is named in a hint" do
    info = %Rpc.ErrorInfo{
      metadata: %{"omitted" => "shop.v1.OutOfStock", "omitted_bytes" => "50000", "room" => "4000"}
    }

    any = %Rpc.Any{
      type_url: "type.googleapis.com/google.rpc.ErrorInfo",
      value: info |> Rpc.ErrorInfo.encode() |> IO.iodata_to_binary()
    }

    status = %Rpc.Status{code: 3, details: [any]}
    error = error([{@details, status |> Rpc.Status.encode() |> IO.iodata_to_binary()}])
    assert error.hint =~ "left out the exception shop.v1.OutOfStock, which takes 50000 bytes"
    assert error.hint =~ "max_metadata_size"
    assert Exception.message(error) =~ error.hint
  end

  test "details that cannot be read stay in the metadata" do
    error = error([{@details, <<255>>}])
    assert {error.details, error.metadata} == {[], %{@details => <<255>>}}
  end

  test "every status code has its name" do
    for code <- 0..16 do
      assert Error.from_status(%Status{code: code}).code == Status.name(code)
    end
  end

  test "the text of an error" do
    assert Exception.message(%Error{code: :unavailable, message: "no connection"}) ==
             "unavailable: no connection"

    assert Exception.message(%Error{code: :cancelled}) == "cancelled"

    violations = [
      %Violation{path: "a", rule: "missing", message: "Field required"},
      %Violation{path: "", rule: "model_type", message: "Odd"}
    ]

    assert Exception.message(Error.invalid(violations)) ==
             "invalid_argument: a: Field required (missing); Odd (model_type)"
  end
end
