defmodule SynapseBridge.Error do
  @moduledoc """
  Why a call did not return a value.

    * `:code` - the gRPC status as an atom, such as `:invalid_argument` or `:unavailable`;
    * `:message` - the server's text, or what happened here and what to do;
    * `:reason` - the qualified name of the Python exception, such as
      `"builtins.ZeroDivisionError"`; `nil` where no exception is known, in particular where
      nothing was sent;
    * `:violations` - every `SynapseBridge.Violation`, where the values were at fault;
    * `:details` - what else came with the status: structs of `SynapseBridge.Rpc`, and
      `SynapseBridge.Rpc.Any` for kinds that the runtime does not know;
    * `:metadata` - the trailers of the response;
    * `:hint` - what may help, where something is known: above all that the client was generated
      from another version of the service than the one that runs.

  It is an exception too: the functions that end in `!` raise it.

      case MyPythonAgent.process_data(%{name: "Alice", age: "thirty"}) do
        {:ok, text} -> text
        {:error, %SynapseBridge.Error{code: :invalid_argument} = error} -> Exception.message(error)
      end
      #=> "invalid_argument: data.age: Input should be a valid integer (int_type)"
  """

  alias SynapseBridge.{Rpc, Status, Violation}

  defexception [:code, :reason, :hint, message: "", violations: [], details: [], metadata: %{}]

  @type t :: %__MODULE__{
          code: Status.name(),
          message: String.t(),
          reason: String.t() | nil,
          violations: [Violation.t()],
          details: [struct()],
          metadata: %{optional(String.t()) => binary()},
          hint: String.t() | nil
        }

  @details "grpc-status-details-bin"

  @stale "the client was generated from another version of the service: generate it again"

  @impl true
  def message(%__MODULE__{hint: nil} = error), do: text(error)
  def message(%__MODULE__{hint: hint} = error), do: "#{text(error)} (#{hint})"

  defp text(%{code: code, violations: [], message: ""}), do: "#{code}"
  defp text(%{code: code, violations: [], message: message}), do: "#{code}: #{message}"

  defp text(%{code: code, violations: violations}),
    do: "#{code}: #{Enum.map_join(violations, "; ", &to_string/1)}"

  @doc "The error of values that were found wrong here, before anything was sent."
  @spec invalid([Violation.t()]) :: t()
  def invalid(violations) do
    %__MODULE__{
      code: :invalid_argument,
      message: "the values do not fit their types; nothing was sent",
      violations: violations
    }
  end

  @doc "The error of a response that does not fit the client."
  @spec undecodable([Violation.t()]) :: t()
  def undecodable(violations) do
    %__MODULE__{
      code: :internal,
      message: "the response does not fit its type",
      violations: violations,
      hint: @stale
    }
  end

  @doc "The error of an item that was found wrong when its turn came in a stream."
  @spec invalid_item([Violation.t()]) :: t()
  def invalid_item(violations) do
    %__MODULE__{
      code: :invalid_argument,
      message: "an item of the stream does not fit its type; the call was cancelled",
      violations: violations
    }
  end

  @doc """
  The error of a call that failed, made by a client of this contract: the exception among those in
  `declared`, by the names of their messages, that the server sent, or else this one.

  Details that cannot be read stay in the metadata as they came.
  """
  @spec from_status(Status.t(), String.t() | nil, %{String.t() => module()}) :: Exception.t()
  def from_status(%Status{} = status, contract \\ nil, declared \\ %{}) do
    {details, trailers} = details(status.trailers)

    case declared(details, declared) do
      nil -> from_details(status, details, trailers, contract)
      exception -> with_text(exception, status.message)
    end
  end

  defp declared(_details, declared) when declared == %{}, do: nil

  defp declared(details, declared) do
    Enum.find_value(details, fn detail ->
      with %Rpc.Any{} <- detail,
           {:ok, module} <- Map.fetch(declared, Rpc.Any.name(detail)),
           {:ok, exception} <- module.decode(detail.value) do
        exception
      else
        _ -> nil
      end
    end)
  end

  # The text is the server's, unless the exception has a field of that name.
  defp with_text(%module{} = exception, text) do
    if Enum.any?(module.__synapse__(:fields), &(&1.name == :message)),
      do: exception,
      else: %{exception | message: text}
  end

  defp from_details(status, details, trailers, contract) do
    %__MODULE__{
      code: Status.name(status.code),
      message: status.message,
      reason: Enum.find_value(details, &reason/1),
      violations: Enum.flat_map(details, &violations/1),
      details: details,
      metadata: metadata(trailers),
      hint:
        if(contract && Enum.any?(details, &stale?(&1, contract)),
          do: @stale,
          else: Enum.find_value(details, &left_out/1)
        )
    }
  end

  defp details(trailers) do
    with {_, bytes} <- List.keyfind(trailers, @details, 0),
         {:ok, %Rpc.Status{details: details}} <- Rpc.Status.decode(bytes) do
      {Enum.map(details, &Rpc.Any.unpack/1), List.keydelete(trailers, @details, 0)}
    else
      _ -> {[], trailers}
    end
  end

  defp reason(%Rpc.ErrorInfo{metadata: %{"exception" => name}}), do: name
  defp reason(_), do: nil

  # The server says with an error which contract it has.
  defp stale?(%Rpc.ErrorInfo{metadata: %{"contract" => served}}, contract), do: served != contract
  defp stale?(_, _), do: false

  defp left_out(%Rpc.ErrorInfo{metadata: %{"omitted" => name} = metadata}) do
    "the server has left out the exception #{name}, which takes #{metadata["omitted_bytes"]} bytes " <>
      "where #{metadata["room"]} fit into the end of a response: a larger max_metadata_size of the " <>
      "channel makes room, but not for a server with --transport grpcio"
  end

  defp left_out(_), do: nil

  defp violations(%Rpc.BadRequest{field_violations: violations}) do
    for violation <- violations do
      %Violation{
        path: violation.field,
        rule: rule(violation.reason),
        message: violation.description
      }
    end
  end

  defp violations(_), do: []

  # The wire has rules in upper case (google.rpc.BadRequest.FieldViolation.reason).
  defp rule(reason) do
    if reason =~ ~r/\A[A-Z][A-Z0-9_]*\z/, do: String.downcase(reason), else: reason
  end

  # Several values of one key are joined, as HTTP allows (RFC 9110, section 5.3).
  defp metadata(trailers) do
    Enum.reduce(trailers, %{}, fn {key, value}, metadata ->
      Map.update(metadata, key, value, &"#{&1}, #{value}")
    end)
  end
end
