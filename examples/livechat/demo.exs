# ./pants run examples/livechat:demo
# PORT=8080 OPENAI_API_KEY=… ./pants run examples/livechat:demo

port = "PORT" |> System.get_env("4000") |> String.to_integer()
page = File.read!(Path.join(__DIR__, "page.html"))

{:ok, listener, address} = Livechat.listen(port)
IO.puts("Open #{address} in a browser. Ctrl-C ends this.")
Livechat.serve(listener, page)
