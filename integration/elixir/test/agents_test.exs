defmodule AgentsTest do
  @moduledoc "Agents from Elixir: a prompt says what the model of `helpdesk.py` does."

  use ExUnit.Case

  import ExUnit.CaptureLog
  import Integration.Eventually

  alias Helpdesk.{ApprovalRequest, Judge, Support, TextDelta, ThinkingDelta, ToolRequest}
  alias Helpdesk.{ToolCall, ToolReturn, Verdict}
  alias Helpdesk.Judge.PartialOutput
  alias Helpdesk.Support.{Conversation, Finished, Result}
  alias Integration.Server
  alias SynapseBridge.{Error, Tool}

  setup_all do
    start_supervised!({Helpdesk, Server.channel(backoff: [initial: 20, max: 200])})
    :ok
  end

  # A prompt for the model: one line for each of its responses.
  defp script(lines), do: Enum.join(lines, "\n")

  defp run!(lines, opts), do: lines |> script() |> Support.run!(opts)

  defp requests(what), do: Map.get(Helpdesk.requests!(), what, 0)

  defp tool(name, handler, fields \\ []) do
    struct!(
      %Tool{name: name, description: "A tool.", parameters: %{type: "object"}, handler: handler},
      fields
    )
  end

  # A handler that says when it runs, and returns what it is told to.
  defp obedient do
    test = self()

    fn arguments ->
      send(test, {:running, arguments, self()})
      receive(do: ({:return, value} -> value))
    end
  end

  describe "a run" do
    test "has a result with output, usage, messages and an id" do
      for run <- [&Support.run/2, &Support.run_sync/2] do
        assert {:ok, %Result{output: "Hello there", run_id: id} = result} =
                 run.("say Hello there", timeout: 20_000)

        assert byte_size(id) > 0
        assert %Helpdesk.RunUsage{requests: 1, tool_calls: 0} = result.usage

        assert [%Helpdesk.ModelRequest{}, %Helpdesk.ModelResponse{} = response] =
                 result.new_messages

        assert response.model_name == "scripted"
        assert [%Helpdesk.TextPart{content: "Hello there"}] = response.parts
      end

      assert %Result{output: "x"} = Support.run!("say x")
      assert %Result{output: "x"} = Support.run_sync!("say x")
    end

    test "has the agent's own tools called in Python" do
      calls = ~S(call count_words {"text": "one two three"})
      result = run!([calls, "repeat"], [])
      assert result.output == "count_words success: 3"
      assert result.usage.tool_calls == 1
    end

    test "has a typed output, made with typed deps" do
      prompt =
        script([
          ~S(call customer {"loud": true}),
          ~S(call final_result {"text": "good", "score": 9})
        ])

      assert {:ok, result} = Judge.run(prompt, deps: %{name: "Ada"})
      assert result.output == %Verdict{text: "good", score: 9}

      assert Enum.any?(result.new_messages, fn message ->
               Enum.any?(
                 message.parts,
                 &match?(%{tool_name: "customer", content: {:any, "ADA"}}, &1)
               )
             end)
    end

    test "says what does not fit" do
      assert {:error, %Error{code: :invalid_argument, violations: [violation]}} =
               Judge.run("say x", deps: %{name: ""})

      assert violation.path == "deps.name"

      assert {:error, %Error{code: :invalid_argument, violations: [%{path: "deps"}]}} =
               Judge.run("say x", [])

      assert {:error, %Error{code: :invalid_argument, violations: [%{path: "prompt" <> _}]}} =
               Support.run(17)
    end

    test "takes settings of the model, and a deadline" do
      assert {:ok, _} = Support.run("say x", model_settings: %{max_tokens: 5, temperature: 0.5})
      assert {:error, %Error{code: :deadline_exceeded}} = Support.run("wait", timeout: 50)
    end
  end

  describe "a stream" do
    test "has the events of a run, the result last" do
      lines = ["think Hm.", ~S(call count_words {"text": "a b"}), "say two words"]
      events = lines |> script() |> Support.run_stream!() |> Enum.to_list()

      assert [
               %ThinkingDelta{text: "Hm."},
               %ToolCall{tool_name: "count_words", args: %{"text" => "a b"}, tool_call_id: id},
               %ToolReturn{tool_name: "count_words", content: {:any, 2}, tool_call_id: id},
               %TextDelta{text: "two"},
               %TextDelta{text: " words"},
               %Finished{result: %Result{output: "two words"}}
             ] = events
    end

    test "has what the provider's own tools are called with, and come to" do
      events = script(["search rain"]) |> Support.run_stream!() |> Enum.to_list()

      assert [
               %ToolCall{tool_name: "web_search", args: %{"query" => "rain", "limit" => 1}},
               %ToolReturn{tool_name: "web_search", content: {:any, [%{"title" => "rain"}]}},
               %TextDelta{text: "rain"},
               %Finished{result: %{output: "rain", new_messages: messages}}
             ] = events

      assert [%Helpdesk.NativeToolCallPart{}, %Helpdesk.NativeToolReturnPart{}, _text] =
               List.last(messages).parts

      json = Support.dump_messages!(messages)
      assert Helpdesk.is_json!(json)
      assert json =~ ~S("args":{"query":"rain","limit":1})
      assert Support.load_messages!(json) == messages
      assert Support.run!("prompts", message_history: messages).output == "search rain, prompts"
    end

    test "has outputs as far as they are made" do
      prompt = ~S(call final_result {"text": "a longer text", "score": 3})
      events = prompt |> Judge.run_stream!(deps: [name: "Ada"]) |> Enum.to_list()
      partial = for %PartialOutput{output: output} <- events, do: output
      assert List.last(partial) == %Verdict{text: "a longer text", score: 3}
      assert %{result: %{output: %Verdict{score: 3}}} = List.last(events)
    end

    test "is a run for each enumeration, and none before" do
      before = requests("started")
      {:ok, events} = Support.run_stream("say x")
      assert requests("started") == before
      for _ <- 1..2, do: assert(%Finished{} = events |> Enum.to_list() |> List.last())
      assert requests("started") == before + 2
    end

    test "of text has pieces of text alone" do
      lines = [~S(call count_words {"text": "a b"}), "say two words"]
      assert lines |> script() |> Support.text_stream!() |> Enum.join() == "two words"
      assert {:ok, texts} = Support.text_stream("say x")
      assert Enum.to_list(texts) == ["x"]
    end

    test "comes to a process as messages" do
      {:ok, %{ref: ref} = stream} = Support.start_stream("say two words")
      assert [%TextDelta{}, %TextDelta{}, %Finished{}] = collect(stream, ref, [])
    end

    defp collect(stream, ref, items) do
      assert_receive {^ref, events}, 5000
      items = items ++ for {:item, item} <- events, do: item

      if List.last(events) == :done do
        items
      else
        SynapseBridge.Stream.next(stream)
        collect(stream, ref, items)
      end
    end
  end

  describe "nothing is left" do
    setup do
      eventually(fn -> requests("started") == requests("ended") end)
      {:ok, cancelled: requests("cancelled"), tasks: Helpdesk.tasks!()}
    end

    defp gone(%{cancelled: cancelled, tasks: tasks}) do
      eventually(fn -> requests("cancelled") == cancelled + 1 end)
      eventually(fn -> Helpdesk.tasks!() <= tasks end)
    end

    test "of a stream that is halted", context do
      assert [%TextDelta{text: "wait"}] = Enum.take(Support.run_stream!("wait"), 1)
      gone(context)
    end

    test "of a stream of text that is halted", context do
      assert ["wait"] = Enum.take(Support.text_stream!("wait"), 1)
      gone(context)
    end

    test "of a stream of messages that is cancelled", context do
      {:ok, %{ref: ref} = stream} = Support.start_stream("wait")
      assert_receive {^ref, [item: %TextDelta{}]}, 5000
      SynapseBridge.Stream.cancel(stream)
      gone(context)
    end

    test "of a run whose process dies, or whose time is over", context do
      started = requests("started")
      pid = spawn(fn -> Support.run("wait") end)
      eventually(fn -> requests("started") > started end)
      Process.exit(pid, :kill)
      gone(context)
      Support.run("wait", timeout: 50)
      gone(%{context | cancelled: context.cancelled + 1})
    end

    test "of a session whose model is at work", context do
      events = Support.run_stream!("wait", tools: [tool("a", & &1)])
      assert [%TextDelta{text: "wait"}] = Enum.take(events, 1)
      gone(context)
    end

    test "of a client that goes away while a handler runs", context do
      for leave <- [:halt, :die] do
        events =
          Support.run_stream!(script(["call a {}", "say x"]), tools: [tool("a", obedient())])

        test = self()

        pid =
          spawn(fn ->
            Enum.each(events, fn event ->
              send(test, event)
              if is_struct(event, ToolRequest), do: receive(do: (:leave -> exit(:normal)))
            end)
          end)

        assert_receive {:running, %{}, handler}, 5000
        assert_receive %ToolRequest{tool_name: "a"}
        monitor = Process.monitor(handler)
        if leave == :halt, do: send(pid, :leave), else: Process.exit(pid, :kill)
        assert_receive {:DOWN, ^monitor, :process, _, _}, 5000
      end

      eventually(fn -> Helpdesk.tasks!() <= context.tasks end)
      assert {:ok, _} = Support.run("say x")
    end
  end

  describe "messages" do
    test "are the history of a next run" do
      first = run!(["say one", "ignored"], [])
      second = run!(["prompts"], message_history: first.new_messages)
      assert second.output == "say one, prompts"
      assert length(second.new_messages) == 2
    end

    test "are written as pydantic-ai stores them, and read back" do
      calls = ~S(call count_words {"text": "é 😀"})
      messages = run!(["think Hm.", calls, "say x"], []).new_messages
      json = Support.dump_messages!(messages)
      assert Helpdesk.is_json!(json)
      assert Support.load_messages!(json) == messages
      assert {:ok, ^json} = Support.dump_messages(messages)

      assert Support.run!("prompts", message_history: Support.load_messages!(json)).output =~
               "think"
    end

    @tag :long
    test "of random histories are the same when they have been here" do
      histories = Helpdesk.stored_histories!(60)
      assert length(histories) >= 50

      for json <- histories do
        assert json |> Support.load_messages!() |> Support.dump_messages!() == json
      end
    end

    test "of another version are refused, with the path" do
      for {json, path} <- [
            {"[", "stored"},
            {~S([{"kind": "telegram"}]), "stored[0]"},
            {~S([{"kind": "request", "parts": [{}]}]), "stored[0].request.parts[0]"}
          ] do
        assert {:error, %Error{code: :invalid_argument, violations: [%{path: ^path}]}} =
                 Support.load_messages(json)
      end

      assert {:error, %Error{violations: [%{path: "message_history[0]"}]}} =
               Support.run("say x", message_history: [%{kind: "telegram"}])
    end

    test "of a prompt may be binary" do
      content = ["say x", %Helpdesk.BinaryContent{data: <<0, 255>>, media_type: "image/png"}]
      result = Support.run!(content)
      assert result.output == "x"

      assert %{parts: [%Helpdesk.UserPromptPart{content: ["say x", image]}]} =
               hd(result.new_messages)

      assert %Helpdesk.BinaryContent{data: <<0, 255>>} = image
      messages = result.new_messages
      assert messages |> Support.dump_messages!() |> Support.load_messages!() == messages
      assert Support.run!("prompts", message_history: messages).output == "say x, prompts"
      assert {:error, %Error{code: :invalid_argument}} = Support.run([:no])
    end
  end

  describe "tools of this node" do
    test "are called with what the model gives, and it gets what they return" do
      tool = %Tool{
        name: "stock",
        description: "How many are left.",
        parameters: %{
          type: "object",
          properties: %{sku: %{type: "string"}},
          required: ["sku"]
        },
        handler: fn %{"sku" => sku} -> {:ok, %{sku: sku, left: 3, since: ~D[2024-02-29]}} end
      }

      calls = ~S(call stock {"sku": "AB-1"})

      assert "stock success: " <> json = run!([calls, "repeat"], tools: [tool]).output

      for part <- [~S("left":3), ~S("since":"2024-02-29"), ~S("sku":"AB-1")],
          do: assert(json =~ part)

      events =
        [calls, "say x"] |> script() |> Support.run_stream!(tools: [tool]) |> Enum.to_list()

      assert Enum.any?(events, &match?(%ToolRequest{args: %{"sku" => "AB-1"}}, &1))
      assert Enum.any?(events, &match?(%ToolReturn{content: {:any, %{"left" => 3}}}, &1))
      assert %Finished{result: %Result{output: "x"}} = List.last(events)
    end

    test "run beside each other, and beside the agent's own" do
      calls = ~S(call a {"n": 1}; call a {"n": 2}; call count_words {"text": "one"})
      calls = String.replace(calls, "; call ", "; ")

      task =
        Task.async(
          (fn opts -> fn -> run!([calls, "repeat"], opts) end end).(
            tools: [tool("a", obedient())]
          )
        )

      assert_receive {:running, %{"n" => 1}, first}, 5000
      assert_receive {:running, %{"n" => 2}, second}, 5000
      send(second, {:return, "second"})
      send(first, {:return, "first"})
      output = Task.await(task).output

      for said <- ["a success: first", "a success: second", "count_words success: 1"],
          do: assert(output =~ said)
    end

    test "have the model try again" do
      tool =
        tool("half", fn %{"n" => n} ->
          if rem(n, 2) == 0, do: div(n, 2), else: {:retry, "n is odd"}
        end)

      lines = [~S(call half {"n": 3}), "repeat"]
      assert run!(lines, tools: [tool]).output =~ "n is odd"
      lines = [~S(call half {"n": 3}), ~S(call half {"n": 4}), "repeat"]
      assert run!(lines, tools: [tool]).output == "half success: 2"
    end

    test "have it try again as often in a row as the agent allows, then the run ends" do
      tool = tool("never", fn _ -> {:retry, "no"} end)
      lines = List.duplicate("call never {}", 9)

      assert {:error, %Helpdesk.ToolRetriesExceeded{tool_name: "never", max_retries: 1}} =
               Support.run(script(lines), tools: [tool])

      assert_raise Helpdesk.ToolRetriesExceeded, fn ->
        lines |> script() |> Support.run_stream!(tools: [tool]) |> Stream.run()
      end
    end

    test "have the model try again with arguments that fit, or fail" do
      tool = tool("a", & &1, parameters: %{type: "object", required: ["sku"]})
      assert run!(["call a {}", "repeat"], tools: [tool]).output =~ "sku: is required"
    end

    test "may fail, crash, be late, or return what is no JSON, and the run goes on" do
      tools = [
        tool("says", fn _ -> {:error, "sold out"} end),
        tool("raises", fn _ -> raise "the secret" end),
        tool("late", fn _ -> receive(do: (:never -> :ok)) end),
        tool("tuple", fn _ -> {:a, 1, 2} end)
      ]

      for {name, said} <- [
            {"says", "sold out"},
            {"raises", "the tool raises failed"},
            {"late", "the tool late did not answer within 100 ms"},
            {"tuple", "the tool tuple failed: its result is no JSON"}
          ] do
        {output, log} =
          with_log(fn ->
            run!(["call #{name} {}", "repeat"], tools: tools, tool_timeout: 100).output
          end)

        assert output =~ said
        refute output =~ "secret"
        if name == "raises", do: assert(log =~ "the secret")
      end
    end

    test "that are not there are the model's mistake" do
      assert run!(["call nowhere {}", "repeat"], tools: [tool("a", & &1)]).output =~ "nowhere"
    end

    test "of the agent's own names are refused" do
      assert {:error, %Helpdesk.InvalidTools{detail: detail}} =
               Support.run("say x", tools: [tool("count_words", & &1)])

      assert detail =~ "count_words"
    end

    test "run in the process form" do
      lines = script(["call a {}", "say x"])
      {:ok, %{ref: ref} = stream} = Support.start_stream(lines, tools: [tool("a", fn _ -> 1 end)])
      events = collect(stream, ref, [])
      assert Enum.any?(events, &match?(%ToolReturn{tool_name: "a", content: {:any, 1}}, &1))
      assert %Finished{} = List.last(events)
    end
  end

  describe "the agent's own tools" do
    test "can be called without a model" do
      assert Support.count_words("one two") == {:ok, 2}
      assert Support.count_words!("one two") == 2
      assert Helpdesk.support_count_words!("one") == 1
      assert {:ok, "5 cents for A"} = Support.refund("A", 5)
      assert Judge.customer!(deps: %{name: "Ada"}, loud: true) == "ADA"

      assert {:error, %Error{code: :invalid_argument, violations: [%{path: "cents"}]}} =
               Support.refund("A", "5")
    end
  end

  describe "approvals" do
    @refund ~S(call refund {"order": "A", "cents": 5})

    test "let the agent call its tool" do
      test = self()

      on_approval = fn request ->
        send(test, request)
        true
      end

      assert run!([@refund, "repeat"], on_approval: on_approval).output ==
               "refund success: 5 cents for A"

      assert_received %ApprovalRequest{
        tool_name: "refund",
        args: %{"order" => "A", "cents" => 5},
        tool_call_id: <<_, _::binary>>
      }
    end

    test "may change the arguments" do
      change = fn %{args: args} -> {:approve, %{args | "cents" => 1}} end

      assert run!([@refund, "repeat"], on_approval: change).output ==
               "refund success: 1 cents for A"
    end

    test "may be denied, with a reason" do
      for {decision, said} <- [{false, "denied"}, {{:deny, "too much"}, "too much"}] do
        assert run!([@refund, "repeat"], on_approval: fn _ -> decision end).output =~ said
      end
    end

    test "are denied where nobody can be asked, or the answer is none" do
      for opts <- [[tools: [tool("a", & &1)]], [on_approval: fn _ -> raise "no" end]] do
        {output, log} = with_log(fn -> run!([@refund, "repeat"], opts).output end)
        assert output =~ "denied"
        assert log =~ "refund"
      end
    end

    test "need somebody to ask" do
      assert {:error, %Helpdesk.UnansweredToolCalls{tool_names: ["refund"]}} =
               Support.run(@refund)
    end
  end

  describe "errors are exceptions with fields" do
    test "of the provider, without what it has said" do
      assert {:error, %Helpdesk.ModelHTTPError{status_code: 503, model_name: "scripted"} = error} =
               Support.run("fail 503")

      refute inspect(error) =~ "sk-secret"

      assert_raise Helpdesk.ModelHTTPError, fn -> Support.run!("fail 429") end

      assert_raise Helpdesk.ModelHTTPError, fn ->
        Enum.to_list(Support.run_stream!("fail 429"))
      end

      assert {:error, %Helpdesk.ModelHTTPError{status_code: 500}} =
               Support.run("fail 500", tools: [tool("a", & &1)])
    end

    test "of the limits of a run" do
      calls = ~S(call count_words {"text": "a"})

      assert {:error, %Helpdesk.UsageLimitExceeded{detail: detail}} =
               Support.run(script([calls, "say x"]), usage_limits: %{request_limit: 1})

      assert detail =~ "request_limit"
    end

    test "of a model that calls a tool wrongly, again and again" do
      calls = ~S(call count_words {"text": 1})

      assert {:error, %Helpdesk.ToolRetriesExceeded{tool_name: "count_words", max_retries: 1}} =
               Support.run(script([calls, calls, calls]))
    end

    test "of a model whose output never fits" do
      wrong = ~S(call final_result {"text": "good", "score": 11})

      assert {:error, %Helpdesk.UnexpectedModelBehavior{detail: detail}} =
               Judge.run(script([wrong, wrong, wrong]), deps: %{name: "Ada"})

      assert detail =~ "retries"
    end
  end

  describe "a conversation" do
    test "remembers, forgets, and can be stored" do
      talk = start_supervised!(Conversation)
      assert {:ok, %{output: "a"}} = Conversation.ask(talk, "say a")
      assert {:ok, %{output: "say a, prompts"}} = Conversation.ask(talk, "prompts")
      assert length(Conversation.history(talk)) == 4
      assert {:ok, json} = Conversation.dump(talk)
      assert Support.load_messages!(json) == Conversation.history(talk)
      assert Conversation.reset(talk) == :ok
      assert {:ok, %{output: "prompts"}} = Conversation.ask(talk, "prompts")
      assert Conversation.reset(talk, Support.load_messages!(json)) == :ok
      assert {:ok, %{output: "say a, prompts, prompts"}} = Conversation.ask(talk, "prompts")
    end

    test "takes questions of many processes one after the other" do
      talk = start_supervised!({Conversation, tools: [tool("a", fn _ -> 1 end)]})

      results =
        1..8
        |> Enum.map(&Task.async(fn -> Conversation.ask(talk, "say #{&1}") end))
        |> Task.await_many(20_000)

      assert results |> Enum.map(fn {:ok, %{output: n}} -> n end) |> Enum.sort() ==
               Enum.map(1..8, &"#{&1}")

      {:ok, %{output: prompts}} = Conversation.ask(talk, "prompts")
      assert length(String.split(prompts, ", ")) == 9
    end

    test "streams, and remembers what was read to its end" do
      talk = start_supervised!(Conversation)
      {:ok, events} = Conversation.ask_stream(talk, "say a b")
      assert ["a"] = for(%TextDelta{text: text} <- Enum.take(events, 1), do: text)
      assert Conversation.history(talk) == []
      assert %Finished{} = events |> Enum.to_list() |> List.last()
      assert length(Conversation.history(talk)) == 2
    end

    test "goes on after errors, and after the death of who asks" do
      talk = start_supervised!(Conversation)
      assert {:error, %Helpdesk.ModelHTTPError{}} = Conversation.ask(talk, "fail 500")
      started = requests("started")
      pid = spawn(fn -> Conversation.ask(talk, "wait") end)
      eventually(fn -> requests("started") > started end)
      next = Task.async(fn -> Conversation.ask(talk, "prompts") end)
      Process.exit(pid, :kill)
      assert {:ok, %{output: "prompts"}} = Task.await(next)
    end

    test "has its place in a supervision tree, by its name" do
      start_supervised!({Conversation, name: __MODULE__.Talk})
      assert {:ok, _} = Conversation.ask(__MODULE__.Talk, "say a")
      pid = Process.whereis(__MODULE__.Talk)
      capture_log(fn -> Process.exit(pid, :kill) end)
      eventually(fn -> Process.whereis(__MODULE__.Talk) not in [nil, pid] end)
      assert Conversation.history(__MODULE__.Talk) == []
      assert {:ok, %{output: "prompts"}} = Conversation.ask(__MODULE__.Talk, "prompts")
    end
  end

  describe "a server that dies" do
    test "in the middle of a tool call is an error, and no run is stuck" do
      task =
        Task.async(
          (fn opts -> fn -> Support.run(script(["call a {}", "say x"]), opts) end end).(
            tools: [tool("a", obedient())]
          )
        )

      assert_receive {:running, %{}, handler}, 5000
      monitor = Process.monitor(handler)
      Server.kill()
      assert {:error, %Error{code: :unavailable}} = Task.await(task)
      assert_receive {:DOWN, ^monitor, :process, _, _}, 5000
      Server.start()
      eventually(fn -> match?({:ok, %{output: "x"}}, Support.run("say x")) end)
    end
  end
end
