"""Alignment: what became of the leads that marketing qualified, counted for both teams."""
