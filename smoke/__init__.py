"""The smoke checks: would this tree's containers start, isolated and healthy? Nothing of the tree is run."""
