"""What installers of Python distributions leave behind.

Each makes `Install`s: what was asked for, where it went, and which Python it was made for. What they bring is worked
out later, from the tree's requirement and lock files."""
