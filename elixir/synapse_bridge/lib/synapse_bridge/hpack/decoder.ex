defmodule SynapseBridge.HPACK.Decoder do
  @moduledoc """
  Decodes header blocks (RFC 7541): indexed and literal fields, Huffman strings, the dynamic table
  and its size updates.

  A block must always be decoded to its end, even when nobody wants its fields, because it changes
  the table that later blocks refer to. So a list over the size limit is read on, but not kept: a
  few bytes that refer a thousand times to a large entry cost no memory.
  """

  alias SynapseBridge.HPACK.{Huffman, Table}

  # Five bytes of seven bits after the prefix are plenty for any length that fits in a frame.
  @max_integer_shift 28

  @enforce_keys [:table, :table_limit, :list_limit]
  defstruct [:table, :table_limit, :list_limit]

  @opaque t :: %__MODULE__{
            table: Table.t(),
            table_limit: non_neg_integer(),
            list_limit: pos_integer()
          }

  @doc """
  A decoder for one connection.

    * `:table_size` - the `SETTINGS_HEADER_TABLE_SIZE` we announced: the most that a size update of
      the peer may ask for. 4096 bytes by default.
    * `:max_list_size` - the largest list of fields to hand out, counted as
      `SETTINGS_MAX_HEADER_LIST_SIZE` does (32 bytes more per field). 64 KiB by default.
  """
  @spec new(table_size: non_neg_integer(), max_list_size: pos_integer()) :: t()
  def new(opts \\ []) do
    table_size = Keyword.get(opts, :table_size, 4096)

    %__MODULE__{
      table: Table.new(table_size),
      table_limit: table_size,
      list_limit: Keyword.get(opts, :max_list_size, 65_536)
    }
  end

  @doc """
  Decodes one complete block.

  `{:too_large, size, decoder}` says that the fields exceed the limit; the decoder is still good for
  the blocks after it. An `:error` is final for the connection (COMPRESSION_ERROR).
  """
  @spec decode(t(), binary()) ::
          {:ok, [Table.field()], t()}
          | {:too_large, size :: pos_integer(), t()}
          | {:error, reason :: String.t()}
  def decode(%__MODULE__{} = decoder, block) do
    with {:ok, table, rest} <- size_updates(block, decoder.table, decoder.table_limit),
         {:ok, fields, size, table} <- fields(rest, table, decoder.list_limit, [], 0) do
      decoder = %{decoder | table: table}
      if size > decoder.list_limit, do: {:too_large, size, decoder}, else: {:ok, fields, decoder}
    end
  end

  @doc "Whether a block that `before` has decoded to `now` left the table as it was."
  @spec same_table?(before :: t(), now :: t()) :: boolean()
  def same_table?(%__MODULE__{table: before}, %__MODULE__{table: now}), do: before === now

  # Size updates may only stand at the beginning of a block (section 4.2).
  defp size_updates(<<0b001::3, prefix::5, rest::binary>>, table, limit) do
    with {:ok, size, rest} <- integer(prefix, 31, rest) do
      if size > limit do
        {:error, "a table size update to #{size} bytes, but #{limit} are allowed"}
      else
        size_updates(rest, Table.resize(table, size), limit)
      end
    end
  end

  defp size_updates(rest, table, _limit), do: {:ok, table, rest}

  defp fields(<<>>, table, _limit, fields, size), do: {:ok, Enum.reverse(fields), size, table}

  # Indexed field (section 6.1).
  defp fields(<<1::1, prefix::7, rest::binary>>, table, limit, fields, size) do
    with {:ok, index, rest} <- integer(prefix, 127, rest),
         {:ok, field} <- lookup(table, index) do
      keep(field, rest, table, limit, fields, size)
    end
  end

  # Literal with incremental indexing (section 6.2.1).
  defp fields(<<0b01::2, prefix::6, rest::binary>>, table, limit, fields, size) do
    with {:ok, index, rest} <- integer(prefix, 63, rest),
         {:ok, field, rest} <- literal(table, index, rest) do
      keep(field, rest, Table.add(table, field), limit, fields, size)
    end
  end

  # Literal without indexing, and never indexed (sections 6.2.2 and 6.2.3).
  defp fields(
         <<0b000::3, _never_indexed::1, prefix::4, rest::binary>>,
         table,
         limit,
         fields,
         size
       ) do
    with {:ok, index, rest} <- integer(prefix, 15, rest),
         {:ok, field, rest} <- literal(table, index, rest) do
      keep(field, rest, table, limit, fields, size)
    end
  end

  defp fields(<<0b001::3, _rest::bitstring>>, _table, _limit, _fields, _size) do
    {:error, "a table size update after a field"}
  end

  defp keep(field, rest, table, limit, fields, size) do
    size = size + Table.field_size(field)
    fields(rest, table, limit, if(size > limit, do: [], else: [field | fields]), size)
  end

  defp literal(_table, 0, rest) do
    with {:ok, name, rest} <- string(rest),
         {:ok, value, rest} <- string(rest) do
      {:ok, {name, value}, rest}
    end
  end

  defp literal(table, index, rest) do
    with {:ok, {name, _value}} <- lookup(table, index),
         {:ok, value, rest} <- string(rest) do
      {:ok, {name, value}, rest}
    end
  end

  defp lookup(table, index) do
    with :error <- Table.fetch(table, index) do
      {:error, "an index (#{index}) that is not in the table"}
    end
  end

  # Copied, because a small part of a packet would keep the whole packet in memory.
  defp string(<<0::1, prefix::7, rest::binary>>) do
    with {:ok, string, rest} <- bytes(prefix, rest), do: {:ok, :binary.copy(string), rest}
  end

  defp string(<<1::1, prefix::7, rest::binary>>) do
    with {:ok, coded, rest} <- bytes(prefix, rest) do
      case Huffman.decode(coded) do
        {:ok, string} -> {:ok, string, rest}
        :error -> {:error, "a string with an invalid Huffman code"}
      end
    end
  end

  defp string(<<>>), do: truncated()

  defp bytes(prefix, rest) do
    with {:ok, length, rest} <- integer(prefix, 127, rest) do
      case rest do
        <<bytes::binary-size(length), rest::binary>> -> {:ok, bytes, rest}
        _shorter -> truncated()
      end
    end
  end

  # Section 5.1: `prefix` holds the value unless all its bits are set.
  defp integer(prefix, max_prefix, rest) when prefix < max_prefix, do: {:ok, prefix, rest}
  defp integer(prefix, _max_prefix, rest), do: continued(rest, prefix, 0)

  defp continued(<<_byte, _rest::binary>>, _value, shift) when shift > @max_integer_shift do
    {:error, "an integer of more than #{div(@max_integer_shift, 7) + 1} bytes"}
  end

  defp continued(<<1::1, bits::7, rest::binary>>, value, shift) do
    continued(rest, value + Bitwise.bsl(bits, shift), shift + 7)
  end

  defp continued(<<0::1, bits::7, rest::binary>>, value, shift) do
    {:ok, value + Bitwise.bsl(bits, shift), rest}
  end

  defp continued(<<>>, _value, _shift), do: truncated()

  defp truncated, do: {:error, "a block that ends in the middle of a field"}
end
