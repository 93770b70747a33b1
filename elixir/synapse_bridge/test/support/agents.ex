# A client with an agent, as the generator writes it; all its files in one. Messages of conversations are
# cut down to what runs need to know of them.

# ---- lib/agents.ex ---------------------------------------------------------------------------
defmodule Agents do
  @moduledoc """
  Client of the Python module `agents`.
  """
  use SynapseBridge.Client,
    service: "agents.v1.AgentsService",
    contract: "77ab1c0de92f4436",
    errors: [Agents.UsageLimitExceeded]

  rpc :support_run, "SupportRun", Agents.SupportRunRequest, Agents.SupportRunResponse

  rpc :support_run_stream,
      "SupportRunStream",
      Agents.SupportRunRequest,
      Agents.SupportRunStreamResponse,
      stream: :server

  rpc :support_session,
      "SupportSession",
      Agents.SupportSessionRequest,
      Agents.SupportRunStreamResponse,
      stream: :bidi,
      streamed: :answers

  rpc :support_dump_messages,
      "SupportDumpMessages",
      Agents.SupportMessages,
      Agents.SupportText

  rpc :support_load_messages,
      "SupportLoadMessages",
      Agents.SupportText,
      Agents.SupportMessages

  def support_run(prompt, opts \\ []), do: call(:support_run, %{prompt: prompt}, opts)
  def support_run!(prompt, opts \\ []), do: call!(:support_run, %{prompt: prompt}, opts)

  def support_run_stream_stream(prompt, opts \\ []),
    do: call_stream(:support_run_stream, %{prompt: prompt}, opts)
end

# ---- lib/agents/support.ex -------------------------------------------------------------------
defmodule Agents.Support do
  @moduledoc """
  The agent `agents.support_agent`.
  """
  use SynapseBridge.Agent,
    client: Agents,
    prefix: :support,
    result: Agents.Support.Result,
    event: Agents.Support.Event

  @typedoc "What a run begins with."
  @type prompt :: String.t()

  @typedoc "A history of runs, or a part of one."
  @type messages :: [Agents.Message.t()]

  @typedoc "An option of a run."
  @type option :: {:message_history, messages()} | SynapseBridge.Agent.option()

  @typedoc "How a run may fail."
  @type error :: Agents.UsageLimitExceeded.t() | SynapseBridge.Error.t()
end

# ---- lib/agents/support_conversation.ex ------------------------------------------------------
defmodule Agents.Support.Conversation do
  @moduledoc """
  A process that keeps the history of a conversation with `Agents.Support`.
  """
  use SynapseBridge.Agent.Conversation, agent: Agents.Support
end

# ---- lib/agents/usage_limit_exceeded.ex ------------------------------------------------------
defmodule Agents.UsageLimitExceeded do
  @moduledoc """
  The Python exception `agents.UsageLimitExceeded`.
  """
  use SynapseBridge.Message, exception: true

  message do
    field :detail, 1, :string, required: true
  end
end

# ---- lib/agents/message.ex -------------------------------------------------------------------
defmodule Agents.Message do
  @moduledoc """
  The Python model `agents.Message`.
  """
  use SynapseBridge.Message

  message do
    field :text, 1, :string, required: true
  end
end

# ---- lib/agents/support_result.ex ------------------------------------------------------------
defmodule Agents.Support.Result do
  @moduledoc """
  What a run comes to.
  """
  use SynapseBridge.Message

  message do
    field :output, 1, :string, required: true
    field :new_messages, 2, {:list, {:message, Agents.Message}}, required: true
  end
end

# ---- lib/agents/text_delta.ex and others -----------------------------------------------------
defmodule Agents.TextDelta do
  @moduledoc "The next piece of the text that the model writes."
  use SynapseBridge.Message

  message do
    field :text, 1, :string, required: true
  end
end

