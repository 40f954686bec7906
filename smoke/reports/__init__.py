"""Writers of reports: the same findings for people, for CI and for machines."""
