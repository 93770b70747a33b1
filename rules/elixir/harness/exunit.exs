# Runs tests: exunit.exs --report FILE --folder FOLDER [OPTION]… -- FILE…
#
# As under `mix test`, the folder of the tests is the current directory, a helper may call
# `ExUnit.start/1` itself, and the applications of an ordinary Mix project run.
Code.require_file("servers.exs", __DIR__)
Code.require_file("junit.exs", __DIR__)

{options, files} =
  OptionParser.parse!(System.argv(),
    strict: [
      server: :keep,
      report: :string,
      folder: :string,
      colors: :boolean,
      trace: :boolean,
      seed: :integer,
      timeout: :integer,
      max_failures: :integer,
      only: :keep,
      include: :keep,
      exclude: :keep
    ]
  )

for application <- [:crypto, :public_key, :ssl] do
  {:ok, _started} = Application.ensure_all_started(application)
end

Harness.Servers.start(Keyword.get_values(options, :server))

tags = fn name -> options |> Keyword.get_values(name) |> ExUnit.Filters.parse() end
{only, include, exclude} = {tags.(:only), tags.(:include), tags.(:exclude)}

filters =
  case only do
    [] -> [include: include, exclude: exclude]
    only -> [include: only ++ include, exclude: [:test | exclude]]
  end

File.cd!(options[:folder])
ExUnit.start(autorun: false)
{tests, helpers} = Enum.split_with(files, &String.ends_with?(&1, "_test.exs"))
Enum.each(helpers, &Code.require_file/1)

# What the caller asks for goes before what a helper sets.
ExUnit.configure(
  Keyword.take(options, [:report, :seed, :trace, :timeout, :max_failures]) ++
    Enum.reject(filters, fn {_name, tags} -> tags == [] end) ++
    [
      autorun: false,
      colors: [enabled: options[:colors]],
      formatters: [ExUnit.CLIFormatter, Harness.JUnit]
    ]
)

case Kernel.ParallelCompiler.require(tests) do
  {:ok, _modules, _warnings} -> :ok
  {:error, _errors, _warnings} -> System.halt(1)
end

%{failures: failures} = ExUnit.run()
if failures > 0, do: System.halt(2)
