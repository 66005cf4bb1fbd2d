#!/usr/bin/env python3
"""Writes tests/golden/identify_masked_lm.json: masked words as Hugging Face's fill-mask finds them.

Two small models are trained on data/mini for it, a RoBERTa and a BERT (without capitals), and kept
in tests/golden/models with their tokenizers. The tests need no Python: only this program does, with
torch, transformers and tokenizers installed.

    scripts/make_golden_masked_lm.py [FOLDER]     default: tests/golden
"""

import json
import pathlib
import sys

import torch
from tokenizers import (AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers,
                        processors, trainers)
from transformers import (BertConfig, BertForMaskedLM, PreTrainedTokenizerFast, RobertaConfig,
                          RobertaForMaskedLM, pipeline)

PROJECT = pathlib.Path(__file__).resolve().parent.parent
SPECIAL = {
    "roberta": {"cls_token": "<s>", "pad_token": "<pad>", "sep_token": "</s>",
                "unk_token": "<unk>", "mask_token": "<mask>"},
    "bert": {"cls_token": "[CLS]", "pad_token": "[PAD]", "sep_token": "[SEP]",
             "unk_token": "[UNK]", "mask_token": "[MASK]"},
}
VOCAB = 700
STEPS, BATCH, LEARNING_RATE = 1500, 16, 3e-3
POSITIONS = 64
CASES = 8


def read_records(name):
    text = (PROJECT / "data" / "mini" / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def make_tokenizer(kind, texts):
    special = dict(SPECIAL[kind])
    if kind == "roberta":  # as published: the mask takes the space before it
        special["mask_token"] = AddedToken(special["mask_token"], lstrip=True, special=True)
    if kind == "roberta":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=VOCAB, special_tokens=list(special.values()), show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    else:
        tokenizer = Tokenizer(models.WordPiece(unk_token=special["unk_token"]))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        trainer = trainers.WordPieceTrainer(
            vocab_size=VOCAB, special_tokens=list(special.values()), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    ends = [(SPECIAL[kind][name], tokenizer.token_to_id(SPECIAL[kind][name]))
            for name in ("sep_token", "cls_token")]
    tokenizer.post_processor = (processors.RobertaProcessing(*ends, add_prefix_space=False)
                                if kind == "roberta" else processors.BertProcessing(*ends))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=POSITIONS - 2,
                                   **special)


def make_model(kind, tokenizer):
    config_class, model_class = ((RobertaConfig, RobertaForMaskedLM) if kind == "roberta"
                                 else (BertConfig, BertForMaskedLM))
    return model_class(config_class(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=POSITIONS, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0, pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.cls_token_id, eos_token_id=tokenizer.sep_token_id,
        type_vocab_size=1 if kind == "roberta" else 2))


def train(model, tokenizer, texts):
    """A seventh of the tokens is masked. Enough to know the frames of the sentences."""
    generator = torch.Generator().manual_seed(1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    for _ in range(STEPS):
        chosen = torch.randint(len(texts), (BATCH,), generator=generator).tolist()
        batch = tokenizer([texts[i] for i in chosen], padding=True, truncation=True,
                          return_tensors="pt")
        ids, attended = batch["input_ids"], batch["attention_mask"]
        masked = (torch.rand(ids.shape, generator=generator) < 1 / 7) & (attended == 1)
        masked[:, 0] = False
        loss = model(input_ids=ids.masked_fill(masked, tokenizer.mask_token_id),
                     attention_mask=attended, labels=ids.masked_fill(~masked, -100)).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():  # rounded, so that the files are small and hold what is computed with
        for parameter in model.parameters():
            parameter.copy_(parameter.to(torch.bfloat16).float())
    return model.eval()


def predictions(fill, text):
    """The published way: each word between white space masked in turn."""
    result, start = [], 0
    for word in text.split():
        start = text.index(word, start)
        end = start + len(word)
        top = fill(text[:start] + fill.tokenizer.mask_token + text[end:], top_k=1)[0]
        result.append({"word": word, "start": start, "end": end, "predicted": top["token_str"],
                       "token": top["token"], "score": round(top["score"], 9)})
        start = end
    return result


def make_cases(name, model, tokenizer, records):
    fill = pipeline("fill-mask", model=model, tokenizer=tokenizer, device="cpu")
    cases = []
    for number, record in enumerate(records):
        threshold = 0.5 if number % 2 else 0.0
        found = predictions(fill, record["question"] + " " + record["answer"])
        shift = len(record["question"]) + 1
        general = [{"word": p["word"], "start": p["start"] - shift, "end": p["end"] - shift}
                   for p in found
                   if p["start"] >= shift and p["score"] >= threshold
                   and p["predicted"].strip().lower() == p["word"].lower()]
        cases.append({"model": name, "question": record["question"], "answer": record["answer"],
                      "threshold": threshold, "general_words": general, "predictions": found})
    return cases


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT / "tests" / "golden"
    torch.set_num_threads(1)
    texts = [record["question"] + " " + record["answer"] for record in read_records("full.json")]
    records = read_records("forget10.json")[::40 // CASES]
    cases = []
    for kind in ("roberta", "bert"):
        torch.manual_seed(0)
        name = "masked-lm-tiny" + ("" if kind == "roberta" else "-bert")
        tokenizer = make_tokenizer(kind, texts)
        model = train(make_model(kind, tokenizer), tokenizer, texts)
        cases += make_cases(name, model, tokenizer, records)
        model.to(torch.bfloat16).save_pretrained(folder / "models" / name)
        tokenizer.save_pretrained(folder / "models" / name)
    source = (f"Hugging Face fill-mask, top 1, PyTorch {torch.__version__}, float32; "
              "scripts/make_golden_masked_lm.py")
    (folder / "identify_masked_lm.json").write_text(
        json.dumps({"source": source, "cases": cases}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
