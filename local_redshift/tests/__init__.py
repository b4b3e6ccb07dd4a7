"""The tests of the local Redshift; they need no other project."""
