"""The columns that the system views have by their documentation, in its order. Rows: the modules beside.

Amazon's pages (r_SVV_…, SYS_…, r_STL_…), PostgreSQL 8.0's of its catalogue and of INFORMATION_SCHEMA. What
nothing is known of here is NULL.
"""

from __future__ import annotations

from local_redshift.values.types import (
    BIGINT,
    BOOLEAN,
    INTEGER,
    SMALLINT,
    TIMESTAMP,
    Type,
    decimal,
    varchar,
)

_TEXT = varchar(256)
_TYPES = {
    "b": BOOLEAN, "d": decimal(19, 2), "h": SMALLINT, "i": INTEGER, "l": BIGINT, "t": TIMESTAMP,
    "n": decimal(38, 0), "p": decimal(5, 2), "u": decimal(10, 4), "v": decimal(12, 2),
    "x": varchar(65535),
}  # fmt: skip
"""What a letter behind a column's name means; without one it is a text."""
_COLUMNS = {
    "information_schema.columns": """
        table_catalog table_schema table_name column_name ordinal_position:i column_default
        is_nullable data_type character_maximum_length:i character_octet_length:i
        numeric_precision:i numeric_precision_radix:i numeric_scale:i datetime_precision:i
        interval_type interval_precision character_set_catalog character_set_schema
        character_set_name collation_catalog collation_schema collation_name domain_catalog
        domain_schema domain_name udt_catalog udt_schema udt_name scope_catalog scope_schema
        scope_name maximum_cardinality:i dtd_identifier is_self_referencing
    """,
    "information_schema.role_table_grants": """
        grantor grantee table_catalog table_schema table_name privilege_type is_grantable
        with_hierarchy
    """,
    "information_schema.schemata": """
        catalog_name schema_name schema_owner default_character_set_catalog
        default_character_set_schema default_character_set_name sql_path
    """,
    "information_schema.tables": """
        table_catalog table_schema table_name table_type self_referencing_column_name
        reference_generation user_defined_type_catalog user_defined_type_schema user_defined_name
    """,
    "information_schema.views": """
        table_catalog table_schema table_name view_definition:x check_option is_updatable
        is_insertable_into
    """,
    "pg_attribute": """
        attrelid:i attname atttypid:i attstattarget:i attlen:h attnum:h attndims:i attcacheoff:i
        atttypmod:i attbyval:b attstorage attalign attnotnull:b atthasdef:b attisdropped:b
        attislocal:b attinhcount:i attisdistkey:b attispreloaded:b attsortkeyord:i
        attencodingtype:h attencrypttype:h
    """,
    "pg_class": """
        oid:i relname relnamespace:i reltype:i relowner:i relam:i relfilenode:i reltablespace:i
        relpages:i reltuples:l reltoastrelid:i reltoastidxid:i relhasindex:b relisshared:b relkind
        relnatts:h relexternid:i relisreplicated:b relispinned:b reldiststyle:h relprojbaseid:i
        relchecks:h reltriggers:h relukeys:h relfkeys:h relrefs:h relhasoids:b relhaspkey:b
        relhasrules:b relhassubclass:b relacl
    """,
    "pg_constraint": """
        oid:i conname connamespace:i contype condeferrable:b condeferred:b conrelid:i contypid:i
        confrelid:i confupdtype confdeltype confmatchtype conkey confkey conbin:x consrc:x
    """,
    "pg_proc": """
        oid:i proname pronamespace:i proowner:i prolang:i proisagg:b prosecdef:b proisstrict:b
        proretset:b provolatile pronargs:h prorettype:i proargtypes proargnames prosrc:x probin:x
        proacl
    """,
    "pg_rewrite": """
        oid:i rulename ev_class:i ev_attr:h ev_type is_instead:b ev_qual:x ev_action:x
    """,
    "pg_tables": "schemaname tablename tableowner tablespace hasindexes:b hasrules:b hastriggers:b",
    "pg_type": """
        oid:i typname typnamespace:i typowner:i typlen:h typbyval:b typtype typisdefined:b typdelim
        typrelid:i typelem:i typinput typoutput typreceive typsend typanalyze typalign typstorage
        typnotnull:b typbasetype:i typtypmod:i typndims:i typdefaultbin:x typdefault
    """,
    "pg_user": "usename usesysid:i usecreatedb:b usesuper:b usecatupd:b passwd valuntil useconfig",
    "stl_load_commits": """
        userid:i query:i slice:i name filename:x byte_offset:i lines_scanned:i errors:i curtime:t
        status:i file_format is_partial:i start_offset:l copy_job_id:l
    """,
    "stl_load_errors": """
        userid:i slice:i tbl:i starttime:t session:i query:i filename:x line_number:l colname type
        col_length position:i raw_line:x raw_field_value:x err_code:i err_reason is_partial:i
        start_offset:l copy_job_id:l
    """,
    "stl_query": """
        userid:i query:i label xid:l pid:i database querytxt:x starttime:t endtime:t aborted:i
        insert_pristine:i concurrency_scaling_status:i
    """,
    "stl_unload_log": """
        userid:i query:i slice:i pid:i path:x start_time:t end_time:t line_count:l transfer_size:l
        file_format
    """,
    "stv_locks": """
        table_id:i last_commit:t last_update:t lock_owner:l lock_owner_pid:l lock_owner_start_ts:t
        lock_owner_end_ts:t lock_status
    """,
    "stv_sessions": "starttime:t process:i user_name db_name timeout_sec:i",
    "svl_qlog": """
        userid:i query:i xid:l pid:i starttime:t endtime:t elapsed:l aborted:i label substring
        source_query:i concurrency_scaling_status_txt from_sp_call:i
    """,
    "svv_all_columns": """
        database_name schema_name table_name column_name ordinal_position:i column_default
        is_nullable data_type character_maximum_length:i numeric_precision:i numeric_scale:i remarks
    """,
    "svv_all_schemas": """
        database_name schema_name schema_owner:i schema_type schema_acl source_database
        schema_option
    """,
    "svv_columns": """
        table_catalog table_schema table_name column_name ordinal_position:i column_default
        is_nullable data_type character_maximum_length:i numeric_precision:i
        numeric_precision_radix:i numeric_scale:i datetime_precision:i interval_type
        interval_precision character_set_catalog character_set_schema character_set_name
        collation_catalog collation_schema collation_name domain_name remarks
    """,
    "svv_external_columns": """
        redshift_database_name schemaname tablename columnname external_type columnnum:i part_key:i
        is_nullable
    """,
    "svv_external_tables": """
        redshift_database_name schemaname tablename tabletype location input_format output_format
        serialization_lib serde_parameters compressed:i parameters
    """,
    "svv_redshift_columns": """
        database_name schema_name table_name column_name ordinal_position:i data_type
        column_default is_nullable encoding distkey:b sortkey:i column_acl remarks
    """,
    "svv_redshift_databases": """
        database_name database_owner:i database_type database_acl database_options
        database_isolation_level
    """,
    "svv_redshift_schemas": """
        database_name schema_name schema_owner:i schema_type schema_acl schema_option
    """,
    "svv_redshift_tables": """
        database_name schema_name table_name table_type table_acl remarks table_owner
    """,
    "svv_table_info": """
        database schema table_id:i table encoded diststyle sortkey1 max_varchar:i sortkey1_enc
        sortkey_num:i size:l pct_used:u empty:l unsorted:p stats_off:p tbl_rows:n skew_sortkey1:d
        skew_rows:d estimated_visible_rows:n risk_event vacuum_sort_benefit:v create_time:t
    """,
    "svv_tables": "table_catalog table_schema table_name table_type remarks",
    "sys_load_history": """
        user_id:i query_id:l transaction_id:l session_id:i database_name status table_name
        start_time:t end_time:t duration:l data_source:x file_format loaded_rows:l loaded_bytes:l
        source_file_count:i source_file_bytes:l file_count_scanned:i file_bytes_scanned:l
        error_count:l copy_job_id:l
    """,
    "sys_query_history": """
        user_id:i query_id:l query_label transaction_id:l session_id:i database_name query_type
        status result_cache_hit:b start_time:t end_time:t elapsed_time:l queue_time:l
        execution_time:l error_message returned_rows:l returned_bytes:l query_text:x
        redshift_version usage_limit compute_type compile_time:l planning_time:l lock_wait_time:l
        service_class_id:i service_class_name query_priority short_query_accelerated
        user_query_hash generic_query_hash query_hash_version:i result_cache_query_id:l
    """,
    "sys_unload_history": """
        user_id:i query_id:l transaction_id:l session_id:i database_name status start_time:t
        end_time:t duration:l file_format compression_type unload_location:x unloaded_rows:l
        unloaded_files_count:l unloaded_files_size:l error_count:l
    """,
}


def columns(view: str, known: tuple[tuple[str, Type], ...]) -> tuple[tuple[str, Type], ...]:
    """Every documented column of a view; those that are `known` here with their types, last the others."""
    types, listed = dict(known), []
    for word in _COLUMNS.get(view, "").split():
        name, _, letter = word.partition(":")
        listed.append((name, types.pop(name, _TYPES.get(letter, _TEXT))))
    return (*listed, *types.items())
