defmodule SynapseBridge.Tool do
  @moduledoc """
  A function of this node that an agent may call while it runs.

      tool = %SynapseBridge.Tool{
        name: "stock",
        description: "How many of an article are left.",
        parameters: %{
          type: "object",
          properties: %{sku: %{type: "string"}},
          required: ["sku"]
        },
        handler: fn %{"sku" => sku} -> MyApp.Stock.left(sku) end
      }

      MyAgents.Support.run("Is AB-1 in stock?", tools: [tool])

  The model sees name, description and parameters, and decides whether to call it. The agent runs in
  Python meanwhile; the call comes here, and what the handler returns goes back.

    * `:name` - letters, digits, `_` and `-`, at most 64; none of the agent's own tools has it;
    * `:description` - what the tool does, for the model;
    * `:parameters` - a JSON Schema of type `object`, or a module, as described below. Without it, the
      tool takes no arguments;
    * `:handler` - a function of the arguments, or of the arguments and a map with the `:tool_call_id`
      and the `:tool_name`;
    * `:sequential` - whether no other tool may run at the same time.

  ## What a handler returns

  | returned | what the model gets |
  |---|---|
  | `{:ok, term}`, or any other term | the term, as JSON |
  | `{:error, reason}` | that the tool has failed, with the reason: a text, an atom, the message of an exception, or else `inspect(reason)` |
  | `{:retry, text}` | the text, and with it the wish to call the tool again with better arguments. After as many retries in a row as the agent allows its own tools, the run ends with `ToolRetriesExceeded` |

  JSON is made of `nil`, booleans, numbers, strings, lists and maps. Atoms become strings, as keys too;
  dates and times are written as ISO 8601 has them, and other structs that are text for
  `String.Chars` (a `Decimal`, a `URI`) as that text. Every other struct is refused, so that a model sees only what a handler has
  chosen: `Map.take(order, [:id, :state])`.

  A handler that raises, exits, takes longer than `:tool_timeout`, or returns what is no JSON has
  failed: the model is told that it did, and nothing of why. The reason is logged here.

  ## Arguments

  Models make mistakes. Arguments are checked before the handler is called: what does not fit goes
  back to the model as a wish to try again. Checked are `type`, `enum`, `const`, `properties`,
  `required`, `additionalProperties`, `items`, the bounds of numbers, strings and arrays, `anyOf`,
  `oneOf`, `allOf`, and `$ref` within the schema. Other keywords are for the model only. A handler gets
  JSON, with strings as keys.

  ## Parameters from a spec

  `:parameters` may be a module. The schema is then read from the `@spec` of a function in it: of the
  handler, where that is a capture like `&MyApp.Orders.find/1`, or else of the one that is called as
  the tool is.

      defmodule MyApp.Orders do
        @spec find(%{
                required(:customer) => String.t(),
                optional(:state) => :open | :shipped,
                optional(:limit) => 1..100
              }) :: {:ok, [map()]}
        def find(%{customer: customer} = arguments) do
          # …
        end
      end

      %SynapseBridge.Tool{
        name: "find_orders",
        description: "The orders of a customer.",
        parameters: MyApp.Orders,
        handler: &MyApp.Orders.find/1
      }

  The first argument is a map with atoms as keys, and that is what the handler gets: with `:open` for
  `"open"`, a `Date` where the spec says `Date.t()`, `1.0` for `1` where it says `float()`. Types are
  `String.t()`, `integer()` and its ranges, `float()`, `number()`, `boolean()`, atoms, `nil`, lists,
  maps (`%{optional(String.t()) => type}` among them), `Date.t()`, `Time.t()`, `DateTime.t()`,
  `NaiveDateTime.t()`, `term()`, unions of these, and types that stand for them. Others raise
  `ArgumentError` with the reason.

  Specs are in a module's debug information, which `mix release` strips. Tell it to keep that:

      releases: [my_app: [strip_beams: [keep: ["Dbgi"]]]]

  `schema!/1` returns the schema, for those who would rather write it down.
  """

  alias SynapseBridge.Tool.Parameters

  @enforce_keys [:name, :handler]
  defstruct [:name, :handler, :parameters, description: "", sequential: false]

  @type t :: %__MODULE__{
          name: String.t(),
          description: String.t(),
          parameters: map() | module() | nil,
          handler: handler(),
          sequential: boolean()
        }

  @typedoc "What is called with the arguments, and may want to know which call it is."
  @type handler :: (map() -> term()) | (map(), context() -> term())

  @typedoc "What a handler of two arguments learns about the call."
  @type context :: %{tool_call_id: String.t(), tool_name: String.t()}

  @doc """
  The JSON Schema of a tool's parameters, as the model gets it.

      iex> SynapseBridge.Tool.schema!(%SynapseBridge.Tool{name: "now", handler: fn _ -> "noon" end})
      %{"type" => "object", "properties" => %{}, "additionalProperties" => false}

  Raises `ArgumentError` where the tool is none: what is wrong, and with which tool.
  """
  @spec schema!(t()) :: %{String.t() => term()}
  def schema!(%__MODULE__{} = tool), do: Parameters.new!(tool).schema
end
