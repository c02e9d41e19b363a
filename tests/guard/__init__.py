"""A guard that makes each name look-up and connection fail, in a command and in its children, and counts them."""
