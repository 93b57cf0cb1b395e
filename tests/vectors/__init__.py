"""Published vectors: small files to try other implementations against, made by code here and compared by tests."""
