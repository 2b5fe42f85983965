"""What things cost: pure rules and their tables. Cart, checkout and orders share them, and so agree to the cent.

No room of the contract, for it has no operations. `totals` sums up, `offers` says what a promotion gives, `promotions`
keeps count of its uses, `tax` and `shipping` hold the tables, `prices` puts them together.
"""
