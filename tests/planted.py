"""Faults that somebody might make, each a small change of the source that some test must see.

A change applies at exactly one place. Of what people write by hand into tables, a pattern finds the
place, because the numbers change with every study.
"""

import re
from pathlib import Path
from typing import NamedTuple


class Fault(NamedTuple):
    """A fault, where it is planted, and the tests that are to see it, as pytest takes them."""

    name: str
    file: str
    old: str
    new: str
    tests: str
    pattern: bool = False  # whether `old` is a regular expression

    def planted(self, text: str) -> str:
        """Return a source with the fault in it.

        Raises
        ------
        ValueError
            If it does not apply exactly once, or changes nothing.
        """
        old = self.old if self.pattern else re.escape(self.old)
        found = len(re.findall(old, text))
        if found != 1:
            raise ValueError(f"{self.name}: {found} places in {self.file} instead of one")
        changed = re.sub(old, lambda _: self.new, text)
        if changed == text:
            raise ValueError(f"{self.name}: changes nothing in {self.file}")
        return changed

    def plant(self, root: Path) -> str:
        """Write the fault into a copy of the project, and return what stood there."""
        file = root / self.file
        before = file.read_text()
        file.write_text(self.planted(before))
        return before


LOSS = "inbol_lib/training/preference_loss.py"
CA_DPO = "inbol_lib/training/ca_dpo.py"
COLLATING = "inbol_lib/training/collating.py"
LORA = "inbol_lib/training/lora.py"
REFERENCE = "inbol_lib/training/reference.py"
SAMPLING = "inbol_lib/mllm/sampling/continuation.py"
COMPOSITION = "inbol_lib/boundary/composition.py"
UNANSWERABLE = "inbol_lib/boundary/unanswerable.py"
METRICS = "inbol_lib/evaluation/metrics.py"
INTERVALS = "inbol_lib/evaluation/intervals.py"
SELECTIVE = "inbol_lib/evaluation/selective.py"
ASKING = "inbol_lib/evaluation/asking.py"
HYBRID = "inbol_lib/judging/hybrid.py"
GRAPH = "inbol_lib/study/graph.py"

T_LOSS = "tests/training/test_preference_loss.py"
T_CA_DPO = "tests/training/test_ca_dpo.py tests/training/test_against_trl.py"
T_COMPOSITION = "tests/boundary/test_composition.py"
T_SAMPLING = "tests/mllm/test_sampling.py"
T_JUDGING = "tests/judging/test_judging.py"
T_INTERVALS = "tests/evaluation/test_intervals.py"
T_METRICS = "tests/evaluation/test_metrics.py"
T_SELECTIVE = "tests/evaluation/test_selective.py"
T_STAGES = "tests/study/test_stages.py"
T_SEEN = "tests/test_what_faults_showed.py"

