"""What the pages are made of: tables, figures and links, every text of others made harmless."""
