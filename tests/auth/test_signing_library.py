"""What signs and verifies tokens: python-jose over cryptography, and nothing that it could use instead."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.oidc import rsa_key

ROOT = Path(__file__).resolve().parents[2]
# Signs up, signs in and calls with the token, as RS256 or HS256 tells; then says which of the two libraries are there.
PROGRAM = textwrap.dedent(
    """
    import asyncio, sys
    from pathlib import Path
    from tests.support.app import running_app
    from tests.support.people import signed_in

    async def main(folder, redis_url, **settings):
        async with running_app(Path(folder), redis_url, **settings) as running:
            person = await signed_in(running)
            answer = await running.client.get("/api/users/me", headers=person.bearer)
            assert answer.status_code == 200, answer.text
            body = {"refresh_token": person.session["refresh_token"]}
            assert (await running.client.post("/api/auth/refresh", json=body)).status_code == 200
            assert (await running.client.get("/.well-known/jwks.json")).status_code == 200

    asyncio.run(main(sys.argv[1], sys.argv[2], **dict(pair.split("=", 1) for pair in sys.argv[3:])))
    print(sorted(name for name in sys.modules if name.split(".")[0] in ("ecdsa", "rsa")))
    """
)


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
def test_signed_requests_load_neither_ecdsa_nor_rsa(tmp_path: Path, redis_url: str, algorithm: str) -> None:
    settings = [f"JWT_ALGORITHM={algorithm}"]
    if algorithm == "RS256":
        private, _ = rsa_key()
        settings.append("JWT_PRIVATE_KEY=" + private.replace("\n", "\\n"))
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), redis_url, *settings]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1] == "[]"


@pytest.mark.parametrize("entry", ["handlers.app", "handlers.worker"])
def test_no_entry_point_loads_them(entry: str) -> None:
    program = f"import sys, {entry}; print(sorted(n for n in sys.modules if n.split('.')[0] in ('ecdsa', 'rsa')))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
