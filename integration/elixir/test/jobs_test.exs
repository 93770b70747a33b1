defmodule JobsTest do
  use ExUnit.Case

  import Integration.Eventually

  alias Integration.{Docs, Server}
  alias Jobs.Report
  alias SynapseBridge.Error

  setup_all do
    start_supervised!({Jobs, Server.channel()})
    :ok
  end

  setup %{test: test} do
    {:ok, label: Atom.to_string(test)}
  end

  test "an async function returns its model", %{label: label} do
    assert {:ok, %Report{label: ^label, thread: false}} = Jobs.wait(0.0, label: label)
  end

  test "a sync function runs in a thread and has defaults" do
    assert {:ok, %Report{label: "job", thread: true, seconds: seconds}} = Jobs.block(0.01)
    assert seconds >= 0.01
  end

  test "a docstring in reST's style is Markdown" do
    doc = Docs.of(Jobs, :wait)
    assert doc =~ ~r/\* `seconds` .*How long\./
    assert doc =~ ~r/\* `:label` .*default `"job"`.*Under which name/
    assert doc =~ "What was done."
    refute doc =~ ":param"
  end

  test "a thousand calls are in flight at once", %{label: label} do
    names = for n <- 1..1000, do: "caller #{n}"

    answers =
      names
      |> Enum.map(&Task.async(fn -> Jobs.meet!(label, &1, 1000, timeout: 45_000) end))
      |> Task.await_many(50_000)

    # Nobody was answered before everybody had asked.
    assert [arrivals] = Enum.uniq(answers)
    assert Enum.sort(arrivals) == Enum.sort(names)
  end

  test "a thousand short calls at once each get their own answer" do
    answers =
      1..1000
      |> Enum.map(&Task.async(fn -> Jobs.wait!(0.0, label: "short #{&1}").label end))
      |> Task.await_many(30_000)

    assert answers == Enum.map(1..1000, &"short #{&1}")
  end

  test "a deadline ends the call here and in Python", %{label: label} do
    assert {:error, %Error{code: :deadline_exceeded}} =
             Jobs.wait(60.0, label: label, timeout: 2_000)

    assert eventually(fn -> Jobs.cancelled!(label) == 1 end)
    assert Jobs.running!(label) == 0
  end

  test "a deadline ends the call of a sync function here" do
    assert {:error, %Error{code: :deadline_exceeded}} = Jobs.block(0.5, timeout: 50)
    assert {:ok, %Report{}} = Jobs.block(0.0)
  end

  test "an answer that comes too late does not reach the caller's mailbox", %{label: label} do
    codes =
      for n <- 1..300 do
        case Jobs.wait(0.0, label: label, timeout: rem(n, 4)) do
          {:ok, %Report{}} -> :ok
          {:error, %Error{code: code}} -> code
        end
      end

    assert Enum.uniq(codes) -- [:ok, :deadline_exceeded] == []
    assert eventually(fn -> Jobs.running!(label) == 0 end)
    assert Process.info(self(), :messages) == {:messages, []}
  end

  @tag built_in: "the library does not cancel unary calls"
  test "the death of the caller cancels the call in Python", %{label: label} do
    caller = spawn(fn -> Jobs.wait(60.0, label: label, timeout: :infinity) end)
    assert eventually(fn -> Jobs.running!(label) == 1 end)

    Process.exit(caller, :kill)

    assert eventually(fn -> Jobs.cancelled!(label) == 1 end)
    assert Jobs.running!(label) == 0
  end

  test "busy threads do not hold up async functions" do
    blocked = for _ <- 1..4, do: Task.async(fn -> Jobs.block!(3.0) end)
    assert {:ok, 0} = Jobs.running("nothing")
    assert Enum.all?(blocked, &Process.alive?(&1.pid))
    assert [%Report{}, %Report{}, %Report{}, %Report{}] = Task.await_many(blocked, 20_000)
  end

  test "an unexpected exception is an internal error whose text stays on the server" do
    assert {:error, %Error{code: :internal} = error} = Jobs.fail()
    assert error.reason == "builtins.ZeroDivisionError"
    refute inspect(error) =~ "secret"
    assert Server.logged?("division by a secret")
  end

  test "a deadline ends the call even if the server hangs" do
    Server.pause()

    try do
      assert {:error, %Error{code: :deadline_exceeded}} = Jobs.running("", timeout: 300)
    after
      Server.resume()
    end

    assert {:ok, 0} = Jobs.running("", timeout: 20_000)
  end

  @tag built_in: "the library's calls wait while it reconnects"
  test "a server that is asked to stop finishes the calls in flight", %{label: label} do
    call = Task.async(fn -> Jobs.wait(4.0, label: label, timeout: 20_000) end)
    assert eventually(fn -> Jobs.running!(label) == 1 end)
    stopping = Task.async(fn -> Server.stop() end)

    try do
      assert {:ok, %Report{label: ^label}} = Task.await(call, 25_000)
      assert {:error, %Error{code: :unavailable}} = Jobs.running(label, timeout: 20_000)
      assert Task.await(stopping, 30_000) == "ok"
    after
      Server.start()
    end

    assert {:ok, 0} = Jobs.running(label, wait_for_ready: true, timeout: 30_000)
  end

  test "calls in flight end as unavailable when the server dies", %{label: label} do
    calls =
      for _ <- 1..50, do: Task.async(fn -> Jobs.wait(60.0, label: label, timeout: 55_000) end)

    assert eventually(fn -> Jobs.running!(label) == 50 end)
    Server.kill()

    try do
      for answer <- Task.await_many(calls, 10_000) do
        assert {:error, %Error{code: :unavailable}} = answer
      end
    after
      Server.start()
    end

    assert {:ok, 0} = Jobs.running(label, wait_for_ready: true, timeout: 30_000)
  end
end
