defmodule SynapseBridge.OptionalLibrariesTest do
  # Changes what is loaded, for all processes.
  use ExUnit.Case, async: false

  alias SynapseBridge.{Cast, Tensor}
  alias SynapseBridge.Kind.Decimal, as: Kind

  defp cast(value), do: Cast.value(:decimal, value, [], 0)

  defp with_module(name, quoted, function) do
    Module.create(name, quoted, Macro.Env.location(__ENV__))
    :persistent_term.erase(Kind.library())
    function.()
  after
    :code.purge(name)
    :code.delete(name)
    :persistent_term.erase(Kind.library())
  end

  defp decimal(sign, coef, exp), do: %{__struct__: Decimal, sign: sign, coef: coef, exp: exp}

  test "without the library a decimal is the string that Python writes" do
    assert cast("1.50") == "1.50"
    assert cast(3) == "3"
    assert cast(0.1) == "0.1"
    assert Kind.from_wire(:decimal, "-1E+400") == {:ok, "-1E+400"}
    assert Kind.from_wire(:decimal, "x") == {:error, :decimal_text}
    assert Kind.to_wire(:decimal, "1.50") == "1.50"
    # A struct of the library may come from a node that has it.
    assert cast(decimal(1, 150, -2)) == decimal(1, 150, -2)
  end

  test "with the library it is its struct, whose exponent stays" do
    quoted = quote(do: defstruct(sign: 1, coef: 0, exp: 0))

    with_module(Decimal, quoted, fn ->
      for {text, value, wire} <- [
            {"1.50", decimal(1, 150, -2), "150E-2"},
            {"-0", decimal(-1, 0, 0), "-0"},
            {"1E+400", decimal(1, 1, 400), "1E400"},
            {".5", decimal(1, 5, -1), "5E-1"}
          ] do
        assert cast(text) == value
        assert cast(value) == value
        assert Kind.to_wire(:decimal, value) == wire
        assert Kind.from_wire(:decimal, wire) == {:ok, value}
        assert Kind.from_wire(:decimal, text) == {:ok, value}
      end

      assert cast(7) == decimal(1, 7, 0)
      assert Kind.from_wire(:decimal, "NaN") == {:ok, decimal(1, :NaN, 0)}
      assert Kind.from_wire(:decimal, "-Infinity") == {:ok, decimal(-1, :inf, 0)}
      assert Kind.to_wire(:decimal, decimal(-1, :inf, 0)) == "-Infinity"
      assert {:"$invalid", [%{rule: "finite_number"}]} = cast(decimal(1, :NaN, 0))
      assert {:"$invalid", [%{rule: "decimal_type"}]} = cast(decimal(1, -1, 0))
    end)
  end

  test "a tensor goes to Nx and back, where Nx is loaded" do
    assert_raise ArgumentError, ~r/Nx is not loaded/, fn ->
      Tensor.to_nx(%Tensor{dtype: "bool", shape: [], data: <<1>>})
    end

    # As much of Nx as is called.
    quoted =
      quote do
        def from_binary(data, type), do: {type, {byte_size(data)}, data}
        def reshape({type, _, data}, shape), do: {type, shape, data}
        def type({type, _, _}), do: type
        def shape({_, shape, _}), do: shape
        def to_binary({_, _, data}), do: data
      end

    with_module(Nx, quoted, fn ->
      tensor = %Tensor{dtype: "float32", shape: [1, 2], data: <<0::64>>}
      assert Tensor.to_nx(tensor) == {{:f, 32}, {1, 2}, <<0::64>>}
      assert tensor |> Tensor.to_nx() |> Tensor.from_nx() == tensor
      assert %{dtype: "uint8"} = Tensor.from_nx({{:u, 8}, {1}, <<1>>})
      assert_raise ArgumentError, ~r/bf/, fn -> Tensor.from_nx({{:bf, 16}, {1}, <<0, 0>>}) end
    end)
  end
end
