"""Any value, through the whole way."""