OF_TRAINING = [
    Fault(
        "conf and 1 - conf change places in the weights",
        LOSS,
        "weights = np.stack([confidence, 1 - confidence], 1)",
        "weights = np.stack([1 - confidence, confidence], 1)",
        T_LOSS,
    ),
    Fault(
        "conf and 1 - conf change places in eq. 6",
        LOSS,
        "weights = torch.stack([confidence, 1 - confidence], 1)",
        "weights = torch.stack([1 - confidence, confidence], 1)",
        T_LOSS,
    ),
    Fault(
        "mean over a question's pairs instead of their sum",
        LOSS,
        "-(weights * F.logsigmoid(beta * margin)).sum(1)",
        "-(weights * F.logsigmoid(beta * margin)).mean(1)",
        T_LOSS,
    ),
    Fault(
        "mean over a part's questions instead of the batch's",
        CA_DPO,
        'inputs.get("questions", len(losses))',
        "len(losses)",
        T_CA_DPO,
    ),
    Fault(
        "no beta",
        LOSS,
        "F.logsigmoid(beta * margin)",
        "F.logsigmoid(margin)",
        "tests/training/test_settings.py",
    ),
    Fault(
        "the loss forgets the reference",
        LOSS,
        "ratio = policy - reference",
        "ratio = policy",
        "tests/training/test_settings.py",
    ),
    Fault(
        "mixed questions prefer the incorrect response to the refusal",
        LOSS,
        '"mixed": ((CORRECT, INCORRECT), (REFUSAL, INCORRECT)),',
        '"mixed": ((CORRECT, INCORRECT), (INCORRECT, REFUSAL)),',
        T_LOSS,
    ),
    Fault(
        "DPO(1) and DPO(2) change names",
        LOSS,
        '"dpo_1": (0, 1), "dpo_2": (1, 0)',
        '"dpo_1": (1, 0), "dpo_2": (0, 1)',
        T_LOSS,
    ),
    Fault(
        "shuffled confidences ignore the seed",
        LOSS,
        "np.random.default_rng(seed).permutation(confidence[mixed])",
        "np.random.default_rng(0).permutation(confidence[mixed])",
        f"{T_LOSS} {T_SEEN}",
    ),
    Fault(
        "a reference of zeros",
        REFERENCE,
        'item["reference"] = row',
        'item["reference"] = row * 0',
        "tests/training/test_reference.py " + T_CA_DPO,
    ),
    Fault(
        "the reference's rows in the order of batches",
        REFERENCE,
        "return np.concatenate([logps for _, logps in done])[order]",
        "return np.concatenate([logps for _, logps in done])",
        "tests/training/test_reference.py " + T_CA_DPO,
    ),
    Fault(
        "a kept reference serves another start",
        REFERENCE,
        'sorted(start.glob("adapter_*"))',
        'sorted(start.glob("nothing_*"))',
        "tests/training/test_settings.py",
    ),
    Fault(
        "CA-DPO learns at IDK-IT's rate",
        CA_DPO,
        "p.dpo_learning_rate), beta=p.beta",
        "p.learning_rate), beta=p.beta",
        "tests/training/test_settings.py",
    ),
    Fault(
        "beta is always TRL's",
        CA_DPO,
        "p.dpo_learning_rate), beta=p.beta",
        "p.dpo_learning_rate), beta=0.1",
        "tests/training/test_settings.py",
    ),
    Fault(
        "EOS dropped from responses",
        COLLATING,
        "return [*ids, tokenizer.eos_token_id]",
        "return ids",
        "tests/training/test_collating.py",
    ),
    Fault(
        "the prompt in the loss",
        COLLATING,
        '"labels": [IGNORE] * len(prompt) + answer',
        '"labels": prompt + answer',
        "tests/training/test_collating.py",
    ),
    Fault(
        "LoRA on the vision tower",
        LORA,
        "target_modules=language_model_linear_names(model)",
        'target_modules="all-linear"',
        "tests/mllm/test_architectures.py tests/mllm/test_models.py tests/training/test_idk_it.py",
    ),
    Fault(
        "alpha taken for the rank",
        LORA,
        "lora_alpha=p.lora_alpha",
        "lora_alpha=p.lora_rank",
        "tests/training/test_settings.py",
    ),
    Fault(
        "training ignores the seed",
        LORA,
        '        "seed": p.seed,\n        "data_seed": p.seed,',
        '        "seed": 0,\n        "data_seed": 0,',
        "tests/training/test_settings.py",
    ),
    Fault(
        "a torn checkpoint is taken",
        LORA,
        'if file.parent.name == f"checkpoint-{step}":',
        "if True:",
        "tests/training/test_saving.py",
    ),
    Fault(
        "training resumes from the oldest checkpoint",
        LORA,
        "return complete[max(complete)] if complete else None",
        "return complete[min(complete)] if complete else None",
        "tests/training/test_settings.py",
    ),
    Fault(
        "a loss that is no number goes on",
        "inbol_lib/training/steps.py",
        "check_number(total, inputs, self)",
        "pass",
        "tests/training/test_losses.py",
    ),
]

