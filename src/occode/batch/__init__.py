"""Asynchronous coding of files: create, receive, scan, code in chunks, deliver, expire (guide section 8)."""
