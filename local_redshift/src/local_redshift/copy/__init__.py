"""COPY and UNLOAD: their options, files and formats. Where the bytes are: `database`. No wire protocol."""
