"""A session's settings: SET, RESET and SHOW, and what a transaction that is rolled back takes back.

Those with an effect here: search_path, query_group, statement_timeout, error_on_nondeterministic_update.
"""

from __future__ import annotations

from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import RESERVED, quote, string
from local_redshift.read.words import Word, Words
from local_redshift.values.catalog import Catalog
from local_redshift.values.scope import Query
from local_redshift.values.types import varchar
from local_redshift.values.uses import Uses

DEFAULTS = {
    "application_name": "",
    "client_encoding": "UTF8",
    "datestyle": "ISO, MDY",
    "enable_case_sensitive_identifier": "false",
    "enable_result_cache_for_session": "on",
    "error_on_nondeterministic_update": "false",
    "extra_float_digits": "0",
    "query_group": "unset",
    "search_path": '"$user", public',
    "statement_timeout": "0",
    "timezone": "UTC",
    "wlm_query_slot_count": "1",
}
"""The settings there are, with the values that Amazon's pages give as their defaults."""

LEVELS = (
    ("read", "committed"),
    ("read", "uncommitted"),
    ("repeatable", "read"),
    ("serializable",),
)
"""The isolation levels that a client may name; each is read as the database's own."""
_SHOWN_TEXT = """
    column columns constraints database databases datashares external function functions grants
    model parameters policies procedure procedures schemas table tables templates view
"""
_SHOWN = frozenset(_SHOWN_TEXT.split())
"""What SHOW has besides settings, by Amazon's pages r_SHOW_…."""
_LEVEL = (("transaction_isolation", varchar(256)),)
_SWITCHES = {"on": "on", "true": "on", "off": "off", "false": "off"}
_FIXED = {
    "timezone": ("UTC", ("utc",), "", "keep UTC and use convert_timezone"),
    "datestyle": ("ISO, MDY", ("iso", "iso,mdy"), " ", "keep ISO, MDY"),
    "client_encoding": ("UTF8", ("utf8", "unicode"), "-", "keep UTF8"),
}
"""Settings with one value: it, the ways to write it, the sign that does not count in them, a remedy."""
_NUMBERS = ("extra_float_digits", "statement_timeout", "wlm_query_slot_count")


def set_(words: Words, catalog: Catalog) -> None:
    """SET [SESSION | LOCAL] name TO value, or DEFAULT."""
    local = words.take("local")
    if words.peek("session", "authorization") or words.peek("seed"):
        raise refuse(f"set {words.rest()[:40]}", "connect as that user; random() has no seed")
    if not local and words.take("session") and words.take("characteristics"):
        _characteristics(words)
        return
    if words.take("time", "zone"):
        name = "timezone"
        _ = words.take("to") or words.take("=")
    else:
        name = _name(words)
        if name == "timezone" and words.peek("interval"):
            raise refuse("a time zone by an interval", "keep UTC and use convert_timezone")
        if not words.take("to"):
            words.expect("=")
    values = [words.next()]
    sign = values[0].text if values[0].text in ("-", "+") else ""
    if sign:
        values = [words.next()]
    while words.take(","):
        values.append(words.next())
    words.end()
    value = None
    if [word.lower for word in values] != ["default"]:
        value = sign + _checked(name, values, catalog)
        if name == "extra_float_digits" and value != "0":
            raise refuse(f"set {name} to {value}", "keep 0")
    catalog.settings.put(name, value, local)
    _apply(catalog)


def _characteristics(words: Words) -> None:
    """… AS TRANSACTION ISOLATION LEVEL …, as JDBC drivers send it: the level is the database's."""
    words.expect("as", "transaction", "isolation", "level")
    if not any(words.take(*level) for level in LEVELS):
        raise refuse("this isolation level", "leave it out: it is the database's")
    words.end()


def reset(words: Words, catalog: Catalog) -> None:
    """RESET name, or ALL."""
    names = list(DEFAULTS) if words.take("all") else [_name(words)]
    words.end()
    for name in names:
        if name not in DEFAULTS and name not in catalog.settings.values:
            raise RedshiftError("42704", f'unrecognized configuration parameter "{name}"')
        catalog.settings.put(name, None)
    _apply(catalog)


