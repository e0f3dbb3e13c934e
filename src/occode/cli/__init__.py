"""The command line: one module a command; it translates and decides nothing."""
