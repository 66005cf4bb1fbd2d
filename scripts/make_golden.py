#!/usr/bin/env python3
"""Writes tests/golden: a small set of reference cases, computed with PyTorch and Hugging Face.

The tests use it where no larger set is at hand (TOFU_GOLDEN_DIR). They need no Python: only this
program does, with torch, transformers, scipy, rouge_score, nltk and tokenizers installed.

    scripts/make_golden.py [FOLDER]     default: tests/golden

The published formulas stand in golden_losses.py beside this file. Floats are rounded to nine
digits; the tests compare to four or less.
"""

import json
import pathlib
import sys

import numpy
import scipy.stats
import torch
from nltk.stem.porter import PorterStemmer
from rouge_score import rouge_scorer
from tokenizers import Tokenizer
from transformers import LlamaConfig, LlamaForCausalLM

from golden_losses import (END, IGNORE, OBJECTIVES, grad_norms, log_softmax, logits_of,
                           token_losses, total_norm)

PROJECT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = f"PyTorch {torch.__version__}, float32; scripts/make_golden.py"
VOCAB = 512
STEPS, WARMUP, LEARNING_RATE, WEIGHT_DECAY, MAX_GRAD_NORM = 10, 2, 1e-3, 0.01, 1.0
DEFAULTS = {"beta": 0.32, "gamma": 0.0, "npo_coeff": 1.0, "grad_diff_coeff": 1.0, "fill_mask": True}
OTHERS = {"beta": 0.1, "gamma": 0.2, "npo_coeff": 0.5, "grad_diff_coeff": 2.0, "fill_mask": False}


def make_models(folder):
    """Random Llamas of both generations, each with a noisy copy as the reference model.

    The weights are rounded to bfloat16, so the files are small and hold exactly what is computed
    with in float32.
    """
    shapes = {
        "llama2-tiny": {
            "num_key_value_heads": 4, "tie_word_embeddings": False, "max_position_embeddings": 512,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}},
        "llama3-tiny": {
            "num_key_value_heads": 2, "tie_word_embeddings": True, "max_position_embeddings": 8192,
            # Between the two bounds, 64 and 256, lies the wavelength of one of the frequencies.
            "rope_parameters": {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0,
                                "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                "original_max_position_embeddings": 256}},
    }
    models = {}
    for name, shape in shapes.items():
        config = LlamaConfig(
            vocab_size=VOCAB, hidden_size=32, intermediate_size=88, num_hidden_layers=2,
            num_attention_heads=4, head_dim=8, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=END,
            attn_implementation="eager", **shape)
        model = LlamaForCausalLM(config).float().eval()
        with torch.no_grad():
            for parameter in model.parameters():
                noise = 0.15 * torch.randn_like(parameter)
                parameter.copy_(noise if parameter.dim() == 2 else 1 + noise)
        save_model(model, folder / name)
        models[name] = LlamaForCausalLM.from_pretrained(
            folder / name, dtype=torch.float32, attn_implementation="eager").eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.03 * torch.randn_like(parameter))
        save_model(model, folder / (name + "-reference"))
        models[name + "-reference"] = LlamaForCausalLM.from_pretrained(
            folder / (name + "-reference"), dtype=torch.float32, attn_implementation="eager").eval()
    return models


def save_model(model, folder):
    model.to(torch.bfloat16).save_pretrained(folder)
    model.float()
    (folder / "generation_config.json").unlink(missing_ok=True)


