"""The contract runtime proved: parameters, bodies, routing, answers, access, conformance, pages, the gateway."""
