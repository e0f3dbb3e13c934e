"""Where things are kept: databases and object stores behind the protocols that access and batch define."""
