# Runs a program: script.exs [--server CLIENT=COMMAND]… -- PROGRAM [ARGUMENT]…
Code.require_file("servers.exs", __DIR__)

{options, [program | arguments]} = OptionParser.parse!(System.argv(), strict: [server: :keep])

for application <- [:crypto, :public_key, :ssl] do
  {:ok, _started} = Application.ensure_all_started(application)
end

Harness.Servers.start(Keyword.get_values(options, :server))
System.argv(arguments)
Code.require_file(program)
