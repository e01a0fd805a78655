"""CEL, the language of conditions: checked, priced, evaluated, and remembered."""
