defmodule SynapseBridge.Agent.ConversationTest do
  use ExUnit.Case, async: true

  alias Agents.{Message, UsageLimitExceeded}
  alias Agents.Support.{Conversation, Finished, Result}
  alias SynapseBridge.{Channel, Error, ScriptedServer, Tool, Wire}

  import SynapseBridge.AgentPeer
  import SynapseBridge.Eventually
  import ScriptedServer, only: [accept_http2: 1, read: 1, read_call: 1, write: 2]

  setup do
    server = ScriptedServer.listen()
    channel = start_supervised!({Channel, target: server.target})
    conversation = start_supervised!({Conversation, channel: channel})
    %{conversation: conversation, connection: accept_http2(server), channel: channel}
  end

  defp messages(texts), do: Enum.map(texts, &%Message{text: &1})

  defp result(texts), do: %Result{output: List.last(texts), new_messages: messages(texts)}

  defp texts(messages), do: Enum.map(messages, & &1.text)

  defp ask(conversation, prompt, opts \\ []),
    do: Task.async(fn -> Conversation.ask(conversation, prompt, opts) end)

  # Until so many processes wait for their turn.
  defp waiting(conversation, count),
    do: eventually(fn -> :queue.len(:sys.get_state(conversation).waiting) == count end)

  test "each run knows what was said before", %{conversation: talk, connection: connection} do
    for {history, said} <- [{[], ["a", "b"]}, {["a", "b"], ["c", "d"]}] do
      task = ask(talk, "next")
      {id, request} = read_run(connection)
      assert texts(request.message_history) == history
      answer(connection, id, result(said))
      assert {:ok, %Result{}} = Task.await(task)
    end

    assert talk |> Conversation.history() |> texts() == ["a", "b", "c", "d"]
    assert Conversation.reset(talk, messages(["x"])) == :ok
    assert talk |> Conversation.history() |> texts() == ["x"]
    assert Conversation.reset(talk) == :ok
    assert Conversation.history(talk) == []
  end

  test "questions take turns, in their order", %{conversation: talk, connection: connection} do
    first = ask(talk, "1")
    {id, %{prompt: "1"}} = read_run(connection)
    second = ask(talk, "2")
    waiting(talk, 1)
    third = ask(talk, "3")
    waiting(talk, 2)
    ScriptedServer.assert_silent(connection)
    answer(connection, id, result(["1"]))
    assert {:ok, _} = Task.await(first)

    {id, %{prompt: "2", message_history: [%{text: "1"}]}} = read_run(connection)
    answer(connection, id, result(["2"]))
    {id, %{prompt: "3", message_history: history}} = read_run(connection)
    assert texts(history) == ["1", "2"]
    answer(connection, id, result(["3"]))
    assert [ok: %{output: "2"}, ok: %{output: "3"}] = Task.await_many([second, third])
  end

  test "a run that fails is not remembered", %{conversation: talk, connection: connection} do
    task = ask(talk, "1")
    {id, _} = read_run(connection)
    head(connection, id)
    fail(connection, id, %UsageLimitExceeded{detail: "d"})
    assert {:error, %UsageLimitExceeded{detail: "d"}} = Task.await(task)
    assert {:error, %Error{code: :invalid_argument}} = Conversation.ask(talk, 1)
    assert_next(talk, connection)
  end

  test "a process that dies gives its turn to the next, or its place in the row",
       %{conversation: talk, connection: connection} do
    [first, second] =
      for prompt <- ["1", "2"], do: spawn(fn -> Conversation.ask(talk, prompt) end)

    {id, _} = read_run(connection)
    waiting(talk, 1)
    [holder] = for pid <- [first, second], pid == :sys.get_state(talk).turn.pid, do: pid
    other = if holder == first, do: second, else: first
    Process.exit(other, :kill)
    waiting(talk, 0)
    Process.exit(holder, :kill)
    assert read(connection) == {:rst_stream, id, :cancel}
    assert_next(talk, connection)
  end

  # Nothing is remembered, and the next one has its turn.
  defp assert_next(talk, connection) do
    task = ask(talk, "next")
    assert {id, %{prompt: "next", message_history: []}} = read_run(connection)
    answer(connection, id, result(["n"]))
    assert {:ok, _} = Task.await(task)
  end

  test "a run that is under way at a reset is not remembered",
       %{conversation: talk, connection: connection} do
    task = ask(talk, "1")
    {id, _} = read_run(connection)
    Conversation.reset(talk, messages(["x"]))
    answer(connection, id, result(["1"]))
    assert {:ok, %{output: "1"}} = Task.await(task)
    assert talk |> Conversation.history() |> texts() == ["x"]
  end

  test "options are those of the conversation, and of the question",
       %{channel: channel, connection: connection} do
    tool = %Tool{name: "a", handler: & &1}

    {:ok, talk} =
      Conversation.start_link(
        channel: channel,
        message_history: messages(["x"]),
        metadata: %{"who" => "a"},
        tools: [tool]
      )

    task = ask(talk, "1", metadata: %{"who" => "b"})
    {id, %{"who" => "b"}, %{tools: [%{name: "a"}]} = request} = read_session(connection)
    assert texts(request.message_history) == ["x"]
    head(connection, id)
    finish(connection, id, result(["1"]))
    assert {:ok, _} = Task.await(task)

    assert_raise ArgumentError, ~r/a conversation has its own :message_history/, fn ->
      Conversation.ask(talk, "1", message_history: [])
    end

    assert_raise ArgumentError, ~r/expected a SynapseBridge.Tool/, fn ->
      Conversation.start_link(tools: [1])
    end
  end

  describe "a stream" do
    test "is remembered when it is read to its end", %{conversation: talk, connection: connection} do
      {:ok, events} = Conversation.ask_stream(talk, "1")
      ScriptedServer.assert_silent(connection)

      for history <- [[], ["1"]] do
        task = Task.async(fn -> Enum.to_list(events) end)
        {id, %{message_history: before}} = read_run(connection)
        assert texts(before) == history
        head(connection, id)
        finish(connection, id, result(["1"]))
        assert [%Finished{result: %{output: "1"}}] = Task.await(task)
      end

      assert talk |> Conversation.history() |> texts() == ["1", "1"]
    end

    test "that is halted or fails is not remembered",
         %{conversation: talk, connection: connection} do
      {:ok, events} = Conversation.ask_stream(talk, "1")
      task = Task.async(fn -> Enum.take(events, 1) end)
      {id, _} = read_run(connection)
      head(connection, id)
      tell(connection, id, %Agents.TextDelta{text: "a"})
      assert [%{text: "a"}] = Task.await(task)
      assert read(connection) == {:rst_stream, id, :cancel}

      task = Task.async(fn -> assert_raise UsageLimitExceeded, fn -> Enum.to_list(events) end end)
      {id, _} = read_run(connection)
      head(connection, id)
      fail(connection, id, %UsageLimitExceeded{detail: "d"})
      Task.await(task)

      assert {:error, %Error{code: :invalid_argument}} = Conversation.ask_stream(talk, 1)
      assert_next(talk, connection)
    end

    test "would wait for itself", %{conversation: talk, connection: connection} do
      {:ok, events} = Conversation.ask_stream(talk, "1")

      task =
        Task.async(fn ->
          assert_raise ArgumentError,
                       ~r/in the middle of a stream of the same conversation/,
                       fn ->
                         Enum.each(events, fn _ -> Conversation.ask(talk, "2") end)
                       end
        end)

      {id, _} = read_run(connection)
      head(connection, id)
      tell(connection, id, %Agents.TextDelta{text: "a"})
      Task.await(task)
      assert read(connection) == {:rst_stream, id, :cancel}
      assert_next(talk, connection)
    end
  end

  test "the history as JSON is made by the server",
       %{channel: channel, connection: connection} do
    {:ok, talk} = Conversation.start_link(channel: channel, message_history: messages(["x"]))
    task = Task.async(fn -> Conversation.dump(talk) end)
    {id, %{":path" => path}, bytes} = read_call(connection)
    assert path == "/agents.v1.AgentsService/SupportDumpMessages"
    assert bytes == bytes(%Agents.SupportMessages{result: messages(["x"])})
    write(connection, Wire.response(id, bytes(%Agents.SupportText{result: "json"})))
    assert Task.await(task) == {:ok, "json"}
  end

  test "goes into a supervision tree, once for each name", %{channel: channel} do
    names = for n <- 1..2, do: :"#{__MODULE__}.#{n}"

    start_supervised!(%{
      id: :tree,
      type: :supervisor,
      start:
        {Supervisor, :start_link,
         [
           for(name <- names, do: {Conversation, name: name, channel: channel}),
           [strategy: :one_for_one]
         ]}
    })

    for name <- names do
      Conversation.reset(name, messages(["x"]))
      pid = Process.whereis(name)
      monitor = Process.monitor(pid)
      Process.exit(pid, :kill)
      assert_receive {:DOWN, ^monitor, :process, ^pid, :killed}
      eventually(fn -> Process.whereis(name) not in [nil, pid] end)
      assert Conversation.history(name) == []
    end
  end

  test "who asks when it dies exits", %{conversation: talk, connection: connection} do
    Process.flag(:trap_exit, true)
    task = ask(talk, "1")
    {id, _} = read_run(connection)
    stop_supervised!(Conversation)
    answer(connection, id, result(["1"]))
    assert {:exit, {:noproc, _}} = Task.yield(task)
  end
end
