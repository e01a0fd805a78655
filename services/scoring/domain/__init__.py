"""Who a lead is, what it is worth, and when it is ready for sales: arithmetic on frozen values."""
