"""The demo shop: categories, products with stock, banners, promotions, accounts. The same on every machine."""
