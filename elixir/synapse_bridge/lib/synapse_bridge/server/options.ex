defmodule SynapseBridge.Server.Options do
  @moduledoc false

  # The option `server` of a channel.

  alias SynapseBridge.Channel.Backoff
  alias SynapseBridge.Channel.Options.Schema

  # sockaddr_un has room for 108 bytes on Linux, 104 elsewhere, a zero among them.
  @longest_path 103
  # What the name of a folder of ours and of a socket in it take.
  @name_size 60

  @options [
    pex: [
      type: {:own, &__MODULE__.pex/1},
      doc: "the path of the server: an executable file, such as a PEX."
    ],
    command: [
      type: {:own, &__MODULE__.command/1},
      doc: "in its place, a program and its arguments: `[\"python3\", \"my_agent_server.py\"]`."
    ],
    args: [
      type: {:own, &__MODULE__.texts/1},
      default: [],
      doc: "further arguments, such as `[\"--max-workers\", \"8\"]`."
    ],
    env: [
      type: {:own, &__MODULE__.env/1},
      default: [],
      secret: true,
      doc: "environment variables, names and values as strings; `nil` takes one away."
    ],
    cd: [type: {:own, &__MODULE__.folder/1}, doc: "the folder that it runs in."],
    count: [type: :positive, default: 1, doc: "how many of them there are."],
    listen: [
      type: {:one_of, [:unix, :tcp]},
      default: :unix,
      doc:
        "`:unix` is a socket that only this user may use, `:tcp` a free port of 127.0.0.1, which " <>
          "every user of the machine may."
    ],
    log_level: [
      type: {:one_of, [:debug, :info, :notice, :warning, :error, false]},
      default: :info,
      doc: "of the lines that it prints, in `Logger`; `false` leaves them away."
    ],
    start_timeout: [
      type: :positive,
      default: 60_000,
      doc: "how long it may take to get ready, in milliseconds, before it is killed."
    ],
    stop_timeout: [
      type: :positive,
      default: 10_000,
      doc: "how long it may take to finish its calls, in milliseconds, before it is killed."
    ],
    backoff: [
      type: {:options, Backoff.options(initial: 500, max: 30_000)},
      default: [],
      doc: "the pauses before it is started again:"
    ]
  ]

  @doc "The options as a Markdown list."
  @spec docs(indent :: String.t()) :: String.t()
  def docs(indent), do: Schema.docs(@options, indent)

  @doc "The rows of all options."
  @spec rows() :: Schema.t()
  def rows, do: @options

  @doc "Checks the option `server`; the error is a text."
  @spec new(term()) :: {:ok, map() | nil} | {:error, String.t()}
  def new(nil), do: {:ok, nil}

  def new(values) do
    with {:ok, options} <- Schema.check(@options, values), {:ok, command} <- only_one(options) do
      {:ok, options |> Map.drop([:pex]) |> Map.put(:command, command)}
    end
  end

  defp only_one(%{pex: nil, command: nil}),
    do: {:error, "needs :pex or :command, like server: [pex: \"dist/my_agent.pex\"]"}

  defp only_one(%{pex: nil, command: command}), do: {:ok, command}
  defp only_one(%{pex: pex, command: nil}), do: {:ok, [pex]}
  defp only_one(_both), do: {:error, "takes :pex or :command, not both"}

  @doc false
  def pex(path) when is_binary(path) do
    case File.stat(path) do
      {:ok, %{type: :regular, mode: mode}} when Bitwise.band(mode, 0o111) != 0 ->
        {:ok, Path.expand(path)}

      {:ok, %{type: :regular}} ->
        {:error, "#{inspect(path)} is not executable: chmod +x makes it so"}

      _missing ->
        {:error, "there is no file #{inspect(path)}; it is relative to #{inspect(File.cwd!())}"}
    end
  end

  def pex(other), do: {:error, "expected a path, got #{inspect(other)}"}

  @doc false
  def command([program | arguments]) when is_binary(program) do
    case {System.find_executable(program), texts(arguments)} do
      {nil, _} -> {:error, "there is no program #{inspect(program)}, also not in PATH"}
      {path, {:ok, arguments}} -> {:ok, [path | arguments]}
      {_path, error} -> error
    end
  end

  def command(other),
    do: {:error, "expected a program and its arguments in a list, got #{inspect(other)}"}

  @doc false
  def texts(texts) do
    if is_list(texts) and Enum.all?(texts, &(is_binary(&1) and not (&1 =~ <<0>>))),
      do: {:ok, texts},
      else: {:error, "expected a list of strings, got #{inspect(texts)}"}
  end

  @doc "The same option, with its variables in a function."
  @spec seal(keyword()) :: keyword()
  def seal(values) do
    case List.keyfind(values, :env, 0) do
      {:env, env} when not is_function(env) ->
        List.keystore(values, :env, 0, {:env, fn -> env end})

      _none ->
        values
    end
  end

  # Values may be secret, and then so may be what stands in their place.
  @doc false
  def env(fun) when is_function(fun, 0), do: env(fun.())

  def env(variables) do
    with true <- is_map(variables) or is_list(variables),
         true <- Enum.all?(variables, &variable?/1) do
      variables = Enum.map(variables, fn {name, value} -> {name, value} end)
      # In a function, which nothing prints.
      {:ok, fn -> variables end}
    else
      _ -> {:error, "expected names and values as strings, like %{\"MODEL\" => \"small\"}"}
    end
  end

  defp variable?({name, value}) do
    is_binary(name) and name != "" and not (name =~ ~r/[=\0]/) and
      (is_nil(value) or (is_binary(value) and not (value =~ <<0>>)))
  end

  defp variable?(_other), do: false

  @doc false
  def folder(path) when is_binary(path) do
    if File.dir?(path),
      do: {:ok, Path.expand(path)},
      else: {:error, "there is no folder #{inspect(path)}"}
  end

  def folder(other), do: {:error, "expected the path of a folder, got #{inspect(other)}"}

  @doc "Makes a folder that only this user may look into, for a socket."
  @spec make_folder() :: Path.t()
  def make_folder do
    parent = System.tmp_dir!()

    if byte_size(parent) + @name_size > @longest_path do
      raise ArgumentError,
            "the path of the folder for temporary files, #{parent}, is too long for Unix " <>
              "sockets in it: set TMPDIR, or listen: :tcp"
    end

    name = Base.url_encode64(:crypto.strong_rand_bytes(15), padding: false)
    folder = Path.join(parent, "synapse-bridge-#{name}")
    File.mkdir!(folder)
    File.chmod!(folder, 0o700)
    folder
  end
end
