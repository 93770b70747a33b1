defmodule SynapseBridge.Tool.Parameters do
  @moduledoc false
  # What a tool takes: the JSON Schema for the model, and the way from what the model gives to what
  # the handler gets.

  alias SynapseBridge.Tool
  alias SynapseBridge.Tool.{Json, Schema, Shape, Spec}

  @enforce_keys [:schema]
  defstruct [:schema, :shape]

  @typedoc "With a shape, the parameters come from a spec."
  @type t :: %__MODULE__{schema: %{String.t() => term()}, shape: Shape.t() | nil}

  @none %{"type" => "object", "properties" => %{}, "additionalProperties" => false}

  @doc "The parameters of a tool. Raises `ArgumentError` where it is none."
  @spec new!(Tool.t()) :: t()
  def new!(%Tool{} = tool) do
    check!(tool)
    parameters!(tool)
  rescue
    error in ArgumentError ->
      reraise ArgumentError, "tool #{inspect(tool.name)}: #{error.message}", __STACKTRACE__
  end

  defp check!(%Tool{name: name, description: description, handler: handler} = tool) do
    unless is_binary(name) and name =~ ~r/\A[a-zA-Z0-9_-]{1,64}\z/,
      do: raise(ArgumentError, "a name has 1 to 64 letters, digits, _ and -")

    unless is_binary(description) and String.valid?(description),
      do: raise(ArgumentError, "expected a text as description, got: #{inspect(description)}")

    unless is_function(handler, 1) or is_function(handler, 2),
      do:
        raise(
          ArgumentError,
          "expected a handler of one or two arguments, got: #{inspect(handler)}"
        )

    unless is_boolean(tool.sequential),
      do:
        raise(
          ArgumentError,
          "expected true or false for sequential, got: #{inspect(tool.sequential)}"
        )
  end

  defp parameters!(%{parameters: nil}), do: %__MODULE__{schema: @none}

  defp parameters!(%{parameters: schema}) when is_map(schema) and not is_struct(schema) do
    case Json.from(schema) do
      {:ok, %{"type" => "object"} = schema} ->
        %__MODULE__{schema: schema}

      {:ok, _other} ->
        raise ArgumentError,
              "parameters are a JSON Schema of the type \"object\", got: #{inspect(schema)}"

      {:error, text} ->
        raise ArgumentError, "the JSON Schema of the parameters has #{text}"
    end
  end

  defp parameters!(%{parameters: module} = tool) when is_atom(module) do
    {function, arity} = function!(module, tool)
    shape = Spec.shape!(module, function, arity)
    %__MODULE__{schema: Shape.schema(shape), shape: shape}
  end

  defp parameters!(%{parameters: other}),
    do:
      raise(
        ArgumentError,
        "expected a JSON Schema or a module as parameters, got: #{inspect(other)}"
      )

  # The handler itself where it is a function of that module, or else the one with the tool's name.
  defp function!(module, %{handler: handler, name: name}) do
    info = Function.info(handler)

    if info[:type] == :external and info[:module] == module do
      {info[:name], info[:arity]}
    else
      {existing!(module, name), info[:arity]}
    end
  end

  defp existing!(module, name) do
    Code.ensure_loaded(module)
    String.to_existing_atom(name)
  rescue
    ArgumentError ->
      reraise ArgumentError,
              "#{inspect(module)} has no function #{name}: capture the handler from it " <>
                "(&#{inspect(module)}.fun/1)",
              __STACKTRACE__
  end

  @doc "The arguments as the handler gets them, or what is wrong with them, for the model."
  @spec arguments(t(), term()) :: {:ok, map()} | {:error, String.t()}
  def arguments(%__MODULE__{}, arguments) when not is_map(arguments),
    do: {:error, "the arguments should be a JSON object"}

  def arguments(%__MODULE__{shape: nil, schema: schema}, arguments) do
    case Schema.check(arguments, schema) do
      [] -> {:ok, arguments}
      wrongs -> {:error, misfits(wrongs)}
    end
  end

  def arguments(%__MODULE__{shape: shape}, arguments) do
    with {:error, wrongs} <- Shape.cast(shape, arguments), do: {:error, misfits(wrongs)}
  end

  defp misfits(wrongs), do: "the arguments do not fit: #{Enum.join(wrongs, "; ")}"
end