def show(sql: str, catalog: Catalog) -> Query | None:
    """SHOW name, or ALL: a query that gives what is set. None for another statement."""
    words = Words(sql)
    if not words.take("show"):
        return None
    settings = catalog.settings
    if words.take("all"):
        words.end()
        pairs = sorted({**DEFAULTS, **settings.values}.items())
        rows = ", ".join(f"({string(name)}, {string(value)})" for name, value in pairs)
        columns = (("name", varchar(256)), ("setting", varchar(256)))
        return Query(f'SELECT * FROM (VALUES {rows}) AS "_s"("name", "setting")', columns, Uses())
    if words.take("transaction", "isolation", "level"):
        words.end()  # every transaction is told to be so, whatever level its database has
        return Query("SELECT 'serializable' AS transaction_isolation", _LEVEL, Uses())
    if not words.done and words.words[words.at].lower in _SHOWN:
        raise refuse(
            f"show {words.rest()[:60]}", "ask the svv_ views, there are show <setting> and show all"
        )
    if words.peek("time", "zone"):
        words.at += 2
        name = "timezone"
    else:
        name = _name(words)
        if not words.done:
            raise refuse(f"show {name} …", "there are show <setting> and show all")
    value = settings.values.get(name, DEFAULTS.get(name))
    if value is None:
        raise RedshiftError("42704", f'unrecognized configuration parameter "{name}"')
    return Query(f"SELECT {string(value)} AS {quote(name)}", ((name, varchar(256)),), Uses())


def _name(words: Words) -> str:
    name = words.name()
    if words.take("."):  # a variable of the session's own
        name += f".{words.name()}"
    elif name not in DEFAULTS:
        raise refuse(f"the setting {name}", f"there are {', '.join(DEFAULTS)}")
    return name


def _checked(name: str, values: list[Word], catalog: Catalog) -> str:
    """The value as it is shown. RedshiftError where the setting does not take it."""
    texts = [_text(value) for value in values]
    given = ", ".join(texts)
    if name == "search_path":
        return _search_path(texts, catalog)
    if name in _FIXED:
        return _fixed(name, given)
    if name in _NUMBERS and not given.isdigit():
        raise RedshiftError("22023", f'invalid value for parameter "{name}": "{given}"')
    if name.startswith(("enable_", "error_on_")):
        return _switch(name, given)
    return given


def _search_path(texts: list[str], catalog: Catalog) -> str:
    schemas = [part.strip() for text in texts for part in text.split(",")]
    missing = [one for one in schemas if one != "$user" and one not in catalog.schemas]
    if missing or not set(schemas) - {"$user"}:
        raise RedshiftError("3F000", f'schema "{", ".join(missing)}" does not exist')
    return ", ".join('"$user"' if one == "$user" else _written(one) for one in schemas)


def _fixed(name: str, given: str) -> str:
    """The one value of a setting that has no other here, in any of the ways to write it."""
    value, ways, without, remedy = _FIXED[name]
    if given.lower().replace(without, "") not in ways:
        raise refuse(f"set {name} to {given}", remedy)
    return value


def _switch(name: str, given: str) -> str:
    """On or off, in the words of the setting's default."""
    if given.lower() not in _SWITCHES:
        raise RedshiftError("22023", f'parameter "{name}" requires a Boolean value')
    turned = _SWITCHES[given.lower()]
    if name == "enable_case_sensitive_identifier" and turned == "on":
        raise refuse(f"set {name} to {given}", "write names that differ in more than case")
    return turned if DEFAULTS[name] == "on" else {"on": "true", "off": "false"}[turned]


def _text(value: Word) -> str:
    if value.kind == "string":
        return value.text[1:-1].replace("''", "'")
    return value.text[1:-1].lower() if value.kind == "quoted" else value.text


def _written(schema: str) -> str:
    return quote(schema) if schema in RESERVED else schema


def _apply(catalog: Catalog) -> None:
    """The search path of the settings, as the catalogue uses it."""
    path = catalog.settings.values.get("search_path", DEFAULTS["search_path"])
    schemas = [part.strip().strip('"') for part in path.split(",")]
    catalog.search_path = tuple(schema for schema in schemas if schema != "$user")


def began(catalog: Catalog) -> None:
    """A transaction begins: what is set from now on can be taken back."""
    catalog.settings.mark()


def ended(catalog: Catalog, kept: bool) -> None:
    """It ends: what was set stays if it was committed, but for SET LOCAL."""
    catalog.settings.unmark(kept)
    _apply(catalog)
