"""Models behind any OpenAI-compatible server (vLLM, SGLang, `transformers serve`, GPT-4o).

The name "endpoint:<model>" stands for one wherever an endpoint can be asked. Every finished request
goes at once into a journal in runs/endpoints/, so whatever stops a run, running it again sends only
what is missing. `settings` lists the environment variables.
"""

from inbol_lib.mllm.endpoints.endpoint import Endpoint
from inbol_lib.mllm.endpoints.requests import PREFIX
from inbol_lib.mllm.endpoints.spending import main

__all__ = ["PREFIX", "Endpoint", "main"]
