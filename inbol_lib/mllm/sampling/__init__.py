"""Sample responses to questions about images, from a model or from an endpoint.

`responses` has what the other rooms call. It plans batches; `prompts` puts a batch's questions
behind their pictures, `reading` reads every picture once into a cache (`cache`), and `continuation`
goes on from there.
"""

from inbol_lib.mllm.sampling.responses import Response, greedy, sample

__all__ = ["Response", "greedy", "sample"]
