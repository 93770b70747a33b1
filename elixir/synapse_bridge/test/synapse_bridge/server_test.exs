defmodule SynapseBridge.ServerTest do
  use ExUnit.Case, async: true

  import Bitwise
  import ExUnit.CaptureLog
  import SynapseBridge.{Eventually, FakeServer}
  import SynapseBridge.ScriptedServer, only: [accept_http2: 1, read_call: 1, write: 2]

  alias SynapseBridge.{Channel, ScriptedServer, Status, Wire}
  alias SynapseBridge.Channel.Table

  @moduletag :capture_log
  @moduletag :tmp_dir

  defp start(options, opts \\ []) do
    opts = [server: options, backoff: [initial: 1, jitter: 0]] ++ opts
    start_supervised!({Channel, opts}, id: make_ref(), restart: :temporary)
  end

  defp async(channel, request, opts \\ []) do
    Task.async(fn -> Channel.unary(channel, "/p.S/M", request, opts) end)
  end

  defp answer(connection, text) do
    {id, %{":path" => "/p.S/M"}, _message} = read_call(connection)
    write(connection, Wire.response(id, text))
  end

  test "takes calls once it listens and says that it is healthy", %{tmp_dir: folder} do
    server = ScriptedServer.listen()
    channel = start(options(folder, server, "listen; exec cat"))
    call = async(channel, "x")
    connection = accept_http2(server)
    refute Task.yield(call, 0)
    answer_health(connection, :serving)
    answer(connection, "y")
    assert Task.await(call) == {:ok, "y", []}
  end

  test "may be one executable file", %{tmp_dir: folder} do
    server = ScriptedServer.listen()

    {[_sh, path], options} =
      folder |> options(server, "listen; exec cat") |> Keyword.pop!(:command)

    channel = start([pex: path] ++ options)
    connection = accept_healthy(server)
    call = async(channel, "x")
    answer(connection, "y")
    assert Task.await(call) == {:ok, "y", []}
  end

  test "takes no calls while it is not healthy", %{tmp_dir: folder} do
    server = ScriptedServer.listen()
    channel = start(options(folder, server, "listen; exec cat"))
    call = async(channel, "x")
    patient = async(channel, "x", wait_for_ready: true)
    connection = accept_http2(server)
    answer_health(connection, :not_serving)
    assert {:error, %Status{code: 14, message: message}} = Task.await(call)
    assert message =~ "its health service says NOT_SERVING"
    answer_health(connection, :serving)
    answer(connection, "y")
    assert Task.await(patient) == {:ok, "y", []}
  end

  test "is told where to listen, and gets arguments and variables", %{tmp_dir: folder} do
    script = ~S(echo "$*" > arguments; echo "$MODEL-$HOME" > new; mv new variables; exec cat)
    env = %{"MODEL" => "small", "HOME" => nil}
    args = ["--max-workers", "two words"]
    start(options(folder, nil, script, env: env, args: args, stop_timeout: 5_000))
    eventually(fn -> File.exists?(Path.join(folder, "variables")) end)

    assert File.read!(Path.join(folder, "arguments")) =~
             ~r{^--host 127\.0\.0\.1 --port 0 --port-file \S+/\d+ --exit-with-parent --grace 4\.0 --max-workers two words$}

    assert File.read!(Path.join(folder, "variables")) == "small-\n"
  end

  test "listens on a Unix socket in a folder of its own", %{tmp_dir: folder} do
    script = ~S(echo "$2" > socket; exec cat)
    channel = start(options(folder, nil, script, listen: :unix))
    file = Path.join(folder, "socket")
    eventually(fn -> match?({:ok, "unix:" <> _}, File.read(file)) end)
    "unix:" <> path = file |> File.read!() |> String.trim()
    assert (File.stat!(Path.dirname(path)).mode &&& 0o777) == 0o700
    call = async(channel, "x")

    server = ScriptedServer.listen(unix: path)
    connection = accept_healthy(server)
    answer(connection, "y")
    assert Task.await(call) == {:ok, "y", []}

    stop(channel)
    refute File.exists?(Path.dirname(path))
  end

  test "has its lines in the log", %{tmp_dir: folder} do
    server = ScriptedServer.listen()
    script = ~S(echo "model loaded"; printf 'odd \377\n' >&2; listen; exec cat)

    log =
      capture_log([metadata: [:synapse_server, :os_pid]], fn ->
        start(options(folder, server, script))
        accept_healthy(server)
        eventually(fn -> pids(folder) != [] end)
      end)

    [pid] = pids(folder)

    assert log =~
             ~r/synapse_server=the server fake_server\.sh os_pid=#{pid} .*\[info\] *model loaded/

    assert log =~ ~S("odd \xFF")
  end

  test "can be kept out of the log", %{tmp_dir: folder} do
    server = ScriptedServer.listen()

    log =
      capture_log(fn ->
        start(options(folder, server, "echo secret; listen; exec cat", log_level: false))
        accept_healthy(server)
      end)

    refute log =~ "secret"
  end

  test "that ends at once is started again and again; calls say what it printed", %{
    tmp_dir: folder
  } do
    script = ~S(for n in 1 2 3 4 5 6 7 8 9 10 11; do echo "line $n"; done; exit 3)
    channel = start(options(folder, nil, script, backoff: [initial: 1, max: 5, jitter: 0]))

    assert {:error, %Status{code: 14, message: message}} = Channel.unary(channel, "/p.S/M", "x")

    assert message =~
             "no connection to the server fake_server.sh: it has ended with exit status 3"

    assert message =~ "started again in"
    assert message =~ "line 2\nline 3" and message =~ "line 11"
    refute message =~ "line 1\n"

    eventually(fn -> length(pids(folder)) > 20 end)
    assert Process.alive?(channel)
    assert {:error, %Status{code: 14}} = Channel.unary(channel, "/p.S/M", "x")
  end

  test "that ends again and again is started after pauses that grow", %{tmp_dir: folder} do
    backoff = [initial: 2, multiplier: 2, max: 8, jitter: 0]

    log =
      capture_log(fn ->
        start(options(folder, nil, "exit 42", backoff: backoff))
        eventually(fn -> length(pids(folder)) > 5 end)
      end)

    # Other tests, at the same time, have other servers.
    pauses = Regex.scan(~r/exit status 42; starting it again in (\d+) ms/, log)
    assert ["2", "4", "8", "8" | _] = for([_text, pause] <- pauses, do: pause)
  end

  test "that is killed fails its calls at once, and comes back", %{tmp_dir: folder} do
    server = ScriptedServer.listen()
    # What it has started is still there, and holds its output open.
    channel = start(options(folder, server, "listen; cat"))
    connection = accept_healthy(server)
    call = async(channel, "x")
    read_call(connection)
    [pid] = pids(folder)
    System.cmd("/bin/sh", ["-c", "kill -9 #{pid}"])
    ScriptedServer.abort(connection)
    assert {:error, %Status{code: 14, message: message}} = Task.await(call)
    assert message =~ "was lost during the call"

    call = async(channel, "x", wait_for_ready: true)
    answer_second(server)
    assert Task.await(call) == {:ok, "y", []}
    eventually(fn -> match?([^pid, _new], pids(folder)) end)
  end

  # The connection that was lost may be tried once more before the channel hears of the end.
  defp answer_second(server) do
    connection = accept_http2(server)

    try do
      answer_health(connection, :serving)
      answer(connection, "y")
    rescue
      ExUnit.AssertionError -> answer_second(server)
    end
  end

  test "that does not get ready in time is killed and started again", %{tmp_dir: folder} do
    channel =
      start(options(folder, nil, "trap '' TERM; cat", start_timeout: 50, stop_timeout: 50))

    assert {:error, %Status{code: 14, message: message}} = Channel.unary(channel, "/p.S/M", "x")
    assert message =~ "it was not ready within start_timeout, 50 ms"
    eventually(fn -> length(pids(folder)) > 1 end)
    refute folder |> pids() |> hd() |> running?()
  end

  test "of which there are several share the calls", %{tmp_dir: folder} do
    server = ScriptedServer.listen()
    channel = start(options(folder, server, "listen; exec cat", count: 2))
    # Both say that they listen on the same port, so that there is one server for the channel.
    connection = accept_healthy(server)
    eventually(fn -> length(pids(folder)) == 2 end)
    call = async(channel, "x")
    answer(connection, "y")
    assert Task.await(call) == {:ok, "y", []}
  end

  describe "stopping" do
    test "lets the server finish its calls", %{tmp_dir: folder} do
      server = ScriptedServer.listen()

      # As a server does: it ends when the call is answered.
      wait = "while [ ! -e answered ]; do sleep 0.05; done"

      script =
        "trap 'echo asked > end; #{wait}; exit 0' TERM; listen; while :; do sleep 0.05; done"

      channel = start(options(folder, server, script))
      connection = accept_healthy(server)
      call = async(channel, "x")
      {id, _fields, "x"} = read_call(connection)
      stopping = Task.async(fn -> stop(channel) end)
      eventually(fn -> File.exists?(Path.join(folder, "end")) end)
      write(connection, Wire.response(id, "y"))
      assert Task.await(call) == {:ok, "y", []}
      File.write!(Path.join(folder, "answered"), "")
      Task.await(stopping)
      refute folder |> pids() |> hd() |> running?()
    end

    test "kills a server that does not end, and what it has started", %{tmp_dir: folder} do
      server = ScriptedServer.listen()

      script =
        "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ >> pids; while :; do sleep 1; done' & listen; while :; do sleep 1; done"

      channel = start(options(folder, server, script, stop_timeout: 50))
      accept_healthy(server)
      eventually(fn -> length(pids(folder)) == 2 end)
      stop(channel)
      eventually(fn -> not Enum.any?(pids(folder), &running?/1) end)
    end
  end

  test "its process is replaced when it crashes, and the program with it", %{tmp_dir: folder} do
    server = ScriptedServer.listen()
    channel = start(options(folder, server, "listen; exec cat"))
    accept_healthy(server)

    [{_id, process, _, _}] =
      for {{SynapseBridge.Server, 1}, _, _, _} = child <- Supervisor.which_children(channel),
          do: child

    Process.exit(process, :kill)
    accept_healthy(server)
    eventually(fn -> length(pids(folder)) == 2 end)
    [old, new] = pids(folder)
    eventually(fn -> not running?(old) end)
    assert running?(new)
  end

  test "does not outlive a BEAM that is killed", %{tmp_dir: folder} do
    options = options(folder, nil, "exec cat")
    start = "'Elixir.SynapseBridge.Channel':start_link(#{erlang(server: options)})"
    code = "application:ensure_all_started(logger), #{start}, receive stop -> ok end."
    arguments = ["-noshell", "-pa" | Enum.map(:code.get_path(), &to_string/1)] ++ ["-eval", code]

    beam =
      Port.open({:spawn_executable, System.find_executable("erl")}, [:binary, args: arguments])

    eventually(fn -> pids(folder) != [] end)
    [pid] = pids(folder)
    assert running?(pid)
    {:os_pid, beam_pid} = Port.info(beam, :os_pid)
    System.cmd("/bin/sh", ["-c", "kill -9 #{beam_pid}"])
    eventually(fn -> not running?(pid) end)
  end

  defp erlang(term), do: :io_lib.format("~0p", [term]) |> to_string()

  describe "options" do
    for {title, server, text} <- [
          {"nothing to start", [], "needs :pex or :command"},
          {"two things to start", [pex: "/bin/sh", command: ["/bin/sh"]], "not both"},
          {"a file that is missing", [pex: "nowhere.pex"], ~s(there is no file "nowhere.pex")},
          {"a file that is no program", [pex: __ENV__.file], "is not executable"},
          {"a program that is missing", [command: ["nowhere-to-be-found"]], "also not in PATH"},
          {"a command in one string", [command: "python3 x.py"], "arguments in a list"},
          {"an unknown option", [command: ["/bin/sh"], cuont: 2], "did you mean :count?"},
          {"no server at all", [command: ["/bin/sh"], count: 0], "expected a positive integer"},
          {"an unknown way to listen", [command: ["/bin/sh"], listen: :http],
           "expected :unix or :tcp"},
          {"a folder that is missing", [command: ["/bin/sh"], cd: "nowhere"], "no folder"},
          {"arguments that are no strings", [command: ["/bin/sh"], args: [1]],
           "a list of strings"}
        ] do
      @server server
      @text text
      test "#{title} raises, and says what to write" do
        error = assert_raise ArgumentError, fn -> Channel.start_link(server: @server) end
        assert Exception.message(error) =~ "channel option :server: "
        assert Exception.message(error) =~ @text
      end
    end

    test "never show variables" do
      error =
        assert_raise ArgumentError, fn ->
          Channel.start_link(server: [command: ["/bin/sh"], env: [{"TOKEN", :s3cret}]])
        end

      assert Exception.message(error) =~ "option :env: expected names and values as strings"
      refute Exception.message(error) =~ "s3cret"
    end
  end

  test "the channel is found by the pid that start_link returns", %{tmp_dir: folder} do
    channel = start(options(folder, nil, "exec cat"))
    assert {:ok, %Table{supervisor: ^channel}} = Table.fetch(channel)
  end

  defp stop(channel), do: Supervisor.stop(channel)
end
