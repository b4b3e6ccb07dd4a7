"""How rows enter a source: judged as a strict MySQL judges them. No server is written to here."""
