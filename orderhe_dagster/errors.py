"""The root of the errors that are worded for the person who meets them.

::

    OrderheError
    ├── resources.ports.PortError (and what it roots)
    ├── asked.LaunchError
    └── importing.ImportProblems
"""


class OrderheError(Exception):
    """What went wrong, where, and the next action: shown as it is, without a traceback."""
