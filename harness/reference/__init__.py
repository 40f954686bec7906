"""What the product is judged by, written from the text of the protocol alone.

`chain` is a second ledger, with its `rules`, `schedule`, `state` and `recount`; `model` is section 4 as a model whose
every state can be searched, and `conformance` holds runs against it.
"""