OF_ANSWERING = [
    Fault(
        "prompts padded on the right",
        "inbol_lib/mllm/loading.py",
        'processor.tokenizer.padding_side = "left"',
        'processor.tokenizer.padding_side = "right"',
        "tests/mllm/test_models.py",
    ),
    Fault(
        "right padding is not noticed",
        "inbol_lib/mllm/chat.py",
        "if mask[:, -1].min() == 0:",
        "if False:",
        "tests/mllm/test_models.py",
    ),
    Fault(
        "pad taken for EOS is not noticed",
        "inbol_lib/mllm/loading.py",
        "if tokenizer.pad_token_id == tokenizer.eos_token_id:",
        "if False:",
        "tests/mllm/test_models.py",
    ),
    Fault(
        "sampling ignores the temperature",
        SAMPLING,
        "torch.softmax(logits.double() / temperature, -1)",
        "torch.softmax(logits.double(), -1)",
        T_SAMPLING,
    ),
    Fault("sampling ignores top_p", SAMPLING, "if top_p < 1:", "if top_p < 0:", T_SAMPLING),
    Fault(
        "sampling ignores the seed",
        "inbol_lib/mllm/sampling/responses.py",
        "[rng_for(seed, ids[i]) for i in chosen]",
        "[rng_for(0, ids[i]) for i in chosen]",
        T_SEEN,
    ),
    Fault(
        "nothing stops at EOS",
        SAMPLING,
        "state.alive = state.alive & ~torch.isin(token, stops)",
        "state.alive = state.alive.clone()",
        T_SAMPLING,
    ),
    Fault(
        "new tokens stand one place too far",
        SAMPLING,
        "prompt_lengths.expand_as(self.slots) + step",
        "prompt_lengths.expand_as(self.slots) + step + 1",
        T_SAMPLING,
    ),
    Fault(
        "samples see each other",
        SAMPLING,
        "return prompt | own_past",
        "return prompt | own_past | True",
        T_SAMPLING,
    ),
    Fault(
        "an adapter is left on",
        "inbol_lib/mllm/adapters.py",
        "weight.copy_(before)",
        "weight.copy_(weight)",
        "tests/mllm/test_adapters.py",
    ),
    Fault(
        "no adapter is put on",
        ASKING,
        "with worn(who.model, adapter) as model:",
        "with worn(who.model, None) as model:",
        "tests/evaluation/test_asking.py",
    ),
    Fault(
        "the refusal prompt is not said",
        ASKING,
        'if method == "refusal_prompt" else text',
        'if method == "refusal" else text',
        f"tests/evaluation/test_asking.py {T_SEEN}",
    ),
    Fault(
        "a journal counts samples behind a lost line",
        "inbol_lib/mllm/journal.py",
        'if line["first"] == len(samples):',
        "if True:",
        T_SEEN,
    ),
    Fault(
        "a line of a journal without texts ends in a traceback",
        "inbol_lib/mllm/endpoints/spending.py",
        "for line in filter(is_answer, journal.lines()):",
        "for line in journal.lines():",
        "tests/inputs/test_bad_input.py",
    ),
    Fault(
        "the probe reads the layer below the last",
        "inbol_lib/evaluation/probing.py",
        "out.hidden_states[-1][:, -1]",
        "out.hidden_states[-2][:, -1]",
        f"tests/evaluation/test_probing.py {T_SEEN}",
    ),
    Fault(
        "the probe reads the last token but one",
        "inbol_lib/evaluation/probing.py",
        "states.append(out.hidden_states[-1][:, -1]",
        "states.append(out.hidden_states[-1][:, -2]",
        f"tests/evaluation/test_probing.py {T_SEEN}",
    ),
    Fault(
        "P(True) is P(False)",
        "inbol_lib/evaluation/label_free.py",
        "scores += (yes / (yes + no)).tolist()",
        "scores += (no / (yes + no)).tolist()",
        "tests/evaluation/test_label_free.py",
    ),
]

