"""The small runtime that `generated/` calls: parameters, bodies, calls, replies, routing, the error envelope."""

import warnings

# Connexion imports Starlette's test client with everything else; its advice is not for those who only serve.
warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient`")
