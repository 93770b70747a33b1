defmodule SynapseBridge.Message.Shared do
  @moduledoc false
  # Entries of maps and wrappers that occur in many messages. Each has a module with its encode and
  # decode functions, in place of a copy in each message that has one: the entry of an open
  # model's extra keys, say, would be a third of what there is to compile for a message of ten
  # fields.

  values = [:any, :string, :bool, :int64, :double]
  maps = for value <- values, do: {:map, :string, value}
  lists = for item <- [:any, :string, :int64, :double], do: {:list, item}

  @modules (for type <- maps ++ Enum.map(maps ++ lists, &{:wrapped, &1}), into: %{} do
              text = inspect(type)
              name = ~r/\w+/ |> Regex.scan(text) |> Enum.map_join(&Macro.camelize(hd(&1)))
              {type, Module.concat(__MODULE__, name)}
            end)

  @doc "The module of a wrapper or of the entries of a map, or nil where it is not shared."
  @spec module(term()) :: module() | nil
  def module(type), do: Map.get(@modules, type)

  @doc "All types that have a module, with it."
  @spec modules() :: %{term() => module()}
  def modules, do: @modules
end

alias SynapseBridge.Message.{Decoder, Encoder, Shape, Shared}

for {type, module} <- Shared.modules() do
  shapes = Shape.apart(type)
  functions = Encoder.functions(shapes) ++ Decoder.functions(shapes)

  contents =
    quote do
      @moduledoc false
      @dialyzer :no_improper_lists

      unquote_splicing(functions)
    end

  Module.create(module, contents, Macro.Env.location(__ENV__))
end