def make_batch(question_lengths, answer_lengths, width, masked):
    """Padded rows of random tokens. `masked`: about half of the answer's tokens are general.

    The end of sequence is the padding token too; its first position is the end of the answer.
    """
    rows = {"general_labels": [], "input_ids": [], "attention_mask": [], "labels": [],
            "answer_labels": []}
    for questions, answers in zip(question_lengths, answer_lengths):
        length = questions + answers
        ids = [1] + torch.randint(3, VOCAB, (length - 1,)).tolist() + [END] * (width - length)
        general = torch.randperm(answers).tolist()[: answers // 2] if masked else []
        is_general = [questions <= t < length and t - questions in general for t in range(width)]
        answer = [ids[t] if questions <= t < length else IGNORE for t in range(width)]
        rows["input_ids"].append(ids)
        rows["attention_mask"].append([int(t < length) for t in range(width)])
        rows["answer_labels"].append(answer)
        rows["labels"].append([IGNORE if is_general[t] else answer[t] for t in range(width)])
        rows["general_labels"].append(
            [ids[t] if is_general[t] or t == length else IGNORE for t in range(width)])
    return {**rows, "num_question_tokens": question_lengths}


def make_batches(questions, answers, width):
    return {
        "forget": make_batch(questions, answers, width, True),
        "retain": make_batch(questions, [n - 2 for n in answers], width, False),
        "idk": make_batch(questions, [max(3, n // 2) for n in answers], width, False),
    }


def objective_cases(models):
    cases = []
    for name in ("llama2-tiny", "llama3-tiny"):
        model, reference = models[name], models[name + "-reference"]
        # A row of the second fills its width: nothing is left there for the end of sequence.
        shapes = [([5, 7, 10], [9, 12, 16], 30), ([6, 4], [12, 6], 18)]
        for index, shape in enumerate(shapes):
            batches = make_batches(*shape)
            where = {"model": name, "batches": f"{name}/{index}"}
            cases.append({"kind": "batches", "id": where["batches"], **batches})
            hyper = [DEFAULTS, OTHERS][index]
            for objective, (formula, compute) in OBJECTIVES.items():
                model.zero_grad()
                loss, parts = compute(model, reference, batches, hyper)
                loss.backward()
                cases.append({
                    "name": objective, "formula": formula, **where, "hyper": hyper,
                    "loss": loss.item(), "parts": {k: v.item() for k, v in parts.items()},
                    "grad_norm": total_norm(model), "grad_norms": grad_norms(model)})
            cases.append(logits_case(model, batches["forget"], where))
            cases.append(kl_case(model, reference, batches["forget"], where))
        cases.append(greedy_case(model, name))
    return cases


@torch.no_grad()
def logits_case(model, batch, where):
    logits = logits_of(model, batch)
    labels = torch.tensor(batch["answer_labels"])
    losses = token_losses(logits, labels).sum(1)
    rows = []
    for row, mask in enumerate(batch["attention_mask"]):
        length = sum(mask)
        for position in (0, length // 2, length - 1):
            rows.append([row, position, logits[row, position, :8].tolist()])
    counts = (labels[:, 1:] != IGNORE).sum(1)
    return {"kind": "logits", **where,
            "note": "[row, position, logits of the first 8 tokens]; losses over answer_labels",
            "rows": rows, "nll_sum": losses.tolist(), "nll_mean": (losses / counts).tolist()}


@torch.no_grad()
def kl_case(model, reference, batch, where):
    ours, theirs = log_softmax(model, batch), log_softmax(reference, batch)
    kl = (theirs.exp() * (theirs - ours)).sum(-1)
    mask = torch.tensor(batch["attention_mask"])
    return {"kind": "kl_divergence", **where,
            "note": "KL(reference || model): mean over all positions, and over attended ones",
            "published": kl.mean(1).tolist(),
            "attended": ((kl * mask).sum(1) / mask.sum(1)).tolist()}


@torch.no_grad()
def greedy_case(model, name):
    """Prompts whose continuations neither end nor hang on a rounding error."""
    prompts, continuations = [], []
    while len(prompts) < 2:
        prompt = [1] + torch.randint(3, VOCAB, (6 + 2 * len(prompts),)).tolist()
        ids, least_margin = list(prompt), float("inf")
        for _ in range(12):
            best = model(torch.tensor([ids])).logits[0, -1].topk(2)
            least_margin = min(least_margin, (best.values[0] - best.values[1]).item())
            ids.append(best.indices[0].item())
        if least_margin > 1e-2 and END not in ids:
            prompts.append(prompt)
            continuations.append(ids[len(prompt):])
    return {"kind": "greedy", "model": name, "prompts": prompts, "continuations": continuations}


def learning_rate(step):
    if step < WARMUP:
        return LEARNING_RATE * step / WARMUP
    return LEARNING_RATE * (STEPS - step) / (STEPS - WARMUP)


def trajectory(models, folder, name, objective, hyper):
    model = LlamaForCausalLM.from_pretrained(
        folder / name, dtype=torch.float32, attn_implementation="eager")
    micro_batches = [make_batches([5, 8], [8, 11 + i], 22) for i in range(4)]
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=WEIGHT_DECAY)
    losses, norms = [], []
    for step in range(STEPS):
        optimizer.zero_grad()
        step_loss = 0.0
        for index in (2 * step % 4, (2 * step + 1) % 4):
            loss, _ = OBJECTIVES[objective][1](
                model, models[name + "-reference"], micro_batches[index], {**DEFAULTS, **hyper})
            (loss / 2).backward()
            step_loss += loss.item() / 2
        losses.append(step_loss)
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRAD_NORM).item())
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step)
        optimizer.step()
    return {
        "name": objective, "hyper": hyper, "model": name, "lr": LEARNING_RATE, "steps": STEPS,
        "warmup_steps": WARMUP, "weight_decay": WEIGHT_DECAY, "max_grad_norm": MAX_GRAD_NORM,
        "micro_batches_per_step": 2,
        "note": "step s takes micro-batches 2s and 2s+1 modulo 4; the gradient is their mean, "
                "clipped by global norm; AdamW, decay on every parameter; linear warm-up from 0, "
                "then linear to 0",
        "micro_batches": [{k: m[k] for k in ("forget", "retain")} for m in micro_batches],
        "losses": losses, "grad_norms": norms,
        "learning_rates": [learning_rate(step) for step in range(STEPS)],
        "final_norms": {k: v.detach().norm().item() for k, v in model.named_parameters()}}


def answers_of(name, count):
    lines = (PROJECT / "data" / "mini" / name).read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    return [r["answer"] for r in records[:: max(1, len(records) // count)]][:count]


EDGE_TEXTS = ["", " ", "  two  spaces ", "tab\tand\nline\r\nend\n\n", "naïve Zoë Ærøskøbing",
              "日本語のテキスト", "🙂 emoji 👩‍👩‍👧", "e\u0301 combining", "3.14159 and 1,000,000",
              "DON'T they'll we've", "<s> is not special here </s>", "\u200bzero\u00a0width"]


def tokenizer_cases():
    tokenizer = Tokenizer.from_file(str(PROJECT / "data" / "mini" / "model" / "tokenizer.json"))
    texts = answers_of("full.json", 10) + EDGE_TEXTS
    return [{"text": text, "mini": tokenizer.encode(text).ids} for text in texts]


def rouge_cases():
    scorer = rouge_scorer.RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
    sentence = "The running authors' stories were quickly published in 1984."
    pairs = [
        ("same", sentence, sentence),
        ("stemmed", sentence, "An author runs and publishes stories quickly in 1984"),
        ("shuffled", sentence, "1984 published in quickly were stories authors running the"),
        ("nothing in common", sentence, "Blue whales sing below."),
        ("empty candidate", sentence, ""),
        ("not ASCII", "Zoë Nørgard was born in Málta.", "Zo N rgard was born in Malta"),
        ("repeated words", "the the cat the", "the cat the the the dog"),
    ]
    cases = []
    for why, reference, candidate in pairs:
        scores = scorer.score(reference, candidate)
        cases.append({
            "why": why, "reference": reference, "candidate": candidate,
            "rouge1_recall": scores["rouge1"].recall, "rougeL_recall": scores["rougeL"].recall,
            "rouge1_f": scores["rouge1"].fmeasure, "rougeL_f": scores["rougeL"].fmeasure})
    return cases


def stems():
    words = ("caresses ponies running hopping agreed plastered motoring conflated troubled sized "
             "falling hissing failing happy relational conditional rationally digitizer operator "
             "feudalism decisiveness hopefulness formality sensitivity triplicate electrical "
             "goodness revival allowance inference airliner adjustable replacement adoption "
             "communism activate effective probate controlled rolling skies dying news 1984").split()
    stemmer = PorterStemmer()
    return {word: stemmer.stem(word) if len(word) > 3 else word for word in words}


def ks_cases(generator):
    normal = generator.standard_normal
    pairs = [("same", normal(40), normal(40)), ("shifted", normal(40), normal(37) + 0.5),
             ("ties", generator.integers(0, 6, 30) / 2, generator.integers(1, 7, 24) / 2),
             ("disjoint", normal(20), normal(20) + 100), ("one value", normal(1), normal(1)),
             ("far apart, tiny p", normal(60), normal(60) + 4)]
    cases = []
    for why, *samples in pairs:
        a, b = (rounded(sample.tolist()) for sample in samples)
        result = scipy.stats.ks_2samp(a, b)
        cases.append({"why": why, "a": a, "b": b,
                      "statistic": result.statistic.item(), "pvalue": result.pvalue.item()})
    return cases


def pairing_case(forget, retain, count, n_retain, n_refusals):
    def draw(index, bound):
        torch.manual_seed(index)
        return torch.randint(0, bound, (1,)).item()

    return {"forget": forget, "retain": retain, "n_retain": n_retain, "n_refusals": n_refusals,
            "retain_index": [(i + draw(i, n_retain)) % n_retain for i in range(count)],
            "refusal_index": [draw(i, n_refusals) for i in range(count)]}


AGGREGATED_SETS = {"eval_real_author_wo_options.json": "Real Authors",
                   "eval_real_world_wo_options.json": "Real World",
                   "eval_log.json": "Retain", "eval_log_forget.json": "Forget"}


def evaluation_log(generator, count):
    log = {}
    for name in AGGREGATED_SETS:
        tokens = generator.integers(3, 20, count)
        mean_loss = generator.exponential(0.5, count)
        arrays = {
            "avg_gt_loss": mean_loss.tolist(), "gt_loss": (mean_loss * tokens).tolist(),
            "num_token_gt": tokens.tolist(), "rouge1_recall": generator.random(count).tolist(),
            "rougeL_recall": generator.random(count).tolist(),
            "average_perturb_loss": (0.5 + generator.exponential(1, (count, 3))).tolist(),
            "avg_paraphrased_loss": generator.exponential(0.8, count).tolist()}
        log[name] = {key: {str(i): x for i, x in enumerate(v)} for key, v in arrays.items()}
    return log


def truth_ratios(log_set):
    wrong = numpy.array(list(log_set["average_perturb_loss"].values())).mean(1)
    return numpy.exp(numpy.array(list(log_set["avg_paraphrased_loss"].values())) - wrong)


def aggregate(unlearned, retain):
    """Model utility and forget quality as published, of logs rounded as they are written."""
    expected, utility = {}, []
    for name, title in AGGREGATED_SETS.items():
        log_set = unlearned[name]
        probability = numpy.exp(-numpy.array(list(log_set["avg_gt_loss"].values())))
        if title.startswith("Real"):
            wrong = numpy.exp(-numpy.array(list(log_set["average_perturb_loss"].values())))
            probability = probability / (probability + wrong.sum(1))
        ratio = truth_ratios(log_set)
        truth = numpy.minimum(ratio, 1 / ratio) if title == "Forget" else numpy.maximum(0, 1 - ratio)
        figures = {"ROUGE": numpy.mean(list(log_set["rougeL_recall"].values())),
                   "Probability": probability.mean(), "Truth Ratio": truth.mean()}
        expected |= {f"{title} {figure}": value.item() for figure, value in figures.items()}
        utility += [] if title == "Forget" else list(figures.values())
    test = scipy.stats.ks_2samp(*(truth_ratios(log["eval_log_forget.json"])
                                  for log in (unlearned, retain)))
    return expected | {
        "Model Utility": scipy.stats.hmean(utility).item(), "Forget Quality": test.pvalue.item(),
        "KS Test PVal Forget": test.pvalue.item(), "KS Test Forget": test.statistic.item()}


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, (list, tuple)) else value


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(rounded(value), ensure_ascii=False, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT / "tests" / "golden"
    torch.manual_seed(20)
    torch.set_num_threads(1)
    generator = numpy.random.default_rng(20)
    models = make_models(folder / "models")
    write(folder / "objectives.json", {"source": SOURCE, "cases": objective_cases(models)})
    write(folder / "trajectories.json", {"source": SOURCE, "trajectories": [
        trajectory(models, folder / "models", "llama2-tiny", "cross_entropy", {}),
        trajectory(models, folder / "models", "llama3-tiny", "tpo", {"beta": 0.32}),
        trajectory(models, folder / "models", "llama3-tiny", "npo_grad_diff",
                   {"beta": 0.1, "npo_coeff": 1.0, "grad_diff_coeff": 1.0})]})
    write(folder / "tokenizer.json", {
        "source": "Hugging Face tokenizers; mini: data/mini/model", "cases": tokenizer_cases()})
    write(folder / "rouge.json", {
        "source": "rouge_score with use_stemmer=True", "cases": rouge_cases()})
    write(folder / "stems.json", {
        "source": "nltk PorterStemmer, applied to words longer than three letters",
        "stems": stems()})
    write(folder / "ks_2samp.json", {
        "source": f"scipy.stats.ks_2samp {scipy.__version__}, default arguments",
        "cases": ks_cases(generator)})
    write(folder / "pairing.json", {
        "source": "published data module: before each draw torch.manual_seed(sample index); retain "
                  "row = (index + randint(0, n_retain)) mod n_retain, refusal line = "
                  "randint(0, n_refusals)",
        "cases": [pairing_case("forget10", "retain90", 40, 360, 20)]})
    unlearned, retain = (rounded(evaluation_log(generator, 25)) for _ in range(2))
    write(folder / "aggregate" / "unlearned0.json", unlearned)
    write(folder / "aggregate" / "retain0.json", retain)
    write(folder / "aggregate.json", {
        "source": "published get_model_utility and get_forget_quality",
        "cases": [{"unlearned": "aggregate/unlearned0.json", "retain": "aggregate/retain0.json",
                   "list_or_dict": ["dict"], "expected": aggregate(unlearned, retain)}]})


if __name__ == "__main__":
    main()
