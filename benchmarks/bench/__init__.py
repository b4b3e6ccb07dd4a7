"""The bench: our road beside its peers and the floors, in one run, interleaved, as whole processes.

`python -m benchmarks.bench` (`make bench`) runs it; what belongs where:

    figures     what is measured, its median and spread, and how it is kept as JSON
    processes   running a process and what it and the servers spend meanwhile
    gentle      what the source has to bear: its longest statement, its longest snapshot
    shop        filling a private MariaDB with a shop of a chosen size
    content     whether a copy holds what the source holds: rows, exact sums, days
    bed         the servers and folders that everything runs on
    runners     how each contestant is started
    scenarios   what is measured beside what
    report      the terminal's table, the documents' tables, the picture

`ours`, `floor` and the files of `benchmarks/contestants` are run as processes of their own.
"""
