"""Liquid compiled to Python: one function for all parts of one content, many times faster than walking the tree.

python-liquid reads and checks every template and stays the reference. `compiling` turns its syntax tree into Python;
`expressions`, `scope` and `loops` know the details, `code` holds what may stand in a generated function, and `runtime`
is what such a function calls. What is not covered raises `Unsupported` when it is compiled, and what the generated code
cannot be sure of raises when it runs: either way python-liquid renders, so that errors and limits are always its own.
"""
