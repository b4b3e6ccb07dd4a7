"""Whether a select may answer differently on another run: an allow-list, as unknown functions may be clocks.

Nothing here knows tables or days; `partition_rules` asks it for selects that are built day by day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

# Functions that sqlglot knows, by the name of their class, and that look at their arguments alone.
_KNOWN = """
Abs Acos AddMonths And AnyValue ApproxDistinct Ascii Asin Atan Atan2 Avg BitLength BitwiseAndAgg
BitwiseOrAgg ByteLength Case Cast Cbrt Ceil Chr Coalesce Collate Concat ConcatWs Contains
Convert ConvertTimezone Corr Cos Cot Count CountIf CovarPop CovarSamp CumeDist Date DateAdd
DateDiff DateFromParts DateStrToDate DateSub DateToDateStr DateTrunc Day DayOfMonth DayOfWeek
DayOfWeekIso DayOfYear Dayname Decode DecodeCase Degrees DenseRank Encode EndsWith Exists Exp
Extract FarmFingerprint FirstValue Floor FromBase GetExtract Greatest GroupConcat Hex Hour If
Initcap JSONExtract JSONExtractScalar Lag LastDay LastValue Lead Least Left Length Ln Log
LogicalAnd LogicalOr Lower LowerHex MD5 Max Median Min Minute Month Monthname MonthsBetween
NextDay NthValue Ntile Nullif NumberToStr Nvl2 Or Overlay Pad ParseJSON PercentRank
PercentileCont PercentileDisc Pi Pow Quarter Radians Rank RegexpCount RegexpExtract RegexpILike
RegexpInstr RegexpLike RegexpReplace Repeat Replace Reverse Right Round RowNumber SHA SHA2
Second Sign Sin Soundex Space SplitPart Sqrt StartsWith Stddev StddevPop StddevSamp StrPosition
StrToDate StrToTime Substring Sum Tan TimeStrToDate TimeStrToTime TimeToStr TimeTrunc Timestamp
TimestampAdd TimestampDiff TimestampSub TimestampTrunc ToBase64 ToChar ToNumber Translate Trim
Trunc TryCast TsOrDiToDi TsOrDsAdd TsOrDsDiff TsOrDsToDate TsOrDsToTimestamp Unhex Unicode
UnixToTime Upper Variance VariancePop Week WeekOfYear Xor Year
"""
# Functions of Redshift that sqlglot has no class for.
_NAMED = """
btrim charindex checksum crc32 date_cmp date_cmp_timestamp date_part date_part_year dexp dlog1
dlog10 fnv_hash from_hex from_varbyte func_sha1 get_array_length interval_cmp is_valid_json
is_valid_json_array isnull json_array_length json_extract_array_element_text
json_extract_path_text json_parse json_serialize json_typeof len lpad mod months_between
octet_length octetindex quote_ident quote_literal ratio_to_report regexp_count regexp_instr
regexp_replace regexp_substr replicate rpad sha1 strtol text_to_int_alt text_to_numeric_alt
timestamp_cmp timestamp_cmp_date timezone to_date to_hex to_number to_timestamp to_varbyte trunc
"""
_MOVING_TEXTS = frozenset(("now", "today", "tomorrow", "yesterday"))


def volatile_part(tree: exp.Expr) -> tuple[exp.Expr, str] | None:
    """What may make a select answer differently on another run, and why; None where nothing does."""
    from sqlglot import exp

    known, named = frozenset(_KNOWN.split()), frozenset(_NAMED.split())
    for node in tree.walk():
        if isinstance(node, exp.Literal) and node.is_string:
            if node.name.strip().lower() in _MOVING_TEXTS:
                return node, f"the text {node.name!r} may stand for a time that moves"
        elif isinstance(node, (exp.Anonymous, exp.AnonymousAggFunc)):
            if node.name.lower() not in named:
                return node, _unknown(node)
        elif isinstance(node, exp.Func) and type(node).__name__ not in known:
            return node, _unknown(node)
        elif isinstance(node, exp.TableSample):
            return node, "tablesample takes other rows on every run"
        elif isinstance(node, exp.With) and node.recursive:
            return node, "a recursive query"
    return None


def _unknown(node: exp.Expr) -> str:
    text = node.sql(dialect="redshift")
    return f"{text} differs from run to run, or is not known to stay the same"
