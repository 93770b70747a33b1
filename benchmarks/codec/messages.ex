# What is encoded and decoded, as the tables that a generator writes.

defmodule Codec.Owner do
  use SynapseBridge.Message

  message do
    field :id, 1, :int64, required: true
    field :name, 2, :string, required: true
    field :score, 3, :double, required: true
  end
end

defmodule Codec.Account do
  use SynapseBridge.Message

  message do
    field :id, 1, :int64, required: true
    field :name, 2, :string, required: true
    field :email, 3, :string, required: true
    field :age, 4, :int64, required: true
    field :score, 5, :double, required: true
    field :active, 6, :bool, required: true
    field :tags, 7, {:list, :string}, required: true
    field :payload, 8, :bytes, required: true
    field :delta, 9, :int64, required: true
    field :owner, 10, {:nullable, {:message, Codec.Owner}}, required: true
  end
end

defmodule Codec.Embedding do
  use SynapseBridge.Message

  message do
    field :values, 1, {:list, :double}, required: true
  end
end

defmodule Codec.Owners do
  use SynapseBridge.Message

  message do
    field :owners, 1, {:list, {:message, Codec.Owner}}, required: true
  end
end

defmodule Codec.Wide do
  use SynapseBridge.Message

  message do
    for n <- 1..200 do
      case rem(n, 4) do
        0 -> field :"field_#{n}", n, {:nullable, :double}, default: nil
        1 -> field :"field_#{n}", n, :int64, required: true
        2 -> field :"field_#{n}", n, :string, required: true
        3 -> field :"field_#{n}", n, {:nullable, :bool}, default: nil
      end
    end
  end
end
