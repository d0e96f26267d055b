"""What every page shares: template set-up, languages, cookies and CSRF, assets, error pages."""
