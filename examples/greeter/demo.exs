# ./pants run examples/greeter:demo

case MyPythonAgent.process_data(%{name: "Alice", age: 30}) do
  {:ok, response} -> IO.puts("Response: #{response}")
  {:error, %SynapseBridge.Error{} = reason} -> IO.puts("Error: #{Exception.message(reason)}")
end

# The same call, with an age that is not an integer: an error that says where and why.
case MyPythonAgent.process_data(%{name: "Alice", age: "thirty"}) do
  {:ok, response} -> IO.puts("Response: #{response}")
  {:error, %SynapseBridge.Error{} = reason} -> IO.puts("Error: #{Exception.message(reason)}")
end
