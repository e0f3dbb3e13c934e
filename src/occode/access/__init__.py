"""Who may use the service, and how often: clients, tokens, limits."""
