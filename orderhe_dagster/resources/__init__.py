"""The adapters behind the ports, a folder a system; `build` chooses. The only importer of drivers."""
