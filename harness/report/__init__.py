"""What a person looks at after a run or a sweep: pages that need nothing but themselves."""
