defmodule SynapseBridge.Fixtures.Celsius do
  @moduledoc "A temperature, which is a number of kelvins to Python."
  @behaviour SynapseBridge.Custom

  @enforce_keys [:degrees]
  defstruct [:degrees]

  @type t :: %__MODULE__{degrees: float()}

  @impl true
  def to_wire(%__MODULE__{degrees: degrees}), do: {:ok, round((degrees + 273.15) * 100)}
  def to_wire(_), do: {:error, "Input should be a Celsius"}

  @impl true
  def from_wire(-1), do: {:error, "There is nothing below absolute zero"}
  def from_wire(kelvin), do: {:ok, %__MODULE__{degrees: Float.round(kelvin / 100 - 273.15, 2)}}
end

defmodule SynapseBridge.Fixtures.Kinds do
  @moduledoc "Every kind of value that is no container, once."
  use SynapseBridge.Message

  message do
    field :bigint, 1, :bigint, required: true
    field :datetime, 2, :datetime, required: true
    field :naive_datetime, 3, :naive_datetime, required: true
    field :date, 4, :date, required: true
    field :time, 5, :time, required: true
    field :timedelta, 6, :timedelta, required: true
    field :uuid, 7, :uuid, required: true
    field :decimal, 8, :decimal, required: true
    field :path, 9, :path, required: true
    field :url, 10, :url, required: true
    field :email, 11, :email, required: true
    field :ip, 12, :ip, required: true
    field :ipv4, 13, :ipv4, required: true
    field :ipv6, 14, :ipv6, required: true
    field :ipv4_interface, 15, :ipv4_interface, required: true
    field :ipv6_interface, 16, :ipv6_interface, required: true
    field :ip_interface, 17, :ip_interface, required: true
    field :ipv4_network, 18, :ipv4_network, required: true
    field :ipv6_network, 19, :ipv6_network, required: true
    field :ip_network, 20, :ip_network, required: true
    field :regex, 21, :regex, required: true
    field :secret_string, 22, :secret_string, required: true
    field :secret_bytes, 23, :secret_bytes, required: true
    field :any, 24, :any, required: true
    field :tensor, 25, :tensor, required: true
    field :custom, 26, {:custom, SynapseBridge.Fixtures.Celsius, :int64}, required: true
  end
end

defmodule SynapseBridge.Fixtures.CatKind do
  @moduledoc false
  use SynapseBridge.Enum, literal: true

  enum do
    value :cat, 1, "cat"
  end
end

defmodule SynapseBridge.Fixtures.DogKind do
  @moduledoc false
  use SynapseBridge.Enum, literal: true

  enum do
    value :dog, 1, "dog"
    value :puppy, 2, "puppy"
  end
end

defmodule SynapseBridge.Fixtures.Cat do
  @moduledoc false
  use SynapseBridge.Message

  message do
    field :kind, 1, {:enum, SynapseBridge.Fixtures.CatKind}, default: :cat
    field :lives, 2, :int64, default: 9
    field :friend, 3, {:nullable, {:union, SynapseBridge.Fixtures.Pet}}, default: nil
  end
end

defmodule SynapseBridge.Fixtures.Dog do
  @moduledoc false
  use SynapseBridge.Message

  message do
    field :kind, 1, {:enum, SynapseBridge.Fixtures.DogKind}, required: true
    field :name, 2, :string, required: true
    field :lives, 3, :int64, default: 1
  end
end

defmodule SynapseBridge.Fixtures.Pet do
  @moduledoc "Told apart by a field."
  use SynapseBridge.Union, discriminator: "kind"

  union do
    member :cat, 1, {:message, SynapseBridge.Fixtures.Cat}, doc: "Meows."
    member :dog, 2, {:message, SynapseBridge.Fixtures.Dog}
  end
end

defmodule SynapseBridge.Fixtures.Options do
  @moduledoc "A TypedDict."
  use SynapseBridge.Message, struct: false

  message do
    field :name, 1, :string, required: true
    field :size, 2, :int64, optional: true
    field :note, 3, {:wrapped, {:nullable, :string}}, optional: true
    field :tags, 4, {:wrapped, {:list, :string}}, optional: true
    field :since, 5, {:nullable, :date}, required: true
    field :pet, 6, {:union, SynapseBridge.Fixtures.Pet}, optional: true
  end
