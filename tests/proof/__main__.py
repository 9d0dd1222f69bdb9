"""Write the page of the proofs from what they found."""

from __future__ import annotations

from tests.proof.findings import read_all
from tests.proof.page import rewrite

if __name__ == "__main__":
    rewrite(read_all())
