"""Witnesses: strangers who cosign a log's checkpoints and so see it if it shows two faces or goes back.

`memory` and `server` are a witness of our own; `asking`, `rounds` and `kept` are the log's side.
"""
