"""Every parameter of the study: meaning, type, range. Values live in params/*.yaml; smoke.yaml holds the defaults."""

import re
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inbol_lib.paths import PARAMS

Share = Field(ge=0, le=1)
Count = Field(ge=1)
Method = Literal["original", "refusal_prompt", "sft", "idk_it", "ca_dpo", "dpo_1", "dpo_2", "dpo_3",
                 "ca_dpo_half", "ca_dpo_shuffled", "ca_dpo_inside"]  # fmt: skip


Preference = Literal["ca_dpo", "dpo_1", "dpo_2", "dpo_3", "ca_dpo_half", "ca_dpo_shuffled", "ca_dpo_inside"]


class ParameterError(ValueError):
    """A parameter is unknown, missing, of the wrong type or out of range; the message says which and what is allowed."""


class Params(BaseModel):
    """One flat, frozen set of parameters; a name means the same in every notebook. Sources: see params/micro.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    profile: str
    model: str
    models: list[str] = Field(min_length=1)
    test_model: str
    dataset: str = Field(pattern=r"^(micro|folder:.+)$")
    sources: list[str] = Field(min_length=1)
    ood_sources: list[str]
    seed: int = Field(ge=0)
    seeds: list[int] = Field(min_length=1)
    data_seed: int = Field(ge=0)

    train_questions: int = Count
    validation_questions: int = Count
    test_questions: int = Count
    ood_questions: int = Count
    num_samples: int = Field(ge=2, le=100)
    temperature: float = Field(gt=0, le=5)
    top_p: float = Field(gt=0, le=1)
    max_new_tokens: int = Field(ge=1, le=4096)
    token_budget: int = Field(ge=256)
    judge: str

    unanswerable_generator: str
    second_generator: str
    verifier: str
    num_unanswerable: int = Count
    swap_share: float = Share

    delta_known: float = Share
    delta_unknown: float = Share
    num_instructions: int = Count
    known_share: float = Share
    num_pairs: int = Count
    pair_ratio: list[float] = Field(min_length=3, max_length=3)
    short_class: Literal["refuse", "shrink", "repeat"]
    test_per_source: int = Count
    test_unanswerable: int = Count
    validation_per_source: int = Count

    tuning: Literal["idk_it", "sft"]
    preference: Preference
    lora_rank: int = Count
    lora_alpha: int = Count
    lora_dropout: float = Field(ge=0, lt=1)
    batch_size: int = Count
    learning_rate: float = Field(gt=0, lt=1)
    dpo_learning_rate: float = Field(gt=0, lt=1)
    epochs: float = Field(gt=0)
    warmup_ratio: float = Share
    beta: float = Field(gt=0)

    methods: list[Method] = Field(min_length=1)
    table4_methods: list[Method]
    threshold_levels: list[int] = Field(min_length=2)
    known_shares: list[float]
    pair_ratios: list[list[float]]
    probe_train: int = Count
    probe_test: int = Count

    def replace(self, **changes: Any) -> "Params":
        """A checked copy with some values changed."""
        return checked({**self.model_dump(), **changes})


def checked(values: dict[str, Any]) -> Params:
    """Validate a complete mapping. Raises ParameterError that names each bad key, what was given and what is allowed."""
    try:
        p = Params(**values)
    except ValidationError as error:
        raise ParameterError("\n".join(_explain(e) for e in error.errors())) from None
    if p.delta_known <= p.delta_unknown:
        raise ParameterError(f"delta_known ({p.delta_known}) must be greater than delta_unknown ({p.delta_unknown})")
    return p


def _explain(error: dict) -> str:
    key = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        from difflib import get_close_matches

        near = get_close_matches(key, Params.model_fields, 1)
        return f"{key}: no such parameter" + (f"; did you mean {near[0]}?" if near else "")
    if error["type"] == "missing":
        return f"{key}: missing; give it in the profile"
    given = error["input"]
    hint = " (YAML reads 5e-7 as text; write 5.0e-7)" if isinstance(given, str) and re.fullmatch(r"[\d.]+[eE]-?\d+", given) else ""
    return f"{key}: given {given!r} ({type(given).__name__}); {error['msg']}{hint}"


def profile_path(profile: str | Path) -> Path:
    """The YAML file of a profile: a path, or a name under params/."""
    path = Path(profile)
    if path.suffix not in (".yaml", ".yml"):
        path = PARAMS / f"{profile}.yaml"
    if not path.is_file():
        raise ParameterError(f"no profile {str(profile)!r}; there are: {', '.join(sorted(f.stem for f in PARAMS.glob('*.yaml')))}")
    return path


def read(profile: str | Path) -> dict[str, Any]:
    """The raw values of a profile."""
    return yaml.safe_load(profile_path(profile).read_text())


def load(profile: str | Path = "smoke", **changes: Any) -> Params:
    """A checked profile, with changes."""
    return checked({**read("smoke"), **read(profile), **changes})


def parameters(scope: dict[str, Any]) -> Params:
    """The parameters of a running notebook: smoke's values, overruled by what its cells (or papermill) defined."""
    mine = {k: v for k, v in scope.items() if k in Params.model_fields}
    return checked({**read("smoke"), **mine})
