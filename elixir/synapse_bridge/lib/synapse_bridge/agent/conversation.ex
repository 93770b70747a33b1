defmodule SynapseBridge.Agent.Conversation do
  @moduledoc """
  A process that keeps the history of a conversation with an agent, so that each run knows what was
  said before.

      defmodule MyAgents.Support.Conversation do
        use SynapseBridge.Agent.Conversation, agent: MyAgents.Support
      end

  Such modules are generated beside the agent's. One conversation is one process, in a supervision tree
  or linked to whoever starts it:

      {:ok, conversation} = MyAgents.Support.Conversation.start_link(deps: %{customer_id: 7})
      {:ok, first} = MyAgents.Support.Conversation.ask(conversation, "Where is my order?")
      {:ok, second} = MyAgents.Support.Conversation.ask(conversation, "The other one, I mean.")

  The options of `start_link/1` are `:name`, as `GenServer` takes it; `:message_history` to begin with;
  and options of the agent's runs, for all of them. Those of a single `ask/3` take precedence.

  ## Turns

  Questions take turns, in the order in which they are asked: the history that a run gets has all
  answers before it. A run is carried out by the process that asks. Where it fails, is halted, or dies with
  that process, the history stays what it was, and the next one has its turn.

  A stream of `ask_stream/3` has its turn from the beginning of its enumeration to the end.
  Whoever asks meanwhile waits; a process that asks in the middle of its own stream would wait for itself,
  and gets an `ArgumentError` instead.

  ## When it dies

  The history is in this process alone. One that must survive it is for `dump/1`, after each answer,
  and `load_messages/2` with `:message_history` when it starts again. A process that asks when the
  conversation dies exits, as for any `GenServer`.
  """

  use GenServer

  alias SynapseBridge.Agent
  alias SynapseBridge.Agent.Toolbox
  alias SynapseBridge.Channel

  @enforce_keys [:agent, :options, :history]
  defstruct [:agent, :options, :history, :turn, waiting: :queue.new()]

  @typedoc "A conversation: its pid, or what it is registered as."
  @type t :: GenServer.server()

  @call_options [:channel | Channel.Options.call_names()]

  @doc false
  defmacro __using__(options) do
    agent = options |> Keyword.fetch!(:agent) |> Macro.expand(%{__CALLER__ | function: {:ask, 3}})

    quote do
      @doc """
      A conversation as a child of a supervisor; takes the options of `start_link/1`.

      Its id is its name, where it has one, or else this module.
      """
      @spec child_spec(keyword()) :: Supervisor.child_spec()
      def child_spec(options) do
        id = Keyword.get(options, :name, __MODULE__)
        %{id: id, start: {__MODULE__, :start_link, [options]}}
      end

      @doc """
      Starts a conversation.

      Options: `:name`, `:message_history` to begin with, and `t:#{inspect(unquote(agent))}.option/0`
      for all runs.
      """
      @spec start_link(keyword()) :: GenServer.on_start()
      def start_link(options \\ []),
        do: SynapseBridge.Agent.Conversation.start_link(unquote(agent), options)

      @doc """
      Runs the agent with a prompt and all that was said before, and waits for the result.

      Options: `t:#{inspect(unquote(agent))}.option/0` but `:message_history`.
      """
      @spec ask(SynapseBridge.Agent.Conversation.t(), unquote(agent).prompt(), [
              unquote(agent).option()
            ]) :: {:ok, unquote(agent).result()} | {:error, unquote(agent).error()}
      def ask(conversation, prompt, opts \\ []),
        do: SynapseBridge.Agent.Conversation.ask(conversation, prompt, opts)

      @doc """
      Same as `ask/3`, but a lazy stream of `t:#{inspect(unquote(agent))}.event/0`.

      What was said is remembered when the stream is read to its end.
      """
      @spec ask_stream(SynapseBridge.Agent.Conversation.t(), unquote(agent).prompt(), [
              unquote(agent).option()
            ]) :: {:ok, Enumerable.t()} | {:error, unquote(agent).error()}
      def ask_stream(conversation, prompt, opts \\ []),
        do: SynapseBridge.Agent.Conversation.ask_stream(conversation, prompt, opts)

      @doc "All messages so far."
      @spec history(SynapseBridge.Agent.Conversation.t()) :: unquote(agent).messages()
      def history(conversation), do: SynapseBridge.Agent.Conversation.history(conversation)

      @doc """
      Forgets all messages, and remembers others if they are given. A run that is under way is not
      remembered.
      """
      @spec reset(SynapseBridge.Agent.Conversation.t(), unquote(agent).messages()) :: :ok
      def reset(conversation, messages \\ []),
        do: SynapseBridge.Agent.Conversation.reset(conversation, messages)

      @doc "All messages so far, as the JSON that `#{inspect(unquote(agent))}.load_messages/2` reads."
      @spec dump(SynapseBridge.Agent.Conversation.t()) ::
              {:ok, String.t()} | {:error, SynapseBridge.Error.t()}
      def dump(conversation), do: SynapseBridge.Agent.Conversation.dump(conversation)
    end
  end

  @doc "Starts a conversation with the agent of a module; see above for the options."
  @spec start_link(module(), keyword()) :: GenServer.on_start()
  def start_link(agent, options) do
    {server, options} = Keyword.split(options, [:name])
    {history, options} = Keyword.pop(options, :message_history, [])
    # What is wrong with the tools is told to whoever starts it.
    _ = Toolbox.split!(options)
    GenServer.start_link(__MODULE__, {agent.__synapse__(:agent), options, history}, server)
  end

  @doc "Runs the agent and waits for the result, with all that was said before."
  @spec ask(t(), term(), keyword()) :: {:ok, struct()} | {:error, Exception.t()}
  def ask(conversation, prompt, options \\ []) do
    options = own!(options)
    turn = begin(conversation)

    try do
      with {:ok, result} <- Agent.run(turn.agent, prompt, run_options(turn, options)) do
        commit(conversation, turn, result)
        {:ok, result}
      end
    after
      release(conversation, turn)
    end
  end

  @doc "The events of a run as a lazy stream, with all that was said before."
  @spec ask_stream(t(), term(), keyword()) :: {:ok, Enumerable.t()} | {:error, Exception.t()}
  def ask_stream(conversation, prompt, options \\ []) do
    options = own!(options)
    {agent, defaults, _history} = GenServer.call(conversation, :look)

    # What does not fit is an error now, not in the middle of a stream.
    with {:ok, _events} <- Agent.run_stream(agent, prompt, Keyword.merge(defaults, options)) do
      {:ok,
       Stream.resource(
         fn -> {:begun, begin(conversation)} end,
         &events(&1, conversation, prompt, options),
         fn {_stage, turn} -> release(conversation, turn) end
       )}
    end
  end

  defp events({:begun, turn}, conversation, prompt, options) do
    case Agent.run_stream(turn.agent, prompt, run_options(turn, options)) do
      {:ok, events} ->
        finished = Agent.finished_module(turn.agent)
        {Stream.each(events, &remember(&1, finished, conversation, turn)), {:ended, turn}}

      {:error, error} ->
        raise error
    end
  end

  defp events({:ended, turn}, _conversation, _prompt, _options), do: {:halt, {:ended, turn}}

  defp remember(%module{result: result}, module, conversation, turn),
    do: commit(conversation, turn, result)

  defp remember(_event, _finished, _conversation, _turn), do: :ok

  @doc "All messages so far."
  @spec history(t()) :: [struct()]
  def history(conversation) do
    {_agent, _options, history} = GenServer.call(conversation, :look)
    history
  end

  @doc "Forgets all messages, and remembers others in their place."
  @spec reset(t(), [struct()]) :: :ok
  def reset(conversation, messages \\ []) when is_list(messages),
    do: GenServer.call(conversation, {:reset, messages})

  @doc "All messages so far as JSON."
  @spec dump(t()) :: {:ok, String.t()} | {:error, Exception.t()}
  def dump(conversation) do
    {agent, options, history} = GenServer.call(conversation, :look)
    Agent.call(agent, :dump_messages, history, Keyword.take(options, @call_options))
  end

  defp own!(options) do
    if Keyword.has_key?(options, :message_history),
      do:
        raise(
          ArgumentError,
          "a conversation has its own :message_history: reset/2 gives it another"
        )

    options
  end

  defp run_options(turn, options) do
    turn.options |> Keyword.merge(options) |> Keyword.put(:message_history, turn.history)
  end

  defp begin(conversation) do
    case GenServer.call(conversation, :begin, :infinity) do
      {:ok, turn} ->
        turn

      :own_turn ->
        raise ArgumentError,
              "this process is in the middle of a stream of the same conversation: read it to its end " <>
                "before asking again"
    end
  end

  defp commit(conversation, turn, result),
    do: GenServer.call(conversation, {:commit, turn.ref, result.new_messages})

  defp release(conversation, turn), do: GenServer.cast(conversation, {:release, turn.ref})

  # `turn` is who has it, `waiting` who is to have it: pid, monitor, and for those that wait where to
  # reply to. A turn that was reset has lost its claim to be remembered.

  @impl true
  def init({agent, options, history}),
    do: {:ok, %__MODULE__{agent: agent, options: options, history: history}}

  @impl true
  def handle_call(:look, _from, state),
    do: {:reply, {state.agent, state.options, state.history}, state}

  def handle_call(:begin, {pid, _tag}, %{turn: %{pid: pid}} = state),
    do: {:reply, :own_turn, state}

  def handle_call(:begin, {pid, _tag} = from, state) do
    waiting = %{pid: pid, ref: Process.monitor(pid), from: from}
    {:noreply, advance(%{state | waiting: :queue.in(waiting, state.waiting)})}
  end

  def handle_call({:commit, ref, messages}, _from, %{turn: %{ref: ref}} = state) do
    history = if state.turn.remembered?, do: state.history ++ messages, else: state.history
    {:reply, :ok, finish(%{state | history: history}, ref)}
  end

  def handle_call({:reset, messages}, _from, state) do
    turn = state.turn && %{state.turn | remembered?: false}
    {:reply, :ok, %{state | history: messages, turn: turn}}
  end

  @impl true
  def handle_cast({:release, ref}, state), do: {:noreply, finish(state, ref)}

  @impl true
  def handle_info({:DOWN, ref, :process, _pid, _reason}, state) do
    waiting = :queue.filter(&(&1.ref != ref), state.waiting)
    {:noreply, finish(%{state | waiting: waiting}, ref)}
  end

  defp finish(%{turn: %{ref: ref}} = state, ref) do
    Process.demonitor(ref, [:flush])
    advance(%{state | turn: nil})
  end

  defp finish(state, _ended), do: state

  defp advance(%{turn: nil} = state) do
    case :queue.out(state.waiting) do
      {{:value, next}, waiting} ->
        turn = %{
          ref: next.ref,
          agent: state.agent,
          options: state.options,
          history: state.history
        }

        GenServer.reply(next.from, {:ok, turn})
        %{state | waiting: waiting, turn: %{pid: next.pid, ref: next.ref, remembered?: true}}

      {:empty, _} ->
        state
    end
  end

  defp advance(state), do: state
end
