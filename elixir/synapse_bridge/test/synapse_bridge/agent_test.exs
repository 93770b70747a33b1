defmodule SynapseBridge.AgentTest do
  use ExUnit.Case, async: true

  alias Agents.{ApprovalRequest, Message, Support, TextDelta, ToolRequest, UsageLimitExceeded}
  alias Agents.Support.{Finished, Result}
  alias SynapseBridge.{Channel, Error, ScriptedServer, Tool, Wire}

  import ExUnit.CaptureLog
  import ScriptedServer, only: [accept_http2: 1, read: 1, read_call: 1, write: 2]
  import SynapseBridge.AgentPeer

  @result %Result{output: "done", new_messages: [%Message{text: "m"}]}

  setup do
    server = ScriptedServer.listen()
    channel = start_supervised!({Channel, target: server.target})
    %{opts: [channel: channel], connection: accept_http2(server)}
  end

  # What is left of a call that the server has ended.
  defp read_rest(connection, id), do: assert({:rst_stream, ^id, :cancel} = read(connection))

  defp request(id, name, args \\ %{}),
    do: %ToolRequest{tool_call_id: id, tool_name: name, args: args}

  defp tool(name, handler, fields \\ []),
    do: struct!(%Tool{name: name, handler: handler, parameters: %{type: "object"}}, fields)

  # A handler that says when it runs, and returns what it is told to.
  defp obedient(test) do
    fn _arguments, %{tool_call_id: id} ->
      send(test, {:running, id, self()})
      receive(do: ({:return, value} -> value))
    end
  end

  describe "run" do
    test "is a plain call without tools", %{opts: opts, connection: connection} do
      for run <- [&Support.run/2, &Support.run_sync/2] do
        own = [message_history: [%{text: "a"}], metadata: %{"x-tenant" => "b"}, timeout: 9_000]
        task = Task.async(fn -> run.("hi", own ++ opts) end)
        {id, headers, request} = read_call(connection)
        assert %{":path" => "/agents.v1.AgentsService/SupportRun", "x-tenant" => "b"} = headers
        assert headers["grpc-timeout"] =~ ~r/^[89]/

        assert Agents.SupportRunRequest.decode(request) ==
                 {:ok,
                  %Agents.SupportRunRequest{prompt: "hi", message_history: [%Message{text: "a"}]}}

        answer(connection, id, @result)
        assert Task.await(task) == {:ok, @result}
      end
    end

    test "raises with a bang", %{opts: opts, connection: connection} do
      for run <- [&Support.run!/2, &Support.run_sync!/2] do
        task = Task.async(fn -> assert_raise UsageLimitExceeded, fn -> run.("hi", opts) end end)
        {id, _} = read_run(connection)
        head(connection, id)
        fail(connection, id, %UsageLimitExceeded{detail: "2 requests"})
        assert %{detail: "2 requests", message: "too much"} = Task.await(task)
      end
    end

    test "says what does not fit, with and without tools", %{opts: opts} do
      for tools <- [[], [tool("a", & &1)]], run <- [&Support.run/2, &Support.run_stream/2] do
        assert {:error, %Error{violations: [%{path: "prompt", rule: "string_type"}]}} =
                 run.(1, [tools: tools] ++ opts)
      end
    end

    test "raises for tools that are none", %{opts: opts} do
      for {option, text} <- [
            {[tools: :no], ~r/option :tools: expected a list/},
            {[tools: [:no]], ~r/option :tools: expected a SynapseBridge.Tool/},
            {[tools: [tool("a", & &1), tool("a", & &1)]], ~r/two tools are called "a"/},
            {[tools: [tool("a b", & &1)]], ~r/tool "a b": a name/},
            {[on_approval: true], ~r/option :on_approval: expected a function of one argument/},
            {[tool_timeout: 0], ~r/option :tool_timeout: expected a positive integer/},
            {[max_concurrency: 1.5], ~r/option :max_concurrency: expected a positive integer/}
          ] do
        assert_raise ArgumentError, text, fn -> Support.run("hi", option ++ opts) end
      end

      assert_raise ArgumentError, ~r/options must be a keyword list/, fn ->
        Support.run("hi", %{tools: []})
      end
    end
  end

  describe "a stream" do
    test "has the events of a run", %{opts: opts, connection: connection} do
      {:ok, events} = Support.run_stream("hi", opts)
      ScriptedServer.assert_silent(connection)
      task = Task.async(fn -> Enum.to_list(events) end)
      {id, %{":path" => "/agents.v1.AgentsService/SupportRunStream"}, _} = read_call(connection)
      head(connection, id)
      tell(connection, id, %TextDelta{text: "do"})
      finish(connection, id, @result)
      assert Task.await(task) == [%TextDelta{text: "do"}, %Finished{result: @result}]
    end

    test "that is halted is cancelled", %{opts: opts, connection: connection} do
      task = Task.async(fn -> "hi" |> Support.run_stream!(opts) |> Enum.take(1) end)
      {id, _, _} = read_call(connection)
      head(connection, id)
      tell(connection, id, %TextDelta{text: "do"})
      assert Task.await(task) == [%TextDelta{text: "do"}]
      assert read(connection) == {:rst_stream, id, :cancel}
    end

    test "of text has text alone", %{opts: opts, connection: connection} do
      for read <- [&Support.text_stream!/2, &elem(Support.text_stream(&1, &2), 1)] do
        task = Task.async(fn -> "hi" |> read.(opts) |> Enum.to_list() end)
        {id, _, _} = read_call(connection)
        head(connection, id)
        for text <- ["do", "ne"], do: tell(connection, id, %TextDelta{text: text})
        tell(connection, id, request("1", "theirs"))
        finish(connection, id, @result)
        assert Task.await(task) == ["do", "ne"]
      end
    end

    test "comes to a process as messages", %{opts: opts, connection: connection} do
      {:ok, %{ref: ref} = stream} = Support.start_stream("hi", opts)
      {id, _, _} = read_call(connection)
      head(connection, id)
      tell(connection, id, %TextDelta{text: "do"})
      assert_receive {^ref, [item: %TextDelta{text: "do"}]}
      SynapseBridge.Stream.cancel(stream)
      assert read(connection) == {:rst_stream, id, :cancel}
    end

    test "comes to a process as messages, while tools run", %{opts: opts, connection: connection} do
      tools = [tool("a", fn arguments -> arguments end)]
      {:ok, %{ref: ref} = stream} = Support.start_stream("hi", [tools: tools] ++ opts)
      {id, _, _} = read_session(connection)
      head(connection, id)
      request = request("1", "a", %{"x" => 1})
      tell(connection, id, request)
      assert_receive {^ref, [item: ^request]}
      assert %Agents.ToolResult{content: %{"x" => 1}} = read_answer(connection, id)
      SynapseBridge.Stream.next(stream)
      finish(connection, id, @result)
      assert_receive {^ref, [item: %Finished{}]}
      SynapseBridge.Stream.next(stream)
      assert_receive {^ref, [:done]}
    end
  end

  describe "tools" do
    test "are told to the server, and carried out here", %{opts: opts, connection: connection} do
      tools = [
        %Tool{
          name: "stock",
          description: "How many are left.",
          parameters: %{type: "object", properties: %{sku: %{type: "string"}}},
          handler: fn %{"sku" => sku} -> {:ok, %{sku: sku, left: 3}} end,
          sequential: true
        }
      ]

      options = [tools: tools, message_history: [%{text: "a"}], timeout: 5000] ++ opts
      task = Task.async(fn -> Support.run("hi", options) end)
      {id, fields, request} = read_session(connection)
      assert fields[":path"] == "/agents.v1.AgentsService/SupportSession"
      assert %{"grpc-timeout" => _} = fields

      assert %{
               prompt: "hi",
               message_history: [%Message{text: "a"}],
               answers: :unset,
               tools: [
                 %Agents.ToolDefinition{
                   name: "stock",
                   description: "How many are left.",
                   parameters: %{
                     "type" => "object",
                     "properties" => %{"sku" => %{"type" => "string"}}
                   },
                   sequential: true
                 }
               ]
             } = request

      head(connection, id)
      tell(connection, id, request("c1", "stock", %{"sku" => "AB"}))

      assert read_answer(connection, id) ==
               %Agents.ToolResult{
                 tool_call_id: "c1",
                 content: %{"sku" => "AB", "left" => 3}
               }

      finish(connection, id, @result)
      assert Task.await(task) == {:ok, @result}
    end

    test "are answered as handlers return", %{opts: opts, connection: connection} do
      returns = %{
        "ok" => {{:ok, [1]}, %Agents.ToolResult{tool_call_id: "", content: [1]}},
        "bare" => {"text", %Agents.ToolResult{tool_call_id: "", content: "text"}},
        "none" => {nil, %Agents.ToolResult{tool_call_id: "", content: nil}},
        "retry" => {{:retry, "again"}, %Agents.ToolRetry{tool_call_id: "", message: "again"}},
        "text" => {{:error, "no"}, %Agents.ToolFailure{tool_call_id: "", message: "no"}},
        "atom" => {{:error, :enoent}, %Agents.ToolFailure{tool_call_id: "", message: "enoent"}},
        "exception" =>
          {{:error, %RuntimeError{message: "m"}},
           %Agents.ToolFailure{tool_call_id: "", message: "m"}},
        "term" => {{:error, {:a, 1}}, %Agents.ToolFailure{tool_call_id: "", message: "{:a, 1}"}}
      }

      tools = for {name, {returned, _}} <- returns, do: tool(name, fn _ -> returned end)
      task = Task.async(fn -> Support.run("hi", [tools: tools] ++ opts) end)
      {id, _, _} = read_session(connection)
      head(connection, id)

      for {name, {_, answer}} <- returns do
        tell(connection, id, request(name, name))
        assert read_answer(connection, id) == %{answer | tool_call_id: name}
      end

      finish(connection, id, @result)
      assert {:ok, _} = Task.await(task)
    end

    test "that fail are answered, and tell the log alone why",
         %{opts: opts, connection: connection} do
      tools = [
        tool("raise", fn _ -> raise "the secret" end),
        tool("throw", fn _ -> throw(:secret) end),
        tool("exit", fn _ -> exit(:secret) end),
        tool("killed", fn _ -> Process.exit(self(), :kill) end),
        tool("linked", fn _ ->
          spawn_link(fn -> exit(:secret) end)
          receive(do: (:never -> :ok))
        end),
        tool("slow", fn _ -> receive(do: (:never -> :ok)) end),
        tool("tuple", fn _ -> {:secret, 1} end),
        tool("latin", fn _ -> {:error, <<255>>} end),
        tool("strict", & &1, parameters: %{type: "object", required: ["a"]})
      ]

      said = %{
        "raise" => {"the tool raise failed", "(RuntimeError) the secret"},
        "throw" => {"the tool throw failed", "(throw) :secret"},
        "exit" => {"the tool exit failed", "(exit) :secret"},
        "killed" => {"the tool killed failed", "the task of the tool killed ended: killed"},
        "linked" => {"the tool linked failed", "the task of the tool linked ended: :secret"},
        "slow" => {"the tool slow did not answer within 20 ms", "did not return within 20 ms"},
        "tuple" =>
          {"the tool tuple failed: its result is no JSON", "what a model cannot get: a tuple"},
        "latin" => {"the tool latin failed", ""},
        "elsewhere" => {"there is no tool elsewhere", ""}
      }

      {{:ok, _}, log} =
        with_log(fn ->
          task = Task.async(fn -> Support.run("hi", [tools: tools, tool_timeout: 20] ++ opts) end)

          {id, _, _} = read_session(connection)
          head(connection, id)

          for {name, {text, _log}} <- said do
            tell(connection, id, request(name, name))

            assert read_answer(connection, id) ==
                     %Agents.ToolFailure{tool_call_id: name, message: text}
          end

          for {args, text} <- [
                {%{}, "the arguments do not fit: a: is required"},
                {"{", "the arguments should be a JSON object"}
              ] do
            tell(connection, id, request("s", "strict", args))

            assert read_answer(connection, id) ==
                     %Agents.ToolRetry{tool_call_id: "s", message: text}
          end

          finish(connection, id, @result)
          Task.await(task)
        end)

      for {_name, {_text, logged}} <- said, do: assert(log =~ logged)
      assert log =~ "test/synapse_bridge/agent_test.exs"
    end

    test "run in parallel, and each answers when it is done",
         %{opts: opts, connection: connection} do
      tools = [tool("a", obedient(self()))]
      task = Task.async(fn -> Support.run("hi", [tools: tools] ++ opts) end)
      {id, _, _} = read_session(connection)
      head(connection, id)
      for call <- ["1", "2", "3"], do: tell(connection, id, request(call, "a"))

      pids =
        for call <- ["1", "2", "3"], into: %{} do
          assert_receive {:running, ^call, pid}
          {call, pid}
        end

      for call <- ["2", "3", "1"] do
        send(pids[call], {:return, call})

        assert read_answer(connection, id) ==
                 %Agents.ToolResult{tool_call_id: call, content: call}
      end

      finish(connection, id, @result)
      assert {:ok, _} = Task.await(task)
    end

    test "run as many at once as there may", %{opts: opts, connection: connection} do
      options = [tools: [tool("a", obedient(self()))], max_concurrency: 2] ++ opts
      task = Task.async(fn -> Support.run("hi", options) end)
      {id, _, _} = read_session(connection)
      head(connection, id)
      for call <- ["1", "2", "3"], do: tell(connection, id, request(call, "a"))
      assert_receive {:running, "1", first}
      assert_receive {:running, "2", second}
      send(second, {:return, 2})
      assert %{tool_call_id: "2"} = read_answer(connection, id)
      assert_receive {:running, "3", third}
      for pid <- [first, third], do: send(pid, {:return, 0})
      for _ <- 1..2, do: read_answer(connection, id)
      finish(connection, id, @result)
      assert {:ok, _} = Task.await(task)
    end

    test "that are sequential run alone, and in their turn",
         %{opts: opts, connection: connection} do
      test = self()
      tools = [tool("a", obedient(test)), tool("s", obedient(test), sequential: true)]
      task = Task.async(fn -> Support.run("hi", [tools: tools] ++ opts) end)
      {id, _, _} = read_session(connection)
      head(connection, id)

      for {call, name} <- [{"1", "a"}, {"2", "s"}, {"3", "a"}],
          do: tell(connection, id, request(call, name))

      for call <- ["1", "2", "3"] do
        assert_receive {:running, ^call, pid}
        refute_received {:running, _, _}
        send(pid, {:return, call})
        assert %{tool_call_id: ^call} = read_answer(connection, id)
      end

      finish(connection, id, @result)
      assert {:ok, _} = Task.await(task)
    end

    test "know on whose behalf, and in which trace, they run",
         %{opts: opts, connection: connection} do
      test = self()
      trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

      handler = fn _ ->
        send(test, {Process.get(:"$callers"), SynapseBridge.Telemetry.traceparent()})
        :ok
      end

      task =
        Task.async(fn ->
          Support.run("hi", [tools: [tool("a", handler)], traceparent: trace] ++ opts)
        end)

      {id, _, _} = read_session(connection)
      head(connection, id)
      tell(connection, id, request("1", "a"))
      assert %{content: "ok"} = read_answer(connection, id)
      assert_receive {[_runner, caller | _], ^trace}
      assert caller == task.pid
      finish(connection, id, @result)
      assert {:ok, _} = Task.await(task)
    end
  end

  describe "approvals" do
    test "are what on_approval says", %{opts: opts, connection: connection} do
      decisions = %{
        "yes" => {true, %Agents.Approval{tool_call_id: "yes", override_args: nil}},
        "no" => {false, %Agents.Denial{tool_call_id: "no", message: "The tool call was denied."}},
        "other" =>
          {{:approve, %{a: 1}},
           %Agents.Approval{tool_call_id: "other", override_args: %{"a" => 1}}},
        "because" => {{:deny, "b"}, %Agents.Denial{tool_call_id: "because", message: "b"}},
        "nonsense" =>
          {:maybe, %Agents.Denial{tool_call_id: "nonsense", message: "The tool call was denied."}},
        "tuple" =>
          {{:approve, %{a: {}}},
           %Agents.Denial{tool_call_id: "tuple", message: "The tool call was denied."}}
      }

      on_approval = fn %ApprovalRequest{tool_call_id: id, tool_name: "refund"} ->
        with %{^id => {decision, _}} <- decisions, do: decision, else: (_ -> raise "no")
      end

      log =
        capture_log(fn ->
          task = Task.async(fn -> Support.run("hi", [on_approval: on_approval] ++ opts) end)
          {id, _, %{tools: []}} = read_session(connection)
          head(connection, id)

          for {call, {_, answer}} <- decisions do
            tell(connection, id, approval(call))
            assert read_answer(connection, id) == answer
          end

          tell(connection, id, approval("raises"))
          assert %Agents.Denial{tool_call_id: "raises"} = read_answer(connection, id)
          finish(connection, id, @result)
          assert {:ok, _} = Task.await(task)
        end)

      assert log =~ "the approval of the tool refund returned :maybe"
      assert log =~ "the approval of the tool refund failed\n** (RuntimeError) no"
    end

    test "are denied where nobody is asked", %{opts: opts, connection: connection} do
      log =
        capture_log(fn ->
          task = Task.async(fn -> Support.run("hi", [tools: [tool("a", & &1)]] ++ opts) end)
          {id, _, _} = read_session(connection)
          head(connection, id)
          tell(connection, id, approval("1"))
          assert %Agents.Denial{tool_call_id: "1"} = read_answer(connection, id)
          finish(connection, id, @result)
          assert {:ok, _} = Task.await(task)
        end)

      assert log =~ "there is no :on_approval to approve a call of the tool refund"
    end

    defp approval(id),
      do: %ApprovalRequest{tool_call_id: id, tool_name: "refund", args: %{}, metadata: %{}}
  end

  describe "handlers are killed" do
    setup %{opts: opts, connection: connection} do
      test = self()
      tools = [tool("a", obedient(test))]
      stream = Support.run_stream!("hi", [tools: tools] ++ opts)

      # Goes on when it is told to, so that the handler runs by then.
      reader =
        spawn(fn ->
          result =
            try do
              Enum.each(stream, fn event ->
                send(test, {:event, event})

                receive do
                  :go_on -> :ok
                  :halt -> throw(:halted)
                end
              end)
            catch
              _kind, reason -> reason
            end

          send(test, {:result, result})
        end)

      {id, _, _} = read_session(connection)
      head(connection, id)
      tell(connection, id, request("1", "a"))
      assert_receive {:running, "1", handler}
      {:dictionary, known} = Process.info(handler, :dictionary)
      [runner, ^reader | _] = known[:"$callers"]
      [supervisor | _] = known[:"$ancestors"]
      monitors = for pid <- [handler, supervisor, runner], do: Process.monitor(pid)
      %{id: id, reader: reader, monitors: monitors}
    end

    # And so is all that belongs to the run.
    defp killed(monitors) do
      for monitor <- monitors, do: assert_receive({:DOWN, ^monitor, :process, _, _})
    end

    test "when the stream is halted", %{connection: connection, reader: reader} = context do
      send(reader, :halt)
      read_rest(connection, context.id)
      killed(context.monitors)
      assert_receive {:result, :halted}
    end

    test "when the process dies", %{connection: connection, reader: reader} = context do
      Process.exit(reader, :kill)
      read_rest(connection, context.id)
      killed(context.monitors)
    end

    test "when the run fails", %{connection: connection, reader: reader} = context do
      send(reader, :go_on)
      fail(connection, context.id, %UsageLimitExceeded{detail: "d"})
      killed(context.monitors)
      assert_receive {:result, %UsageLimitExceeded{detail: "d"}}
    end

    test "when the run ends", %{connection: connection, reader: reader} = context do
      for _ <- 1..2, do: send(reader, :go_on)
      finish(connection, context.id, @result)
      killed(context.monitors)
      assert_receive {:result, :ok}
    end

    test "when the connection is lost", %{connection: connection, reader: reader} = context do
      send(reader, :go_on)
      ScriptedServer.close(connection)
      killed(context.monitors)
      assert_receive {:result, %Error{code: :unavailable}}
    end
  end

  test "a channel that is not there leaves nothing behind" do
    tools = [tool("a", & &1)]
    wrong = %{__struct__: GRPC.Channel}

    for channel <- [:nowhere, wrong] do
      result =
        try do
          Support.run("hi", tools: tools, channel: channel)
        rescue
          error -> {:error, error}
        end

      assert {:error, %{__exception__: true}} = result
    end

    started = for pid <- Process.list(), self() in callers(pid), do: pid
    assert started == []
  end

  defp callers(pid) do
    with {:dictionary, known} <- Process.info(pid, :dictionary),
         do: Keyword.get(known, :"$callers", []),
         else: (nil -> [])
  end

  test "a run without a result is an error", %{opts: opts, connection: connection} do
    task = Task.async(fn -> Support.run("hi", [tools: [tool("a", & &1)]] ++ opts) end)
    {id, _, _} = read_session(connection)
    head(connection, id)
    write(connection, Wire.trailers(id))

    assert {:error, %Error{code: :internal, message: "the run ended without a result"}} =
             Task.await(task)
  end

  test "messages are written and read by the server", %{opts: opts, connection: connection} do
    messages = [%Message{text: "a"}]

    for {call, value, request, response, path} <- [
          {&Support.dump_messages!/2, "json", %Agents.SupportMessages{result: messages},
           %Agents.SupportText{result: "json"}, "SupportDumpMessages"},
          {&Support.load_messages!/2, messages, %Agents.SupportText{result: "json"},
           %Agents.SupportMessages{result: messages}, "SupportLoadMessages"}
        ] do
      task = Task.async(fn -> call.(request.result, opts) end)
      {id, fields, bytes} = read_call(connection)
      assert fields[":path"] == "/agents.v1.AgentsService/" <> path
      assert bytes == bytes(request)
      write(connection, Wire.response(id, bytes(response)))
      assert Task.await(task) == value
    end
  end
end