OF_JUDGING = [
    Fault(
        "refusal after correctness",
        "inbol_lib/judging/matching.py",
        "    if what.declines and not (golds and _is_gold(response, golds)):\n"
        '        return "refusal"\n'
        "    if golds and string_match(response, golds, rule=rule):\n"
        '        return "correct"\n',
        "    if golds and string_match(response, golds, rule=rule):\n"
        '        return "correct"\n'
        "    if what.declines and not (golds and _is_gold(response, golds)):\n"
        '        return "refusal"\n',
        T_JUDGING,
    ),
    Fault(
        "an unanswerable question answered right",
        HYBRID,
        'words[i] = "incorrect" if wrongly else verdicts[triple]',
        "words[i] = verdicts[triple]",
        T_SEEN,
    ),
    Fault(
        "a failed request counts as wrong",
        HYBRID,
        'return ["unjudged" if word is None else word or "incorrect" for word in words]',
        'return [word or "incorrect" for word in words]',
        T_JUDGING + " tests/mllm/test_endpoint_stages.py",
    ),
    Fault(
        "an unreadable verdict counts as wrong",
        HYBRID,
        'None: "unjudged"}[parse_verdict(text)]',
        'None: "incorrect"}[parse_verdict(text)]',
        T_SEEN,
    ),
    Fault(
        "the evaluator judges out of domain",
        ASKING,
        '(False, "string")):',
        "(False, p.judge)):",
        f"tests/evaluation/test_asking.py {T_SEEN}",
    ),
    Fault(
        "a question at the upper threshold is not known",
        "inbol_lib/boundary/classes.py",
        "if value >= delta_known - _SLACK:",
        "if value > delta_known + _SLACK:",
        "tests/boundary/test_confidence.py",
    ),
    Fault(
        "a question at the lower threshold is not unknown",
        "inbol_lib/boundary/classes.py",
        "if value <= delta_unknown + _SLACK:",
        "if value < delta_unknown - _SLACK:",
        "tests/boundary/test_confidence.py",
    ),
    Fault(
        "what was not judged lowers the confidence",
        "inbol_lib/boundary/classes.py",
        'judged.count("correct") / len(judged)',
        'judged.count("correct") / len(verdicts)',
        "tests/boundary/test_confidence.py",
    ),
    Fault(
        "the list of templates is cut",
        "inbol_lib/data/templates.py",
        '    "Sorry, I can not help with this.",\n',
        "",
        f"{T_JUDGING} {T_SEEN}",
    ),
    Fault(
        "all refusals in one wording",
        "inbol_lib/boundary/confidence.py",
        '"refusal": pick(REFUSAL_TEMPLATES, rng)',
        '"refusal": pick(REFUSAL_TEMPLATES[:1], rng)',
        f"tests/boundary/test_confidence.py {T_SEEN}",
    ),
]

OF_DATA = [
    Fault(
        "test pictures in training, of a folder",
        "inbol_lib/data/folder.py",
        'if row["split"] == split]',
        'if row["split"] in (split, "test")]',
        "tests/data/test_folder.py",
    ),
    Fault(
        "a picture in two splits is not noticed",
        "inbol_lib/data/folder.py",
        'if split != row["split"]:',
        "if False:",
        "tests/data/test_folder.py",
    ),
    Fault(
        "test pictures in training, of a benchmark",
        "inbol_lib/data/benchmarks/base.py",
        'if not divided or held_out(asked["image_id"]) == (split == "validation"):',
        "if True:",
        "tests/data/test_benchmark_rows.py tests/data/test_benchmark_faults.py",
    ),
    Fault(
        "the test set is balanced on the model's own confidence",
        "inbol_lib/boundary/test_sets.py",
        'np.array([by_id[name] for name in records["id"]])',
        'np.array(records["confidence"])',
        T_COMPOSITION,
    ),
    Fault(
        "the test set takes levels without their counterparts",
        "inbol_lib/boundary/test_sets.py",
        "pairs = [{level, np.round(1 - level, 6)} for level in stock if level <= 0.5]",
        "pairs = [{level} for level in stock]",
        T_COMPOSITION,
    ),
    Fault(
        "a pair lacks its correct response",
        COMPOSITION,
        '(frame.kind != "unknown") & (frame.correct == "")',
        '(frame.kind == "known") & (frame.correct == "")',
        T_COMPOSITION,
    ),
    Fault(
        "mixed questions count as one pair",
        COMPOSITION,
        'parts = sum(ratio.values()) + ratio["mixed"]',
        "parts = sum(ratio.values())",
        T_COMPOSITION,
    ),
    Fault(
        "SFT is told to refuse what is unknown",
        COMPOSITION,
        "gold = draw(_with_gold(inside, p.choice_answer), len(right) + len(unknown), rng)",
        "gold = pd.concat([right, unknown])",
        T_COMPOSITION,
    ),
    Fault(
        "a swap keeps its own picture",
        "inbol_lib/boundary/making.py",
        'if rows[index]["image_id"] != own',
        'if rows[index]["id"] != own',
        "tests/boundary/test_unanswerable.py",
    ),
    Fault(
        "a question needs all three reasons",
        UNANSWERABLE,
        "if any(checks):",
        "if all(checks):",
        "tests/boundary/test_unanswerable.py",
    ),
    Fault(
        "what the model refuses anyway is kept",
        UNANSWERABLE,
        '"already refused" if is_refusal(answer) and not keep else ""',
        '""',
        "tests/boundary/test_unanswerable.py",
    ),
]

