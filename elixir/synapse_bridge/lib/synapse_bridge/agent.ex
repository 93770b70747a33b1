defmodule SynapseBridge.Agent do
  @moduledoc """
  What `use` in the module of an agent gives: a pydantic-ai agent, called from here.

      defmodule MyAgents.Support do
        use SynapseBridge.Agent,
          client: MyAgents,
          prefix: :support,
          result: MyAgents.Support.Result,
          event: MyAgents.Support.Event

        @type prompt :: String.t()
        @type messages :: [struct()]
        @type option :: SynapseBridge.Agent.option()
        @type error :: SynapseBridge.Error.t()
      end

  Such modules are generated, beside the client of the Python module that the agent is in. `:client`
  is that client, whose functions begin with `:prefix` (`support_run` …); `:result` is the message of a
  result, and `:event` the union of what a run tells of itself. The types say what is particular to the
  agent. Its channel is the client's:

      children = [{MyAgents, target: "localhost:50051"}]

  ## Runs

      {:ok, result} = MyAgents.Support.run("Where is my order 12?", deps: %{id: 7})
      result.output
      #=> %MyAgents.Reply{text: "It arrives tomorrow.", escalate: false}

  The result has the `output`, of the agent's output type, the `usage`, the `new_messages` of the run,
  and its `run_id`. `run_sync/2` is the same function under pydantic-ai's other name.

  `run_stream/2` is worth a lazy `Enumerable` of events. Each enumeration is a run of its own. It ends
  with the `Finished` event that has the result; one that stops early cancels the run and with it the
  request to the model. `text_stream/2` has the pieces of text alone. `start_stream/2` is the form for
  processes that cannot wait: events come as messages, as `SynapseBridge.Stream` describes.

  ## Options

  Beside the agent's own (`:deps`, `:message_history`, `:model_settings`, `:usage_limits`, `:model`), and
  the options of every call (`t:SynapseBridge.Client.option/0`):

    * `:tools` - a list of `SynapseBridge.Tool`: functions of this node that the model may call;
    * `:on_approval` - a function that decides about calls of the agent's tools that need approval. It
      gets the `ApprovalRequest`, and returns `true`, `false`, `{:approve, arguments}` to have the tool
      called with others, or `{:deny, text}` to tell the model why not. Without it, or where it raises
      or returns something else, such calls are denied;
    * `:tool_timeout` - how long a handler may take: milliseconds or `:infinity`, by default 60,000.
      What people decide takes as long as it takes;
    * `:max_concurrency` - how many handlers may run at once; by default as many as the model asks for.

  A run with `:tools` or `:on_approval` is a conversation with the server, and so a call that streams: it
  has no deadline unless `:timeout` or the channel's `:stream_timeout` gives it one.

  ## Handlers

  A handler runs in a task of its own, under a supervisor that belongs to the run. Those that a model asks
  for at once run in parallel, unless their tool is `sequential`. However a run ends - its result,
  an error, a stream that is halted, the death of the process that called - its handlers are killed with
  it. `"$callers"` and the trace of the caller are known in them.

  What becomes of a handler that fails is told in `SynapseBridge.Tool`. It never ends the run: the
  model is told, and decides.

  ## Messages

  `result.new_messages` are structs, and go into the `:message_history` of a next run as they are.
  `dump_messages/2` writes them as the JSON that pydantic-ai itself stores, and `load_messages/2` reads
  it. `SynapseBridge.Agent.Conversation` is a process that keeps the history.

  ## Errors

  What pydantic-ai raises are exceptions here too, with their fields:

      case MyAgents.Support.run(prompt) do
        {:ok, result} -> result.output
        {:error, %MyAgents.UsageLimitExceeded{}} -> :too_long
        {:error, error} -> raise error
      end
  """

  alias SynapseBridge.Agent.{Session, Toolbox}
  alias SynapseBridge.Client
  alias SynapseBridge.Client.{Rpc, Streaming}
  alias SynapseBridge.Union

  @enforce_keys [:module, :client, :prefix]
  defstruct @enforce_keys

  @typedoc "What an agent's module knows of itself, as `__synapse__(:agent)` returns it."
  @type t :: %__MODULE__{module: module(), client: module(), prefix: atom()}

  @typedoc "An option of every run."
  @type option ::
          {:tools, [SynapseBridge.Tool.t()]}
          | {:on_approval, (request :: struct() -> approval())}
          | {:tool_timeout, timeout()}
          | {:max_concurrency, pos_integer() | :infinity}
          | SynapseBridge.Client.option()

  @typedoc "What `:on_approval` decides."
  @type approval :: boolean() | {:approve, arguments :: map()} | {:deny, reason :: String.t()}

  @doc false
  defmacro __using__(options) do
    [client, result, event] =
      for name <- [:client, :result, :event],
          do: options |> Keyword.fetch!(name) |> reference(__CALLER__)

    quote do
      @synapse_agent %SynapseBridge.Agent{
        module: __MODULE__,
        client: unquote(client),
        prefix: unquote(Keyword.fetch!(options, :prefix))
      }

      @typedoc "The result of a run."
      @type result :: unquote(result).t()

      @typedoc "What a run tells of itself while it runs."
      @type event :: unquote(event).t()

      @doc false
      def __synapse__(:kind), do: :agent
      def __synapse__(:agent), do: @synapse_agent

      @doc """
      Runs the agent with a prompt, and waits for the result.

      Options: `t:option/0`, which `SynapseBridge.Agent` explains.
      """
      @spec run(prompt(), [option()]) :: {:ok, result()} | {:error, error()}
      def run(prompt, opts \\ []), do: SynapseBridge.Agent.run(@synapse_agent, prompt, opts)

      @doc "Same as `run/2`, but returns the bare result and raises the error."
      @spec run!(prompt(), [option()]) :: result()
      def run!(prompt, opts \\ []), do: SynapseBridge.Agent.run!(@synapse_agent, prompt, opts)

      @doc "Same as `run/2`."
      @spec run_sync(prompt(), [option()]) :: {:ok, result()} | {:error, error()}
      def run_sync(prompt, opts \\ []), do: run(prompt, opts)

      @doc "Same as `run!/2`."
      @spec run_sync!(prompt(), [option()]) :: result()
      def run_sync!(prompt, opts \\ []), do: run!(prompt, opts)

      @doc """
      Runs the agent with a prompt, as a lazy stream of `t:event/0`.

      Each enumeration is a run of its own, which an error ends by raising it, and which is cancelled
      where the enumeration stops early. Nothing is called before. Options as for `run/2`.
      """
      @spec run_stream(prompt(), [option()]) :: {:ok, Enumerable.t()} | {:error, error()}
      def run_stream(prompt, opts \\ []),
        do: SynapseBridge.Agent.run_stream(@synapse_agent, prompt, opts)

      @doc "Same as `run_stream/2`, but returns the bare stream and raises the error."
      @spec run_stream!(prompt(), [option()]) :: Enumerable.t()
      def run_stream!(prompt, opts \\ []),
        do: SynapseBridge.Agent.run_stream!(@synapse_agent, prompt, opts)

      @doc "Same as `run_stream/2`, but the stream has the pieces of text alone, as strings."
      @spec text_stream(prompt(), [option()]) :: {:ok, Enumerable.t()} | {:error, error()}
      def text_stream(prompt, opts \\ []),
        do: SynapseBridge.Agent.text_stream(@synapse_agent, prompt, opts)

      @doc "Same as `text_stream/2`, but returns the bare stream and raises the error."
      @spec text_stream!(prompt(), [option()]) :: Enumerable.t()
      def text_stream!(prompt, opts \\ []),
        do: SynapseBridge.Agent.text_stream!(@synapse_agent, prompt, opts)

      @doc """
      Same as `run_stream/2`, but the run begins at once, and its events come as messages to the calling
      process: see `SynapseBridge.Stream`.
      """
      @spec start_stream(prompt(), [option()]) ::
              {:ok, SynapseBridge.Stream.t()} | {:error, error()}
      def start_stream(prompt, opts \\ []),
        do: SynapseBridge.Agent.start_stream(@synapse_agent, prompt, opts)

      @doc """
      Writes messages as JSON, as pydantic-ai's `ModelMessagesTypeAdapter` does.

      Members of JSON objects that a tool takes or returns may come in another order than in Python.

      Options: `t:SynapseBridge.Client.option/0`.
      """
      @spec dump_messages(messages(), [SynapseBridge.Client.option()]) ::
              {:ok, String.t()} | {:error, SynapseBridge.Error.t()}
      def dump_messages(messages, opts \\ []),
        do: SynapseBridge.Agent.call(@synapse_agent, :dump_messages, messages, opts)

      @doc "Same as `dump_messages/2`, but returns the bare text and raises the error."
      @spec dump_messages!(messages(), [SynapseBridge.Client.option()]) :: String.t()
      def dump_messages!(messages, opts \\ []),
        do: SynapseBridge.Agent.call!(@synapse_agent, :dump_messages, messages, opts)

      @doc """
      Reads messages from JSON that `dump_messages/2` or pydantic-ai itself has written.

      What is no such JSON is an `:invalid_argument` with the path to what does not fit. Options:
      `t:SynapseBridge.Client.option/0`.
      """
      @spec load_messages(String.t(), [SynapseBridge.Client.option()]) ::
              {:ok, messages()} | {:error, SynapseBridge.Error.t()}
      def load_messages(json, opts \\ []),
        do: SynapseBridge.Agent.call(@synapse_agent, :load_messages, json, opts)

      @doc "Same as `load_messages/2`, but returns the bare messages and raises the error."
      @spec load_messages!(String.t(), [SynapseBridge.Client.option()]) :: messages()
      def load_messages!(json, opts \\ []),
        do: SynapseBridge.Agent.call!(@synapse_agent, :load_messages, json, opts)
    end
  end

  # The modules are needed at the call, not to compile this one.
  defp reference(alias, env), do: Macro.expand(alias, %{env | function: {:__synapse__, 1}})

  @doc "Runs an agent and waits for the result."
  @spec run(t(), term(), keyword()) :: {:ok, struct()} | {:error, Exception.t()}
  def run(%__MODULE__{} = agent, prompt, options) do
    case Toolbox.split!(options) do
      {nil, options} -> Client.call(rpc(agent, :run), %{prompt: prompt}, options)
      {toolbox, options} -> run_session(agent, prompt, toolbox, options)
    end
  end

  defp run_session(agent, prompt, toolbox, options) do
    with {:ok, prepared} <- session(agent, prompt, toolbox, options),
         do: Session.result(prepared)
  end

  @doc "Same as `run/3`, but returns the bare result and raises the error."
  @spec run!(t(), term(), keyword()) :: struct()
  def run!(agent, prompt, options), do: agent |> run(prompt, options) |> bare!()

  @doc "The events of a run as a lazy enumerable."
  @spec run_stream(t(), term(), keyword()) :: {:ok, Enumerable.t()} | {:error, Exception.t()}
  def run_stream(agent, prompt, options) do
    with {:ok, source, prepared} <- prepare_stream(agent, prompt, options),
         do: {:ok, Streaming.enumerable(prepared, source)}
  end

  @doc "Same as `run_stream/3`, but returns the bare enumerable and raises the error."
  @spec run_stream!(t(), term(), keyword()) :: Enumerable.t()
  def run_stream!(agent, prompt, options), do: agent |> run_stream(prompt, options) |> bare!()

  @doc "The text of a run, piece by piece, as a lazy enumerable."
  @spec text_stream(t(), term(), keyword()) :: {:ok, Enumerable.t()} | {:error, Exception.t()}
  def text_stream(agent, prompt, options) do
    with {:ok, events} <- run_stream(agent, prompt, options) do
      deltas = agent |> rpc(:run_stream) |> event_module(:text_delta)
      {:ok, Stream.flat_map(events, &text(&1, deltas))}
    end
  end

  @doc "Same as `text_stream/3`, but returns the bare enumerable and raises the error."
  @spec text_stream!(t(), term(), keyword()) :: Enumerable.t()
  def text_stream!(agent, prompt, options), do: agent |> text_stream(prompt, options) |> bare!()

  defp text(%module{text: text}, module), do: [text]
  defp text(_event, _module), do: []

  @doc "The events of a run as messages to the calling process."
  @spec start_stream(t(), term(), keyword()) ::
          {:ok, SynapseBridge.Stream.t()} | {:error, Exception.t()}
  def start_stream(agent, prompt, options) do
    with {:ok, source, prepared} <- prepare_stream(agent, prompt, options),
         do: {:ok, SynapseBridge.Stream.open(prepared, source)}
  end

  @doc "Calls one of the agent's functions that have a single argument."
  @spec call(t(), :dump_messages | :load_messages, term(), keyword()) ::
          {:ok, term()} | {:error, Exception.t()}
  def call(agent, role, argument, options) do
    rpc = rpc(agent, role)
    [%{name: name}] = rpc.request.__synapse__(:fields)
    Client.call(rpc, %{name => argument}, options)
  end

  @doc "Same as `call/4`, but returns the bare value and raises the error."
  @spec call!(t(), :dump_messages | :load_messages, term(), keyword()) :: term()
  def call!(agent, role, argument, options),
    do: agent |> call(role, argument, options) |> bare!()

  defp bare!({:ok, value}), do: value
  defp bare!({:error, error}), do: raise(error)

  defp prepare_stream(agent, prompt, options) do
    case Toolbox.split!(options) do
      {nil, options} ->
        with {:ok, prepared} <-
               Client.prepare(rpc(agent, :run_stream), %{prompt: prompt}, options),
             do: {:ok, Client.Session, prepared}

      {toolbox, options} ->
        with {:ok, prepared} <- session(agent, prompt, toolbox, options),
             do: {:ok, Session, prepared}
    end
  end

  # The answers are made when the session is opened.
  defp session(agent, prompt, toolbox, options) do
    arguments = %{prompt: prompt, answers: [], tools: Toolbox.definitions(toolbox)}

    with {:ok, {rpc, request, _answers, options}} <-
           Client.prepare(rpc(agent, :session), arguments, options),
         do: {:ok, {rpc, request, toolbox, options}}
  end

  defp rpc(%__MODULE__{client: client, prefix: prefix}, role) do
    function = :"#{prefix}_#{role}"
    Enum.find(client.__synapse__(:rpcs), &(&1.function == function))
  end

  @doc false
  # The module of the event that a run ends with.
  @spec finished_module(t()) :: module()
  def finished_module(agent), do: agent |> rpc(:run_stream) |> event_module(:finished)

  @doc false
  # The module of one kind of event that a call may stream.
  @spec event_module(Rpc.t(), atom()) :: module()
  def event_module(%Rpc{response: response}, tag) do
    %{type: {:union, union}} = Enum.find(response.__synapse__(:fields), &(&1.name == :result))

    %Union.Member{type: {:message, module}} =
      Enum.find(union.__synapse__(:members), &(&1.tag == tag))

    module
  end
end
