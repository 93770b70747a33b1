# test/support/wire/everything.proto in Elixir.

defmodule SynapseBridge.Fixtures.Color do
  @moduledoc "A colour."
  use SynapseBridge.Enum

  enum do
    value :red, 1, "rouge", name: "RED"
    value :green, 2, "it's \"green\"", name: "GREEN", doc: "Like grass."
    value :far, 300, 300, name: "FAR"
  end
end

defmodule SynapseBridge.Fixtures.Leaf do
  @moduledoc "A leaf."
  use SynapseBridge.Message

  message do
    field :name, 1, {:nullable, :string}, default: nil
    field :weight, 2, {:nullable, :int64}, default: nil
    field :marks, 3, {:list, :int64}, default: []
  end
end

defmodule SynapseBridge.Fixtures.Everything do
  @moduledoc "Every type there is."
  use SynapseBridge.Message

  alias SynapseBridge.Fixtures.{Color, Leaf}

  message do
    field :flag, 1, {:nullable, :bool}, default: nil
    field :count, 2, {:nullable, :int64}, default: nil
    field :size, 3, {:nullable, :uint64}, default: nil
    field :ratio, 4, {:nullable, :double}, default: nil
    field :text, 5, {:nullable, :string}, default: nil
    field :data, 6, {:nullable, :bytes}, default: nil
    field :color, 7, {:nullable, {:enum, Color}}, default: nil
    field :leaf, 8, {:nullable, {:message, Leaf}}, default: nil

    field :flags, 9, {:list, :bool}, default: []
    field :counts, 10, {:list, :int64}, default: []
    field :sizes, 11, {:list, :uint64}, default: []
    field :ratios, 12, {:list, :double}, default: []
    field :texts, 13, {:list, :string}, default: []
    field :chunks, 14, {:list, :bytes}, default: []
    field :colors, 15, {:list, {:enum, Color}}, default: []
    field :leaves, 16, {:list, {:message, Leaf}}, default: []

    field :by_name, 17, {:map, :string, :int64}, default: %{}
    field :by_number, 18, {:map, :int64, :string}, default: %{}
    field :by_flag, 19, {:map, :bool, {:message, Leaf}}, default: %{}
    field :series, 20, {:map, :uint64, {:wrapped, {:list, :double}}}, default: %{}

    field :list, 21, {:wrapped, {:list, :int64}}, default: [9]
    field :maybe, 22, {:wrapped, {:nullable, :string}}, optional: true
    field :grid, 23, {:list, {:wrapped, {:list, :int64}}}, default: []
    field :gaps, 24, {:list, {:wrapped, {:nullable, :double}}}, default: []
    field :table, 25, {:wrapped, {:map, :string, :int64}}, optional: true
    field :names, 26, {:wrapped, {:nullable, {:wrapped, {:list, :string}}}}, optional: true
    field :inner, 27, {:nullable, {:message, __MODULE__}}, default: nil

    field :far, 2047, {:nullable, :int64}, default: nil
    field :farther, 2048, {:nullable, :string}, default: nil
    field :farthest, 536_870_911, {:nullable, :bool}, default: nil
  end
end

# More fields than a decoder keeps in arguments, in two-byte tags as well.
defmodule SynapseBridge.Fixtures.Wide do
  @moduledoc false
  use SynapseBridge.Message

  message do
    for n <- 1..10 do
      field :"flag_#{n}", n, :bool, required: true
      field :"count_#{n}", 10 + n, :int64, default: -n
      field :"texts_#{n}", 20 + n, {:list, :string}, default: []

      field :"leaf_#{n}", 30 + n, {:nullable, {:message, SynapseBridge.Fixtures.Leaf}},
        default: nil

      field :"ratios_#{n}", 40 + n, {:wrapped, {:list, :double}}, default: [0.5]
      field :"color_#{n}", 50 + n, {:enum, SynapseBridge.Fixtures.Color}, required: true

      field :"shade_#{n}", 60 + n, {:nullable, {:enum, SynapseBridge.Fixtures.Color}},
        default: nil
    end
  end
end

defmodule SynapseBridge.Fixtures.Described do
  @moduledoc "Described."
  use SynapseBridge.Message

  message do
    field :data, 1, :bytes, optional: true, min_length: 1, max_length: 2
    field :tags, 2, {:wrapped, {:list, {:string, min_length: 2}}}, default: ["é"], min_length: 1
    field :names, 3, {:map, :string, {:double, lt: 1.5}}, required: true, max_length: 1
    field :odd, 4, :string, required: true, pattern: "`", doc: "Two\nlines."
  end
end
