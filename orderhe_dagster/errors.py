"""The root of the errors that are worded for the person who meets them. The errors themselves live where they are raised.

::

    OrderheError
    ├── resources.ports.PortError (and what it roots)
    ├── launch.LaunchError
    └── importing.ImportProblems
"""


class OrderheError(Exception):
    """What went wrong, where, and the next action: shown as it is, without a traceback."""
