"""Every parameter of the study, with its type and range.

Values and their sources are in `params/*.yaml`, one file per profile. smoke.yaml names every
parameter, and any other profile falls back on its values.
"""

import os
import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from inbol_lib import values
from inbol_lib.errors import ParameterError
from inbol_lib.paths import PARAMS, WEIGHTS


def pinned(name: str) -> tuple[str, str]:
    """Split a model's name into its id and the commit to which "owner/name@<commit>" pins it.

    Returns
    -------
    tuple[str, str]
        The id and the commit. Any other name (a plain id, a folder or endpoint:<model>) comes back
        unchanged, with an empty commit.

    Raises
    ------
    ValueError
        If what follows the @ is not a commit.
    """
    found = re.fullmatch(r"([\w.-]+(?:/[\w.-]+)?)@(.*)", name)
    if not found or Path(name).exists():
        return name, ""
    repository, commit = found.groups()
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise ValueError(
            "a commit (40 hex digits) must follow the @, because branches and tags move; "
            f"or write {repository} without it"
        )
    return repository, commit


def _model_name(name: str) -> str:
    """Accept a model's name if it is well formed and, for a micro model, packaged.

    Micro models are checked here so that they are never looked up on the Hugging Face Hub.
    """
    if name == "endpoint:":
        raise ValueError("a model's name belongs behind endpoint:")
    if name.startswith("micro-") and not (WEIGHTS / name / "config.json").is_file():
        packaged = sorted(file.parent.name for file in WEIGHTS.glob("*/config.json"))
        raise ValueError(f"no such micro model; there are {', '.join(packaged)}")
    pinned(name)
    return name


def _from_here(dataset: str) -> str:
    """Return a data set whose folder's path counts from the working directory, made absolute.

    Kernels and cluster jobs stand elsewhere, so the path is made absolute where it is first read.
    """
    kind, colon, place = dataset.partition(":")
    if kind != "folder":
        return dataset
    return f"{kind}{colon}{os.path.abspath(os.path.expanduser(place))}"


