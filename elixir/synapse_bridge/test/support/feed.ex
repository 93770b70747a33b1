# A client with every kind of stream, as the generator writes it; all its files in one.

# ---- lib/feed.ex -----------------------------------------------------------------------------
defmodule Feed do
  @moduledoc """
  Client of the Python module `feed`.
  """
  use SynapseBridge.Client,
    service: "feed.v1.FeedService",
    contract: "5b1d0c7ae92f4436",
    errors: [Feed.Exhausted]

  rpc :tail, "Tail", Feed.TailRequest, Feed.TailResponse,
    stream: :server,
    timeout: 30_000,
    fingerprint: "0badcafe"

  @spec tail(String.t(), keyword()) :: {:ok, Enumerable.t()} | {:error, SynapseBridge.Error.t()}
  def tail(path, opts \\ []), do: call(:tail, %{path: path}, opts)
  def tail!(path, opts \\ []), do: call!(:tail, %{path: path}, opts)
  def tail_stream(path, opts \\ []), do: call_stream(:tail, %{path: path}, opts)

  rpc :total, "Total", Feed.TotalRequest, Feed.TotalResponse,
    stream: :client,
    streamed: :numbers

  def total(numbers, opts \\ []), do: call(:total, %{numbers: numbers}, opts)
  def total!(numbers, opts \\ []), do: call!(:total, %{numbers: numbers}, opts)

  rpc :scale, "Scale", Feed.ScaleRequest, Feed.ScaleResponse,
    stream: :bidi,
    streamed: :numbers

  def scale(numbers, opts), do: call(:scale, %{numbers: numbers}, opts)
  def scale!(numbers, opts), do: call!(:scale, %{numbers: numbers}, opts)
  def scale_stream(numbers, opts), do: call_stream(:scale, %{numbers: numbers}, opts)
end

# ---- lib/feed/exhausted.ex -------------------------------------------------------------------
defmodule Feed.Exhausted do
  @moduledoc """
  The Python exception `feed.Exhausted`.
  """
  use SynapseBridge.Message, exception: true

  message do
    field :path, 1, :string, required: true
    field :lines, 2, :int64, required: true
  end
end

# ---- lib/feed/tail_request.ex ----------------------------------------------------------------
defmodule Feed.TailRequest do
  @moduledoc false
  use SynapseBridge.Message

  message do
    field :path, 1, :string, required: true
  end
end

# ---- lib/feed/tail_response.ex ---------------------------------------------------------------
defmodule Feed.TailResponse do
  @moduledoc false
  use SynapseBridge.Message

  message do
    field :result, 1, :string, required: true
  end
end

# ---- lib/feed/total_request.ex ---------------------------------------------------------------
defmodule Feed.TotalRequest do
  @moduledoc false
  use SynapseBridge.Message

  message do
    field :numbers, 1, :int64, streamed: true
  end
end

# ---- lib/feed/total_response.ex --------------------------------------------------------------
defmodule Feed.TotalResponse do
  @moduledoc false
  use SynapseBridge.Message

  message do
    field :result, 1, :int64, required: true
  end
end

# ---- lib/feed/scale_request.ex ---------------------------------------------------------------
defmodule Feed.ScaleRequest do
  @moduledoc false
  use SynapseBridge.Message

  message do
    field :numbers, 1, {:wrapped, {:nullable, {:wrapped, {:list, :int64}}}}, streamed: true
    field :factor, 2, :int64, required: true
  end
end

# ---- lib/feed/scale_response.ex --------------------------------------------------------------
defmodule Feed.ScaleResponse do
  @moduledoc false
  use SynapseBridge.Message

  message do
    field :result, 1, :int64, required: true
  end
end
