"""Whether what is kept here is what was signed: held against the logs, and shown to administrators."""