Model = Annotated[str, AfterValidator(_model_name)]
Data = Annotated[
    str, Field(pattern=r"^(micro|folder:.+|benchmarks:.+)$"), AfterValidator(_from_here)
]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]
#: tenths of confidence
Level = Annotated[int, Field(ge=0, le=10)]
#: unknown : mixed : known
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
    """One flat, frozen set of parameters; a name means the same in every notebook.

    params/smoke.yaml explains each of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    profile: str
    model: Model
    models: list[Model] = Field(min_length=1)
    test_model: Model
    dataset: Data
    sources: list[str] = Field(min_length=1)
    ood_sources: list[str]
    seed: Seed
    seeds: list[Seed] = Field(min_length=1)
    sweep_seeds: list[Seed] = Field(min_length=1)
    sweep_instructions: int = Field(ge=0)
    sweep_pairs: int = Field(ge=0)
    sweep_learning_rate: float = Field(ge=0, lt=1)
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
    precision: Literal["float32", "bfloat16"]
    judge: Model
    match_rule: Literal["final", "paper"]

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
    shuffle: Literal["questions", "pictures"]
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
    control_pairs: int = Field(ge=0)
    control_blind: int = Field(ge=0)

    @property
    def validation_unanswerable(self) -> int:
        """Number of unanswerable validation questions (ours).

        They keep the test set's proportion to the answerable ones, and there is at least one.
        """
        in_proportion = self.test_unanswerable * self.validation_per_source / self.test_per_source
        return max(1, round(in_proportion))

    def check_program(self) -> None:
        """Refuse "program" as generator or verifier of any images but the micro world's.

        Raises
        ------
        ParameterError
            If a parameter asks for it; the message names the parameter.
        """
        roles = ("unanswerable_generator", "verifier")
        asked = [role for role in roles if getattr(self, role) == "program"]
        if asked and self.dataset != "micro":
            raise ParameterError(
                f"{', '.join(asked)}: program only knows the micro world; "
                f"name a model for {self.dataset}"
            )

    def replace(self, **changes: Any) -> "Params":
        """Return a checked copy with some values changed."""
        return checked({**self.model_dump(), **changes})


def checked(given: dict[str, Any]) -> Params:
    """Turn a complete mapping into parameters.

    Raises
    ------
    ParameterError
        If any value is not allowed; the message names each wrong key, what was given and what is
        allowed.
    """
    try:
        p = Params(**{name: _number(value) for name, value in given.items()})
    except ValidationError as error:
        raise ParameterError("\n".join(_explain(fault) for fault in error.errors())) from None
    for fault in _contradictions(p):
        raise ParameterError(fault)
    return p


def _number(value: Any) -> Any:
    """Return the number in a text such as "5e-7", as plain YAML and papermill pass it on."""
    is_number = isinstance(value, str) and values.EXPONENT.fullmatch(value)
    return float(value) if is_number else value


def _contradictions(p: Params) -> Iterator[str]:
    """Yield what is wrong between values that are each allowed alone."""
    if p.delta_known <= p.delta_unknown:
        yield (
            f"delta_known ({p.delta_known}) must be greater than delta_unknown ({p.delta_unknown})"
        )
    if p.confidence_samples > p.num_samples:
        yield (
            f"confidence_samples ({p.confidence_samples}) must not be greater than "
            f"num_samples ({p.num_samples})"
        )
    if extra := set(p.sweep_seeds) - set(p.seeds):
        yield (
            f"sweep_seeds {sorted(extra)} are not among seeds ({p.seeds}), "
            "but sweeps are compared with the main run"
        )
    if not all(sum(ratio) for ratio in [p.pair_ratio, *p.pair_ratios]):
        yield (
            f"pair_ratio ({p.pair_ratio}) and each of pair_ratios ({p.pair_ratios}) "
            "need a number greater than 0"
        )
    for key, value in p:
        if isinstance(value, list) and key != "pair_ratio" and _repeats(value):
            yield f"{key}: given {value!r}; nothing may appear twice, because it would count twice"


def _repeats(listed: list) -> bool:
    return len({str(value) for value in listed}) < len(listed)


def _explain(fault: dict) -> str:
    """Put one of pydantic's faults into words."""
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(key, Params.model_fields, 1)
        return f"{key}: no such parameter" + (f"; did you mean {near[0]}?" if near else "")
    given = fault["input"]
    message = fault["msg"].removeprefix("Value error, ").replace("Input", "it", 1)
    return f"{key}: given {given!r} ({type(given).__name__}); {message}"


def read(profile: str | Path) -> dict[str, Any]:
    """Return the raw values of a profile.

    Parameters
    ----------
    profile
        A YAML file, or the name of one under params/ without its ending.

    Raises
    ------
    ParameterError
        If there is no such file, in which case the message lists the profiles, or if it cannot be
        read, in which case the message says where.
    """
    path = Path(profile)
    if path.suffix not in (".yaml", ".yml"):
        path = PARAMS / f"{profile}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in PARAMS.glob("*.yaml")))
        raise ParameterError(f"no profile {str(profile)!r}; there are: {known}")
    return values.read_profile(path)


def load(profile: str | Path = "smoke", **changes: Any) -> Params:
    """Return a checked profile, with changes."""
    return checked({**read("smoke"), **read(profile), **changes})


def of_snakemake(config: dict[str, Any]) -> dict[str, Any]:
    """Return parameters from Snakemake's `--config`, which makes texts of the numbers in a list.

    Numbers come back where a parameter has a list of numbers. What does not fit stays as it is, so
    that `checked` says what is wrong with it.
    """
    return {name: _with_numbers(name, value) for name, value in config.items()}


def _with_numbers(name: str, value: Any) -> Any:
    if name not in Params.model_fields or not isinstance(value, list):
        return value
    try:
        return TypeAdapter(Params.model_fields[name].annotation).validate_python(value)
    except ValidationError:
        return value


def parameters(scope: dict[str, Any]) -> Params:
    """Return the parameters of a running notebook.

    Parameters
    ----------
    scope
        The notebook's `globals()`. What its cells, or papermill, defined under a parameter's name
        overrides the value in smoke.yaml; all other names are ignored.
    """
    given = {name: value for name, value in scope.items() if name in Params.model_fields}
    return load(**given)
