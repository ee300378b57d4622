"""What a client can send to take the services down, and proof that it cannot.

`cases_*` are tables, a line per case; `surfaces` are the places that a client can send something
to, `inputs` what it sends there; `engine` runs a case against the real processes.
"""
