defmodule SynapseBridge.HPACK.Table do
  @moduledoc """
  The indexing table of HPACK: 61 static entries followed by the dynamic ones, newest first
  (RFC 7541, section 2.3).

  The dynamic part is a map from a running number to the entry, so that adding, evicting and looking
  up take the same short time however many entries there are.
  """

  @static [
    {":authority", ""},
    {":method", "GET"},
    {":method", "POST"},
    {":path", "/"},
    {":path", "/index.html"},
    {":scheme", "http"},
    {":scheme", "https"},
    {":status", "200"},
    {":status", "204"},
    {":status", "206"},
    {":status", "304"},
    {":status", "400"},
    {":status", "404"},
    {":status", "500"},
    {"accept-charset", ""},
    {"accept-encoding", "gzip, deflate"},
    {"accept-language", ""},
    {"accept-ranges", ""},
    {"accept", ""},
    {"access-control-allow-origin", ""},
    {"age", ""},
    {"allow", ""},
    {"authorization", ""},
    {"cache-control", ""},
    {"content-disposition", ""},
    {"content-encoding", ""},
    {"content-language", ""},
    {"content-length", ""},
    {"content-location", ""},
    {"content-range", ""},
    {"content-type", ""},
    {"cookie", ""},
    {"date", ""},
    {"etag", ""},
    {"expect", ""},
    {"expires", ""},
    {"from", ""},
    {"host", ""},
    {"if-match", ""},
    {"if-modified-since", ""},
    {"if-none-match", ""},
    {"if-range", ""},
    {"if-unmodified-since", ""},
    {"last-modified", ""},
    {"link", ""},
    {"location", ""},
    {"max-forwards", ""},
    {"proxy-authenticate", ""},
    {"proxy-authorization", ""},
    {"range", ""},
    {"referer", ""},
    {"refresh", ""},
    {"retry-after", ""},
    {"server", ""},
    {"set-cookie", ""},
    {"strict-transport-security", ""},
    {"transfer-encoding", ""},
    {"user-agent", ""},
    {"vary", ""},
    {"via", ""},
    {"www-authenticate", ""}
  ]
  @static_size length(@static)
  @static_entries List.to_tuple(@static)
  @static_by_field @static |> Enum.with_index(1) |> Map.new()
  @static_by_name @static
                  |> Enum.with_index(1)
                  |> Enum.reverse()
                  |> Map.new(fn {{name, _value}, index} -> {name, index} end)

  @entry_overhead 32

  @enforce_keys [:max_size]
  defstruct [:max_size, entries: %{}, added: 0, oldest: 0, size: 0]

  @typedoc "A header field: lower-case name and value."
  @type field :: {name :: binary(), value :: binary()}

  @type t :: %__MODULE__{
          max_size: non_neg_integer(),
          entries: %{non_neg_integer() => field()},
          added: non_neg_integer(),
          oldest: non_neg_integer(),
          size: non_neg_integer()
        }

  @doc "An empty dynamic table of at most `max_size` bytes, as section 4.1 counts them."
  @spec new(non_neg_integer()) :: t()
  def new(max_size), do: %__MODULE__{max_size: max_size}

  @doc "The size of a field as HPACK and `SETTINGS_MAX_HEADER_LIST_SIZE` count it: bytes plus 32."
  @spec field_size(field()) :: pos_integer()
  def field_size({name, value}), do: byte_size(name) + byte_size(value) + @entry_overhead

  @doc "The field at `index` of the static and dynamic table together, counted from 1."
  @spec fetch(t(), non_neg_integer()) :: {:ok, field()} | :error
  def fetch(_table, 0), do: :error

  def fetch(_table, index) when index <= @static_size do
    {:ok, elem(@static_entries, index - 1)}
  end

  def fetch(%__MODULE__{added: added, entries: entries}, index) do
    number = added - (index - @static_size)

    case entries do
      %{^number => field} -> {:ok, field}
      %{} -> :error
    end
  end

  @doc "Adds a field, evicting the oldest; one that is too large empties the table (section 4.4)."
  @spec add(t(), field()) :: t()
  def add(%__MODULE__{} = table, field) do
    size = field_size(field)
    table = evict(table, table.max_size - size)

    if size > table.max_size do
      table
    else
      entries = Map.put(table.entries, table.added, field)
      %{table | entries: entries, added: table.added + 1, size: table.size + size}
    end
  end

  @doc "Changes the maximum size, evicting what no longer fits (section 4.3)."
  @spec resize(t(), non_neg_integer()) :: t()
  def resize(%__MODULE__{} = table, max_size), do: evict(%{table | max_size: max_size}, max_size)

  @doc "Where `field` is in the static table: whole, by its name only, or nowhere."
  @spec static_index(field()) :: {:field, pos_integer()} | {:name, pos_integer()} | :none
  def static_index({name, _value} = field) do
    case {@static_by_field, @static_by_name} do
      {%{^field => index}, _names} -> {:field, index}
      {_fields, %{^name => index}} -> {:name, index}
      {_fields, _names} -> :none
    end
  end

  defp evict(%__MODULE__{size: size, entries: entries} = table, room)
       when size > room and size > 0 do
    {field, entries} = Map.pop!(entries, table.oldest)
    table = %{table | entries: entries, oldest: table.oldest + 1, size: size - field_size(field)}
    evict(table, room)
  end

  defp evict(table, _room), do: table
end
