defmodule GreeterTest do
  use ExUnit.Case

  import Integration.Eventually

  alias Integration.{Docs, Server}
  alias MyPythonAgent.InputData
  alias SynapseBridge.{Error, Violation}

  setup_all do
    start_supervised!({MyPythonAgent, Server.channel()})
    :ok
  end

  @greeting "Hello, Alice! You are 30 years old."

  describe "process_data/2" do
    test "takes a map with atom keys" do
      assert MyPythonAgent.process_data(%{name: "Alice", age: 30}) == {:ok, @greeting}
    end

    test "takes a map with string keys" do
      assert MyPythonAgent.process_data(%{"name" => "Alice", "age" => 30}) == {:ok, @greeting}
    end

    test "takes a keyword list" do
      assert MyPythonAgent.process_data(name: "Alice", age: 30) == {:ok, @greeting}
    end

    test "takes a struct" do
      assert MyPythonAgent.process_data(%InputData{name: "Alice", age: 30}) == {:ok, @greeting}
    end

    test "carries unicode both ways" do
      name = "Zoë 👩‍👩‍👧 שלום \u0000 e\u0301"
      assert {:ok, greeting} = MyPythonAgent.process_data(%{name: name, age: 1})
      assert greeting == "Hello, #{name}! You are 1 years old."
    end

    test "refuses a wrong type without asking the server" do
      assert {:error, %Error{code: :invalid_argument} = error} =
               MyPythonAgent.process_data(%{name: "Alice", age: "thirty"}, channel: :nowhere)

      assert [%Violation{path: "data.age", rule: "int_type", message: message}] = error.violations
      assert message == "Input should be a valid integer"
      assert Exception.message(error) =~ "data.age"
    end

    test "lists every violation" do
      assert {:error, %Error{violations: violations}} =
               MyPythonAgent.process_data(%{"name" => 7, "nmae" => "Alice"})

      assert Enum.sort(for v <- violations, do: {v.path, v.rule}) == [
               {"data.age", "missing"},
               {"data.name", "string_type"},
               {"data.nmae", "extra_forbidden"}
             ]
    end

    test "says that no channel runs, and what to do" do
      assert {:error, %Error{code: :unavailable} = error} =
               MyPythonAgent.process_data(%{name: "Alice", age: 30}, channel: :nowhere)

      assert Exception.message(error) =~ "nowhere"
    end
  end

  describe "process_data!/2" do
    test "returns the bare value" do
      assert MyPythonAgent.process_data!(%{name: "Alice", age: 30}) == @greeting
    end

    test "raises the error" do
      assert_raise Error, ~r/data\.age: Field required/, fn ->
        MyPythonAgent.process_data!(%{name: "Alice"})
      end
    end
  end

  test "documentation and types are those of the Python function" do
    assert Docs.of(MyPythonAgent, :process_data) =~
             "Processes the input data and returns a greeting."

    assert {:ok, specs} = Code.Typespec.fetch_specs(MyPythonAgent)
    assert {_, _} = Enum.find(specs, &match?({{:process_data!, 2}, _}, &1))
  end

  test "an explicit channel serves calls beside the registered one" do
    channel = start_supervised!({SynapseBridge.Channel, name: :other, target: Server.target()})

    for name <- [:other, channel] do
      assert MyPythonAgent.process_data(%{name: "Alice", age: 30}, channel: name) ==
               {:ok, @greeting}
    end
  end

  @tag built_in: "the library's calls wait while it reconnects"
  test "a server that dies makes calls unavailable, and one that comes back serves again" do
    alice = %{name: "Alice", age: 30}
    assert MyPythonAgent.process_data(alice) == {:ok, @greeting}

    Server.kill()

    try do
      for _ <- 1..20 do
        assert {:error, %Error{code: :unavailable, message: message}} =
                 MyPythonAgent.process_data(alice, timeout: 20_000)

        assert message =~ Server.target()
      end

      assert {:error, %Error{code: :deadline_exceeded}} =
               MyPythonAgent.process_data(alice, wait_for_ready: true, timeout: 200)

      waiting =
        Task.async(fn ->
          MyPythonAgent.process_data(alice, wait_for_ready: true, timeout: 30_000)
        end)

      Server.start()
      assert Task.await(waiting, 31_000) == {:ok, @greeting}
      assert eventually(fn -> MyPythonAgent.process_data(alice) == {:ok, @greeting} end)
    after
      Server.start()
    end
  end
end
