"""Sample courses that come with the product."""
