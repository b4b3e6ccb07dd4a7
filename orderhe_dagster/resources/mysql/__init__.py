"""The shop's database in MySQL: pymysql asks and writes, DuckDB's scanner reads in bulk."""
