"""What `lucid smoke live` knows of a node of Lucid: how its four services are set up, used and deprived of things."""