OF_NUMBERS = [
    Fault(
        "the bootstrap does not resample pictures",
        INTERVALS,
        "together.image_id.factorize()[0],",
        'together.groupby(["seed"]).cumcount().to_numpy(),',
        T_INTERVALS,
    ),
    Fault(
        "the bootstrap does not resample seeds",
        INTERVALS,
        "rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=n)",
        "np.ones((n, seeds))",
        T_INTERVALS,
    ),
    Fault(
        "an interval of 90 %",
        INTERVALS,
        "np.nanquantile(values, [0.025, 0.975]",
        "np.nanquantile(values, [0.05, 0.95]",
        T_INTERVALS,
    ),
    Fault(
        "a pretraining that was cut teaches its tower to see again",
        "inbol_lib/micro/models/pretrain.py",
        "checkpoints.keep(checkpoint, asdict(recipe), 0, log, net, opts)",
        "pass",
        "tests/micro/test_pretraining.py",
    ),
    Fault(
        "the best of many equals counts as a loss",
        INTERVALS,
        "hi = (observed + np.quantile(largest, 0.975) * spread).min()",
        "hi = np.quantile(drawn.min(axis=0), 0.975)",
        T_INTERVALS,
    ),
    Fault(
        "unanswerable questions count as unknown ones",
        "inbol_lib/report/tables/control_tables.py",
        'kind = np.where(outcomes.answerable, kind, "unanswerable")',
        'kind = np.where(outcomes.answerable, kind, "unknown")',
        "tests/report/test_outcome_tables.py",
    ),
    Fault(
        "s_trust forgets wrong answers",
        METRICS,
        "return 2 * correct / n + refusal / n - 1",
        "return correct / n + refusal / n",
        T_METRICS,
    ),
    Fault(
        "answered accuracy over all questions",
        METRICS,
        "answered = np.asarray(n - refusal, float)",
        "answered = np.asarray(n + 0 * refusal, float)",
        T_METRICS,
    ),
    Fault(
        "circular scoring takes the best rotation",
        METRICS,
        '{"incorrect": 0, "unjudged": 1, "refusal": 2, "correct": 3}',
        '{"incorrect": 3, "unjudged": 2, "refusal": 1, "correct": 0}',
        T_METRICS,
    ),
    Fault(
        "circular and vanilla scores change places in the table",
        "inbol_lib/report/tables/numbered.py",
        'parts | {"MMBench": metrics.circular(parts["MMBench"])}',
        'parts | {"MMBench": metrics.vanilla(parts["MMBench"])}',
        "tests/report/test_outcome_tables.py tests/report/test_figures.py",
    ),
    Fault(
        "a threshold from the test questions",
        SELECTIVE,
        "threshold(validation, score, cost))",
        "threshold(test, score, cost))",
        f"{T_SELECTIVE} {T_SEEN}",
    ),
    Fault(
        "a test split is taken for validation",
        SELECTIVE,
        'if "test" in set(validation.split):',
        "if False:",
        T_SELECTIVE,
    ),
    Fault(
        "answers at the threshold are refused",
        SELECTIVE,
        "outcomes[score] >= least",
        "outcomes[score] > least",
        T_SELECTIVE,
    ),
    Fault(
        "learning rates are chosen on the test set",
        "inbol_lib/study/tune.py",
        '"validation.parquet"',
        '"in_domain_test.parquet"',
        T_SEEN,
    ),
    Fault(
        "the probe is trained on its test rows",
        "inbol_lib/evaluation/probing.py",
        "said = probe(train_x, design.train.label, test_x, seed)",
        "said = probe(test_x, design.test.label, test_x, seed)",
        "tests/evaluation/test_probing.py",
    ),
    Fault(
        "a claim is reproduced where it may be",
        "inbol_lib/report/claim_statistics.py",
        "if lo > 0:",
        "if hi > 0:",
        T_SEEN,
    ),
]

