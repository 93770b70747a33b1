defmodule SynapseBridge.Rpc.BadRequest do
  @moduledoc """
  `google.rpc.BadRequest`: which fields of a request were wrong.
  """
  use SynapseBridge.Message

  message do
    field :field_violations, 1, {:list, {:message, SynapseBridge.Rpc.BadRequest.FieldViolation}},
      default: []
  end
end

defmodule SynapseBridge.Rpc.BadRequest.FieldViolation do
  @moduledoc """
  `google.rpc.BadRequest.FieldViolation`: what was wrong with one field.
  """
  use SynapseBridge.Message

  message do
    field :field, 1, :string, default: "", doc: "Path of the field."
    field :description, 2, :string, default: "", doc: "What is wrong."
    field :reason, 3, :string, default: "", doc: "The rule, in UPPER_SNAKE_CASE."
  end
end
