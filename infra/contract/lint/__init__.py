"""The house rules of the contract, checked: `python -m infra.contract.lint`.

One module per family of rules. A rule is a pure function of the `Contract`, registered under its name; it yields
`(place, what is wrong)`. `openapi/README.md` says the rules in words.
"""
