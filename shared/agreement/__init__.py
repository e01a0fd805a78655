"""The agreement between marketing and sales: its model, its check, its published versions."""
