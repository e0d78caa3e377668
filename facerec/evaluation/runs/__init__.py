"""A whole evaluation: from templates to figures, a page, and attempts to compare by."""