OF_ARTEFACTS = [
    Fault(
        "the temperature is forgotten in the name",
        GRAPH,
        '        "temperature",\n',
        "",
        f"{T_STAGES} {T_SEEN}",
    ),
    Fault("the judge is forgotten in the name", GRAPH, '        "judge",\n', "", T_SEEN),
    Fault(
        "beta is forgotten in the name",
        GRAPH,
        '("preference", "dpo_learning_rate", "beta")',
        '("preference", "dpo_learning_rate")',
        f"{T_STAGES} {T_SEEN}",
    ),
    Fault(
        "a name forgets what the artefact is made from",
        GRAPH,
        "json.dumps([stage, _own_values(stage, p), made_from], sort_keys=True)",
        "json.dumps([stage, _own_values(stage, p)], sort_keys=True)",
        T_STAGES,
    ),
    Fault(
        "old metrics stay while an artefact is made again",
        "inbol_lib/study/stages.py",
        '(folder / "metrics.json").unlink()',
        "pass",
        "tests/study/test_making.py",
    ),
    Fault(
        "files are written under their own name",
        "inbol_lib/data/files.py",
        'path.with_name(f".{path.name}.{os.getpid()}")',
        "path",
        "tests/data/test_files.py",
    ),
    Fault(
        "an artefact of another schema is read",
        "inbol_lib/study/artefacts/origins.py",
        "if schema != SCHEMA:",
        "if False:",
        "tests/study/test_origins.py",
    ),
    Fault(
        "a killed run waits for all that live",
        "inbol_lib/study/workflow/__init__.py",
        "if lock.name not in theirs:",
        "if not others:",
        "tests/study/test_workflow.py",
    ),
    Fault(
        "a table edited by hand",
        "figures/table1_in_domain.csv",
        r"(?<=micro-s,ca_dpo,Overall,)\d+\.\d+",
        "77.77",
        "tests/report/test_figures.py",
        pattern=True,
    ),
    Fault(
        "a row of the README edited by hand",
        "README.md",
        r"(?<=\| micro-s \| CA-DPO \| )\d+\.\d",
        "77.7",
        "tests/report/test_readme.py",
        pattern=True,
    ),
    Fault(
        "a profile with another threshold than the paper's",
        "params/llava-1.5-7b.yaml",
        r"(?m)(?<=^delta_known: )0\.8",
        "0.7",
        "tests/study/test_params.py",
        pattern=True,
    ),
    Fault(
        "a hash is missing in the lock",
        "requirements.lock",
        r"(?m)(?<=^yte==)(\S+) \\\n +--hash=\S+ \\\n +--hash=\S+",
        "1.9.4",
        "tests/test_environment.py",
        pattern=True,
    ),
]

FAULTS = [*OF_TRAINING, *OF_ANSWERING, *OF_JUDGING, *OF_DATA, *OF_NUMBERS, *OF_ARTEFACTS]
