"""What can be regenerated: the command, its evidence store, the report, the look of the figures.

`python -m paper_figures --help` says what it does. A paper's drawings live in the file of its name.
"""
