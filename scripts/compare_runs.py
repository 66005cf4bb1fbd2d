#!/usr/bin/env python3
"""Prints evaluations side by side: their figures, and answers to some questions of both kinds.

    scripts/compare_runs.py NAME=FOLDER [NAME=FOLDER ...]

FOLDER holds what `tofu_mpi evaluate` wrote: aggregate_stat.txt, eval_log.json and
eval_log_forget.json. Python's standard library alone.
"""

import json
import pathlib
import sys
import textwrap

FIGURES = [
    # name in aggregate_stat.txt, what it says
    ("Forget Quality", "p-value: is it like a model that never saw them? (higher: yes)"),
    ("Model Utility", "what is left of everything else (higher: more)"),
    ("Forget Probability", "of the answers to be forgotten (lower: forgotten)"),
    ("Forget ROUGE", "overlap of its answers with those to be forgotten"),
    ("Retain Probability", "of the answers to be kept (higher: kept)"),
    ("Retain ROUGE", "overlap of its answers with those to be kept"),
]
SETS = [("eval_log_forget.json", "to be forgotten"), ("eval_log.json", "to be kept")]
QUESTIONS_OF_A_SET = 4


def read_figures(folder):
    lines = (folder / "aggregate_stat.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def read_answers(folder, name):
    """Question -> (what the model says, the true answer), in the order of the questions."""
    texts = json.loads((folder / name).read_text(encoding="utf-8")).get("generated_text", {})
    triples = texts.values() if isinstance(texts, dict) else texts
    return {question: (said, truth) for question, said, truth in triples}


def evenly_spread(items, count):
    items = list(items)
    step = max(1, len(items) // count)
    return items[::step][:count]


def print_figures(runs):
    figures = {name: read_figures(folder) for name, folder in runs.items()}
    print(f"{'':20}" + "".join(f"{name:>11}" for name in runs))
    for figure, meaning in FIGURES:
        cells = (figures[name].get(figure) for name in runs)
        row = "".join(f"{'-' if cell is None else format(float(cell), '.3g'):>11}" for cell in cells)
        print(f"{figure:20}{row}   {meaning}")


def print_answers(runs, log_name, title):
    answers = {name: read_answers(folder, log_name) for name, folder in runs.items()}
    first = next(iter(answers.values()))
    width = max(len(name) for name in [*runs, "truth"])
    print(f"\nQuestions whose answers are {title}")
    for question in evenly_spread(first, QUESTIONS_OF_A_SET):
        print(f"\n  {question}")
        rows = [("truth", first[question][1])]
        rows += [(name, answers[name].get(question, ("-", ""))[0]) for name in runs]
        for name, text in rows:
            text = textwrap.shorten(text, 100, placeholder=" ...") or "(nothing)"
            print(f"    {name:{width}}  {text}")


def main():
    runs = dict(argument.partition("=")[::2] for argument in sys.argv[1:])
    if not runs or not all(runs.values()):
        sys.exit(__doc__)
    runs = {name: pathlib.Path(folder) for name, folder in runs.items()}
    try:
        print_figures(runs)
        for log_name, title in SETS:
            print_answers(runs, log_name, title)
    except (OSError, ValueError) as error:
        sys.exit(f"compare_runs.py: {error}")


if __name__ == "__main__":
    main()
