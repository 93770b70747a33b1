defmodule SynapseBridge.Tensor.Codec do
  @moduledoc false
  # A tensor on the wire:
  #
  #     message Tensor { string dtype = 1; repeated int64 shape = 2; bytes data = 3; }

  alias SynapseBridge.{Cast, Tensor}

  defmodule Message do
    @moduledoc false
    use SynapseBridge.Message

    message do
      field :dtype, 1, :string, default: ""
      field :shape, 2, {:list, :int64}, default: []
      field :data, 3, :bytes, default: ""
    end
  end

  def value(:tensor, %Tensor{} = tensor, path, _) do
    case Tensor.fault(tensor) do
      nil -> tensor
      rule -> Cast.invalid(path, rule)
    end
  end

  def value(:tensor, _, path, _), do: Cast.invalid(path, :tensor_type)

  def __encode__(%Tensor{dtype: dtype, shape: shape, data: data}),
    do: Message.__encode__(%Message{dtype: dtype, shape: shape, data: data})

  def __decode__(binary, depth) do
    with %Message{} = message <- Message.__decode__(binary, depth) do
      tensor = %Tensor{dtype: message.dtype, shape: message.shape, data: message.data}

      case Tensor.fault(tensor) do
        nil -> tensor
        rule -> {:"$error", [], rule}
      end
    end
  end
end
