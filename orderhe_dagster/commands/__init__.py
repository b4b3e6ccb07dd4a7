"""What a verb of `orderhe` does, one module a verb. Words and options of the command line: `cli`."""
