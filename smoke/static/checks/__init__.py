"""The static checks, one module for each family of the table in docs/smoke/README.md."""
