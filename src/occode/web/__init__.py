"""The HTTP service: one module an endpoint group; it translates and decides nothing."""