end

defmodule SynapseBridge.Fixtures.Scalars do
  @moduledoc "Members that the BEAM can tell apart, and two that it cannot."
  use SynapseBridge.Union

  union do
    member :bool, 1, :bool
    member :int, 2, :int64
    member :float, 3, :double
    member :str, 4, :string
    member :bytes, 5, :bytes
    member :datetime, 6, :datetime
    member :list, 7, {:wrapped, {:list, :int64}}
    member :options, 8, {:message, SynapseBridge.Fixtures.Options}
    member :color, 9, {:enum, SynapseBridge.Fixtures.Color}
    member :triple, 10, {:tuple, [:int64, :int64, :int64]}
    member :pair, 11, {:tuple, [:bool, :int64]}
  end
end

defmodule SynapseBridge.Fixtures.Open do
  @moduledoc "Keeps the keys that are no fields."
  use SynapseBridge.Message

  message do
    field :name, 1, :string, required: true
    field :full_name, 2, :string, computed: true
    field :extra, 3, {:map, :string, :any}, extra: true
  end
end

defmodule SynapseBridge.Fixtures.OutOfStock do
  @moduledoc "An exception of Python's."
  use SynapseBridge.Message, exception: true

  message do
    field :sku, 1, :string, required: true
    field :left, 2, :int64, default: 0
  end
end

defmodule SynapseBridge.Fixtures.Upload do
  @moduledoc false
  use SynapseBridge.Message

  message do
    field :name, 1, :string, required: true
    field :chunk, 2, {:wrapped, {:list, :int64}}, streamed: true
  end
end

defmodule SynapseBridge.Fixtures.Containers do
  @moduledoc "Containers, and every other kind inside them."
  use SynapseBridge.Message

  alias SynapseBridge.Fixtures.{Celsius, Color, Open, Options, Pet, Scalars}

  message do
    field :numbers, 1, {:set, :int64}, default: []
    field :days, 2, {:set, :date}, required: true
    field :colors, 3, {:wrapped, {:set, {:enum, Color}}}, default: [:red]
    field :pair, 4, {:tuple, [:int64, {:nullable, :string}]}, required: true

    field :deep, 5, {:tuple, [{:list, :double}, {:tuple, [:bool]}, {:map, :string, :bigint}]},
      default: {[], {true}, %{}}

    field :pet, 6, {:nullable, {:union, Pet}}, default: nil
    field :scalars, 7, {:list, {:union, Scalars}}, default: []
    field :options, 8, {:list, {:message, Options}}, default: []
    field :open, 9, {:nullable, {:message, Open}}, default: nil
    field :by_day, 10, {:map, :date, :decimal}, default: %{}
    field :by_pair, 11, {:map, {:tuple, [:int64, :string]}, {:union, Pet}}, default: %{}
    field :by_color, 12, {:map, {:enum, Color}, :any}, default: %{}
    field :any, 13, {:list, :any}, default: []
    field :spans, 14, {:list, :timedelta}, default: []
    field :big, 15, {:list, :bigint}, default: []
    field :temperatures, 16, {:list, {:custom, Celsius, :int64}}, default: []
    field :maybe, 17, {:wrapped, {:nullable, :datetime}}, optional: true
    field :secrets, 18, {:map, :secret_string, :secret_bytes}, default: %{}
  end
end

defmodule SynapseBridge.Fixtures.Bounded do
  @moduledoc "Constraints of containers and kinds."
  use SynapseBridge.Message

  message do
    field :few, 1, {:set, {:double, allow_inf_nan: false}}, default: [], max_length: 400
    field :token, 2, :secret_bytes, required: true, min_length: 2
    field :pair, 3, {:tuple, [:int64, :bool]}, required: true
    field :special, 4, :decimal, required: true, allow_inf_nan: true
  end
end

defmodule SynapseBridge.Fixtures.Holder do
  @moduledoc false
  use SynapseBridge.Message

  message do
    field :name, 1, :string, required: true

    field :login, 2, {:union, SynapseBridge.Fixtures.Scalars}, required: true, redact: true
  end
end