defmodule Agents.ToolRequest do
  @moduledoc "The caller is to run a tool of its own."
  use SynapseBridge.Message

  message do
    field :tool_call_id, 1, :string, required: true
    field :tool_name, 2, :string, required: true
    field :args, 3, :any, required: true
  end
end

defmodule Agents.ApprovalRequest do
  @moduledoc "The caller is asked whether the agent may call this tool."
  use SynapseBridge.Message

  message do
    field :tool_call_id, 1, :string, required: true
    field :tool_name, 2, :string, required: true
    field :args, 3, :any, required: true
    field :metadata, 4, {:map, :string, :any}, required: true
  end
end

defmodule Agents.Support.Finished do
  @moduledoc "The run is over."
  use SynapseBridge.Message

  message do
    field :result, 1, {:message, Agents.Support.Result}, required: true
  end
end

defmodule Agents.Support.Event do
  @moduledoc "What a run tells."
  use SynapseBridge.Union

  union do
    member :text_delta, 1, {:message, Agents.TextDelta}
    member :tool_request, 2, {:message, Agents.ToolRequest}
    member :approval_request, 3, {:message, Agents.ApprovalRequest}
    member :finished, 4, {:message, Agents.Support.Finished}
  end
end

for {name, fields} <- [
      ToolResult: [content: :any],
      ToolRetry: [message: :string],
      ToolFailure: [message: :string],
      Approval: [override_args: {:nullable, {:wrapped, {:map, :string, :any}}}],
      Denial: [message: :string]
    ] do
  defmodule Module.concat(Agents, name) do
    @moduledoc "What a caller answers."
    use SynapseBridge.Message

    message do
      field :tool_call_id, 1, :string, required: true
      [{field, type}] = fields
      field field, 2, type, required: true
    end
  end
end

defmodule Agents.Answer do
  @moduledoc "What a caller answers."
  use SynapseBridge.Union

  union do
    member :tool_result, 1, {:message, Agents.ToolResult}
    member :tool_retry, 2, {:message, Agents.ToolRetry}
    member :tool_failure, 3, {:message, Agents.ToolFailure}
    member :approval, 4, {:message, Agents.Approval}
    member :denial, 5, {:message, Agents.Denial}
  end
end

defmodule Agents.ToolDefinition do
  @moduledoc "A tool of the caller's."
  use SynapseBridge.Message

  message do
    field :name, 1, :string, required: true
    field :description, 2, :string, required: true
    field :parameters, 3, {:map, :string, :any}, required: true
    field :sequential, 4, :bool, default: false
  end
end

# ---- requests and responses ------------------------------------------------------------------
defmodule Agents.SupportRunRequest do
  @moduledoc false
  use SynapseBridge.Message

  message do
    field :prompt, 1, :string, required: true
    field :message_history, 2, {:list, {:message, Agents.Message}}, default: []
  end
end

defmodule Agents.SupportRunResponse do
  @moduledoc false
  use SynapseBridge.Message

  message do
    field :result, 1, {:message, Agents.Support.Result}, required: true
  end
end

defmodule Agents.SupportRunStreamResponse do
  @moduledoc false
  use SynapseBridge.Message

  message do
    field :result, 1, {:union, Agents.Support.Event}, required: true
  end
end

defmodule Agents.SupportSessionRequest do
  @moduledoc false
  use SynapseBridge.Message

  message do
    field :prompt, 1, :string, required: true
    field :answers, 2, {:union, Agents.Answer}, streamed: true
    field :tools, 3, {:list, {:message, Agents.ToolDefinition}}, required: true
    field :message_history, 4, {:list, {:message, Agents.Message}}, default: []
  end
end

defmodule Agents.SupportMessages do
  @moduledoc false
  use SynapseBridge.Message

  message do
    field :result, 1, {:list, {:message, Agents.Message}}, required: true
  end
end

defmodule Agents.SupportText do
  @moduledoc false
  use SynapseBridge.Message

  message do
    field :result, 1, :string, required: true
  end
end
