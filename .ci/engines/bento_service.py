"""A service for the adapter's live test: one method that returns, one that yields."""
from typing import AsyncGenerator

import bentoml


@bentoml.service
class Echo:
    @bentoml.api
    def generate(self, text: str, max_tokens: int = 16) -> str:
        return "You said: " + text

    @bentoml.api
    async def stream(self, text: str, max_tokens: int = 16) -> AsyncGenerator[str, None]:
        for word in ("You said: " + text).split(" "):
            yield word + " "
