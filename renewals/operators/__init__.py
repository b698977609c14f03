"""The use cases of the provider's operators; each change by the operator API is written to the audit log.

A use case that takes an `OperatorRequest` also raises the errors of `audit_log.run_once`, which its docstring does not
repeat.
"""
