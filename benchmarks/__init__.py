"""How fast it is: each figure beside a floor that the same run measured on the same machine."""
