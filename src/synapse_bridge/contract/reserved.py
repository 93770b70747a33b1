"""Names that are taken, and so must not be derived or chosen."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ELIXIR_RESERVED = _words(
    """
    after and catch do else end false fn in nil not or rescue true when __CALLER__ __DIR__
    __ENV__ __MODULE__ __STACKTRACE__ __struct__ __exception__
    """
)
"""Reserved words, and the two keys that every struct and exception has."""

ELIXIR_SPECIAL_FORMS = _words(
    """
    alias case cond for import quote receive require super try unquote unquote_splicing with
    """
)
"""Special forms: ordinary names for fields, but no function can have them."""

CLIENT_FUNCTIONS = _words(
    """
    call call_stream child_spec def defp module_info rpc start_link use behaviour_info __info__
    """
)
"""What a generated client module already has, or uses in its own text."""

CALL_OPTIONS = _words(
    """
    channel credentials idempotent metadata opts timeout traceparent wait_for_ready
    """
)
"""Options of every call, which share a keyword list with the optional parameters."""

ELIXIR_MODULES = _words(
    """
    Access Agent Application ArgumentError ArithmeticError Atom BadArityError BadBooleanError
    BadFunctionError BadMapError BadStructError Base Behaviour Bitwise Calendar CaseClauseError
    Code Collectable CompileError CondClauseError Config Date DateTime Dict Duration
    DynamicSupervisor EEx Enum Enumerable ErlangError ExUnit Exception File Float Function
    FunctionClauseError GenEvent GenServer HashDict HashSet IEx IO Inspect Integer JSON Kernel
    KeyError Keyword List Logger Macro Map MapSet MatchError MismatchedDelimiterError Mix
    Module NaiveDateTime Node OptionParser PartitionSupervisor Path Port Process Protocol Range
    Record Regex Registry RuntimeError Set Stream String StringIO Supervisor SynapseBridge
    SyntaxError System SystemLimitError Task Time TokenMissingError TryClauseError Tuple URI
    UndefinedFunctionError UnicodeConversionError Version WithClauseError
    """
)
"""The top-level modules of Elixir and its tools; a client of that name would replace them."""

ERLANG_APPLICATIONS = _words(
    """
    asn1 common_test compiler crypto debugger dialyzer diameter edoc eldap elixir erl_interface
    erts et eunit ftp inets jinterface kernel megaco mnesia observer odbc os_mon parsetools
    public_key reltool runtime_tools sasl snmp ssh ssl stdlib syntax_tools tftp tools wx xmerl
    """
)
"""Applications of Erlang and Elixir; a client's Mix project cannot have such a name."""
