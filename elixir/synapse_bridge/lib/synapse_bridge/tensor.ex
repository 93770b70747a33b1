defmodule SynapseBridge.Tensor do
  @moduledoc """
  An array of numbers: `numpy.ndarray` in Python.

    * `:dtype` - numpy's name of the type of the elements: `"float32"`, `"int64"`, `"bool"` …
    * `:shape` - the size of each dimension, `[]` for a single number;
    * `:data` - the elements in C order (the last dimension varies fastest), little-endian. A
      `complex64` is two 32-bit floats, a `bool` one byte.

  Where Nx is loaded, `from_nx/1` and `to_nx/1` convert without looking at the elements.

      iex> SynapseBridge.Tensor.new("int16", [2, 2], <<1::16-little, 2::16-little, 3::16-little, 4::16-little>>)
      {:ok, %SynapseBridge.Tensor{dtype: "int16", shape: [2, 2], data: <<1, 0, 2, 0, 3, 0, 4, 0>>}}
  """

  # It is used where it is loaded, and the project compiles without it.
  @compile {:no_warn_undefined, Nx}

  @enforce_keys [:dtype, :shape, :data]
  defstruct [:dtype, :shape, :data]

  @type t :: %__MODULE__{dtype: String.t(), shape: [non_neg_integer()], data: binary()}

  # numpy's types of a fixed size: bytes of an element, and Nx's type where it has the same.
  @types %{
    "bool" => {1, {:u, 8}},
    "int8" => {1, {:s, 8}},
    "int16" => {2, {:s, 16}},
    "int32" => {4, {:s, 32}},
    "int64" => {8, {:s, 64}},
    "uint8" => {1, {:u, 8}},
    "uint16" => {2, {:u, 16}},
    "uint32" => {4, {:u, 32}},
    "uint64" => {8, {:u, 64}},
    "float16" => {2, {:f, 16}},
    "float32" => {4, {:f, 32}},
    "float64" => {8, {:f, 64}},
    "complex64" => {8, {:c, 64}},
    "complex128" => {16, {:c, 128}}
  }

  @max_int64 0x7FFF_FFFF_FFFF_FFFF

  @doc "A checked tensor."
  @spec new(String.t(), [non_neg_integer()], binary()) ::
          {:ok, t()} | {:error, [SynapseBridge.Violation.t()]}
  def new(dtype, shape, data) do
    tensor = %__MODULE__{dtype: dtype, shape: shape, data: data}

    case fault(tensor) do
      nil -> {:ok, tensor}
      rule -> {:error, [SynapseBridge.Violation.new([], rule)]}
    end
  end

  @doc false
  @spec fault(t()) :: nil | atom()
  def fault(%__MODULE__{dtype: dtype, shape: shape, data: data}) do
    case @types do
      %{^dtype => {size, _}} -> fault(shape, size, data)
      _ -> :tensor_dtype
    end
  end

  defp fault(shape, size, data) do
    cond do
      not (is_list(shape) and List.improper?(shape) == false) -> :tensor_shape
      not Enum.all?(shape, &(is_integer(&1) and &1 >= 0 and &1 <= @max_int64)) -> :tensor_shape
      not is_binary(data) -> :bytes_type
      Enum.reduce(shape, size, &(&1 * &2)) != byte_size(data) -> :tensor_size
      true -> nil
    end
  end

  @doc """
  The `Nx.Tensor` of the same elements. Raises `ArgumentError` where Nx is not loaded.
  """
  @spec to_nx(t()) :: struct()
  def to_nx(%__MODULE__{} = tensor) do
    {_, type} = Map.fetch!(@types, tensor.dtype)
    nx = nx()
    tensor.data |> nx.from_binary(type) |> nx.reshape(List.to_tuple(tensor.shape))
  end

  @doc """
  The tensor of an `Nx.Tensor`. Raises `ArgumentError` where Nx is not loaded, or for a type that
  numpy does not have, such as `bf16`.
  """
  @spec from_nx(struct()) :: t()
  def from_nx(nx_tensor) do
    nx = nx()
    type = nx.type(nx_tensor)

    # Nx keeps booleans as `u8`.
    case for {name, {_, ^type}} <- @types, name != "bool", do: name do
      [dtype] ->
        %__MODULE__{
          dtype: dtype,
          shape: nx_tensor |> nx.shape() |> Tuple.to_list(),
          data: nx.to_binary(nx_tensor)
        }

      [] ->
        raise ArgumentError, "numpy has no type for #{inspect(type)}: cast the tensor first"
    end
  end

  defp nx do
    if Code.ensure_loaded?(Nx) do
      Nx
    else
      raise ArgumentError, "Nx is not loaded: add {:nx, \"~> 0.5\"} to the dependencies"
    end
  end
end
