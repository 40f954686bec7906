"""What can be told from the files of a tree alone. Nothing of the tree is run, and Docker is not needed."""
