"""Every parameter of the study: meaning, type, range. Values live in params/*.yaml; smoke.yaml holds the defaults."""

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from inbol_lib.errors import ParameterError
from inbol_lib.paths import PARAMS, WEIGHTS


def _there(name: str) -> str:
    """A model's name; one of ours must be packaged, so that it is never looked up on the Hub, and a pin must name a commit."""
    if name == "endpoint:":
        raise ValueError("a model's name belongs behind endpoint:")
    packaged = sorted(f.parent.name for f in WEIGHTS.glob("*/config.json"))
    if name.startswith("micro-") and name not in packaged:
        raise ValueError(f"of the micro models there are {', '.join(packaged)}")
    pinned(name)
    return name


Model = Annotated[str, AfterValidator(_there)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]
Level = Annotated[int, Field(ge=0, le=10)]  # tenths of confidence
Ratio = Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=3, max_length=3)]
Preference = Literal[
    "ca_dpo",
    "dpo_1",
    "dpo_2",
    "dpo_3",
    "ca_dpo_half",
    "ca_dpo_shuffled",
    "ca_dpo_inside",
    "ca_dpo_base",
]
Method = Literal["original", "refusal_prompt", "sft", "idk_it", Preference]


class Params(BaseModel):
    """One flat, frozen set of parameters; a name means the same in every notebook. Sources: see params/micro.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    profile: str
    model: Model
    models: list[Model] = Field(min_length=1)
    test_model: Model
    dataset: str = Field(pattern=r"^(micro|folder:.+|benchmarks:.+)$")
    sources: list[str] = Field(min_length=1)
    ood_sources: list[str]
    seed: Seed
    seeds: list[Seed] = Field(min_length=1)
    sweep_seeds: list[Seed] = Field(min_length=1)
    sweep_instructions: int = Field(ge=0)
    sweep_pairs: int = Field(ge=0)
    sweep_dpo_learning_rate: float = Field(ge=0, lt=1)
    data_seed: Seed

    train_questions: Count
    validation_questions: Count
    test_questions: Count
    ood_questions: Count
    num_samples: int = Field(ge=2, le=100)
    temperature: float = Field(gt=0, le=5)
    top_p: float = Field(gt=0, le=1)
    choice_answer: Literal["letter", "text"]
    max_new_tokens: int = Field(ge=1, le=4096)
    token_budget: int = Field(ge=256)
    judge: Model

    unanswerable_generator: Model
    second_generator: Model
    verifier: Model
    num_unanswerable: Count
    swap_share: Share

    delta_known: Share
    delta_unknown: Share
    num_instructions: Count
    known_share: Share
    num_pairs: Count
    pair_ratio: Ratio
    short_class: Literal["refuse", "shrink", "repeat"]
    confidence_samples: int = Field(ge=0)
    test_per_source: Count
    test_unanswerable: Count
    validation_per_source: Count

    tuning: Literal["idk_it", "sft"]
    preference: Preference
    lora_rank: Count
    lora_alpha: Count
    lora_dropout: float = Field(ge=0, lt=1)
    batch_size: Count
    learning_rate: float = Field(gt=0, lt=1)
    dpo_learning_rate: float = Field(gt=0, lt=1)
    epochs: float = Field(gt=0)
    warmup_ratio: Share
    beta: float = Field(gt=0)

    methods: list[Method] = Field(min_length=1)
    table4_methods: list[Method]
    control_methods: list[Preference]
    sample_counts: list[Annotated[int, Field(ge=1, le=100)]]
    data_sizes: list[Count]
    threshold_levels: list[Level] = Field(min_length=2)
    known_shares: list[Share]
    pair_ratios: list[Ratio]
    probe_train: Count
    probe_test: Count

    @property
    def validation_unanswerable(self) -> int:
        """Unanswerable validation questions: in proportion to the other ones as in the test set, at least one (ours)."""
        return max(
            1, round(self.test_unanswerable * self.validation_per_source / self.test_per_source)
        )

    def check_program(self) -> None:
        """Raises ParameterError where "program", which knows the micro world's scenes alone, is asked about other images."""
        asked = [
            key for key in ("unanswerable_generator", "verifier") if getattr(self, key) == "program"
        ]
        if asked and self.dataset != "micro":
            raise ParameterError(
                f"{', '.join(asked)}: program knows the micro world alone; name a model for {self.dataset}"
            )

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
        raise ParameterError(
            f"delta_known ({p.delta_known}) must be greater than delta_unknown ({p.delta_unknown})"
        )
    if p.confidence_samples > p.num_samples:
        raise ParameterError(
            f"confidence_samples ({p.confidence_samples}) can not be more than num_samples ({p.num_samples})"
        )
    if extra := set(p.sweep_seeds) - set(p.seeds):
        raise ParameterError(
            f"sweep_seeds {sorted(extra)} are not among seeds ({p.seeds}): a sweep is compared with the main run"
        )
    if not all(map(sum, (p.pair_ratio, *p.pair_ratios))):
        raise ParameterError(
            f"pair_ratio ({p.pair_ratio}) and each of pair_ratios ({p.pair_ratios}) need a number greater than 0"
        )
    for key, value in p:
        if (
            isinstance(value, list)
            and key != "pair_ratio"
            and len(set(map(str, value))) < len(value)
        ):
            raise ParameterError(
                f"{key}: given {value!r}; nothing may stand there twice, because it would count twice"
            )
    return p


def _explain(error: dict) -> str:
    key = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        near = get_close_matches(key, Params.model_fields, 1)
        return f"{key}: no such parameter" + (f"; did you mean {near[0]}?" if near else "")
    given = error["input"]
    hint = (
        " (YAML reads 5e-7 as text; write 5.0e-7)"
        if isinstance(given, str) and re.fullmatch(r"[\d.]+[eE]-?\d+", given)
        else ""
    )
    return f"{key}: given {given!r} ({type(given).__name__}); {error['msg'].removeprefix('Value error, ')}{hint}"


def read(profile: str | Path) -> dict[str, Any]:
    """The raw values of a profile: a YAML file, or a name under params/."""
    path = Path(profile) if str(profile).endswith((".yaml", ".yml")) else PARAMS / f"{profile}.yaml"
    if not path.is_file():
        raise ParameterError(
            f"no profile {str(profile)!r}; there are: {', '.join(sorted(f.stem for f in PARAMS.glob('*.yaml')))}"
        )
    return yaml.safe_load(path.read_text())


def load(profile: str | Path = "smoke", **changes: Any) -> Params:
    """A checked profile, with changes."""
    return checked({**read("smoke"), **read(profile), **changes})


def parameters(scope: dict[str, Any]) -> Params:
    """The parameters of a running notebook: smoke's values, overruled by what its cells (or papermill) defined."""
    return load(**{k: v for k, v in scope.items() if k in Params.model_fields})


def pinned(name: str) -> tuple[str, str]:
    """Id and commit of "owner/name@<commit>"; any other model (plain id, folder, endpoint:<model>) as it is, and "".
    Raises ValueError where what stands behind the @ is no commit."""
    found = re.fullmatch(r"([\w.-]+(?:/[\w.-]+)?)@(.*)", name)
    if not found or Path(name).exists():
        return name, ""
    if not re.fullmatch(r"[0-9a-f]{40}", found[2]):
        raise ValueError(
            f"behind the @ belongs a commit, 40 hex digits, because branches and tags move; or name {found[1]} alone"
        )
    return found[1], found[2]
