"""The agreement between marketing and sales: its form, its rules, its versions."""
