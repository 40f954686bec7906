"""What a node's services and those who ask them share: the services themselves, requests, answers, and errors."""
