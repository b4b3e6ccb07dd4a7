"""COPY and UNLOAD: their options, files, formats and errors, and where the bytes are. No wire protocol."""
