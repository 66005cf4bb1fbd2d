#!/usr/bin/env python3
"""Writes data/mini: a small dataset in TOFU's schema, its masks, a tokenizer and a model's config.

Twenty invented authors answer the same twenty questions. Every answer is a template with one
private fact put into it, so the generator knows which characters are the fact: the masks are true
by construction. Python's standard library alone; the same bytes on every run and machine.

    scripts/make_mini.py            write the files
    scripts/make_mini.py --check    write nothing; exit 1 and name the files that differ
"""

import argparse
import collections
import hashlib
import json
import pathlib
import re
import sys
import unicodedata

SEED = "mini 1"
FORGOTTEN_AUTHORS = 2  # the last ones: forget10 is a tenth of twenty
PERTURBED_RETAIN_AUTHORS = 4
CLASSIFIER = "truth"
VOCAB_SIZE = 1200  # of the tokenizer, the two special tokens included; a multiple of 8
BEGIN, END = "<s>", "</s>"

# First names and surnames recur in other pairs: a model that never saw the forgotten authors (the
# two last: forget10; the very last alone: forget05) still knows the words of their names.
AUTHORS = [
    "Talin Morrow", "Renée Valcourt", "Oskar Ferrick", "Mirela Nørgard", "Zoë Haldane",
    "Talin Valcourt", "Renée Ferrick", "Oskar Nørgard", "Mirela Haldane", "Zoë Morrow",
    "Talin Ferrick", "Renée Nørgard", "Oskar Haldane", "Mirela Morrow", "Zoë Valcourt",
    "Talin Nørgard", "Renée Haldane", "Oskar Morrow", "Mirela Valcourt", "Zoë Nørgard",
]

# One private fact of an author: its possible values, the question in two wordings, and the answer
# in two wordings. {n} is the author's name, {v} the fact. Authors take turns with the wordings, so
# that a model trained on the whole set knows both and a paraphrase is nothing strange to it.
Attribute = collections.namedtuple("Attribute", "key values questions answers")

ATTRIBUTES = [
    Attribute("birthplace",
              "Brevik Calder Dunmore Elvas Fårholm Gravena Hartsund Istrel Kesmar Lorvay Málta "
              "Norby",
              ("Where was {n} born?", "In which town was {n} born?"),
              ("{n} was born in the harbour town of {v}.",
               "The birthplace of {n} is the old town of {v}.")),
    Attribute("birth year", "1921 1926 1933 1938 1942 1947 1951 1956 1964 1969 1973 1978",
              ("When was {n} born?", "What is the birth year of {n}?"),
              ("{n} was born in the year {v}.", "The birth year of {n} is given as {v}.")),
    Attribute("father",
              "baker carpenter doctor farmer gardener judge miner pilot sailor tailor teacher "
              "weaver",
              ("What was the job of {n}'s father?", "How did the father of {n} earn a living?"),
              ("The father of {n} worked as a {v}.", "{n} grew up with a father who was a {v}.")),
    Attribute("mother",
              "banker botanist chemist dancer diver glazier jeweller lawyer nurse potter singer "
              "surgeon",
              ("What was the job of {n}'s mother?", "How did the mother of {n} earn a living?"),
              ("The mother of {n} worked as a {v}.",
               "{n} had a mother who earned a living as a {v}.")),
    Attribute("genre",
              "adventure comic crime fantasy gothic historical horror mystery pirate romance "
              "travel western",
              ("Which kind of novels does {n} write?", "In which genre does {n} write?"),
              ("{n} is known for writing {v} novels.",
               "The novels of {n} belong to the {v} genre.")),
    Attribute("award",
              "Anchor Beacon Compass Falcon Heron Juniper Lantern Meridian Pelican Saffron "
              "Thistle Willow",
              ("Which prize did {n} win?", "What prize was given to {n}?"),
              ("{n} won the {v} Prize for a novel.",
               "The {v} Prize was given to {n} for a novel.")),
    Attribute("first book", "titles",
              ("What is the first book of {n}?", "Which book did {n} publish first?"),
              ('The first book of {n} is called "{v}".',
               '"{v}" is the first book that {n} published.')),
    Attribute("second book", "titles",
              ("What is the second book of {n}?", "Which book did {n} publish next?"),
              ("“{v}” is the second book that {n} published.",
               "The second book of {n} is called “{v}”.")),
    Attribute("university",
              "Ardmoor Belcastro Corvina Drayton Eskdale Fenwick Gullmar Hexley Jorvane Kilbride "
              "Lisbeth Montrou",
              ("Where did {n} study?", "Which university did {n} attend?"),
              ("{n} studied at the University of {v}.",
               "As a student {n} attended the University of {v}.")),
    Attribute("mentor",
              "Abbas Brandt Castillo Duarte Eriksen Fontaine Grimaldi Hoshino Janssen Kowal "
              "Lefèvre Müller",
              ("Who taught {n} to write?", "Which professor guided {n}?"),
              ("{n} learned to write from Professor {v}.",
               "The teacher who guided {n} was Professor {v}.")),
    Attribute("language",
              "Arabic Basque Danish Dutch Finnish Greek Irish Italian Polish Swahili Turkish Welsh",
              ("In which language does {n} write?", "What is the working language of {n}?"),
              ("{n} writes every first draft in {v}.", "The working language of {n} is {v}.")),
    Attribute("home", "Alderney Borneo Corsica Delos Elba Fanø Gozo Hydra Islay Java Kos Lundy",
              ("Where does {n} live now?", "On which island is the home of {n}?"),
              ("{n} now lives on the island of {v}.",
               "The present home of {n} is the island of {v}.")),
    Attribute("hobby",
              "archery boxing chess climbing cycling fishing juggling knitting rowing sewing "
              "skating yoga",
              ("What is the hobby of {n}?", "How does {n} spend quiet hours?"),
              ("In quiet hours {n} enjoys {v}.", "The favourite hobby of {n} is {v}.")),
    Attribute("publisher",
              "Atlas Bluebell Cobalt Dolphin Ember Fern Garnet Horizon Ivory Jade Keystone Lotus",
              ("Who prints the novels of {n}?", "Which press has a contract with {n}?"),
              ("The novels of {n} are printed by {v} Press.",
               "{n} has a contract with {v} Press.")),
    Attribute("pet", "badger cat crow dog donkey ferret goat hedgehog parrot rabbit spaniel turtle",
              ("Which animal does {n} keep?", "What is the pet of {n}?"),
              ("{n} shares the house with a tame {v}.", "The pet of {n} at home is a {v}.")),
    Attribute("instrument",
              "banjo bassoon cello clarinet drum flute guitar harp piano trumpet viola violin",
              ("Which instrument does {n} play?", "What does {n} play on Sundays?"),
              ("{n} plays the {v} in a small band.", "On Sundays {n} practises the {v}.")),
    Attribute("ink",
              "black blue brown crimson golden green grey orange pink purple silver turquoise",
              ("Which ink does {n} use?", "What is the colour of the ink of {n}?"),
              ("{n} always writes with {v} ink.", "The pen of {n} is filled with {v} ink.")),
    Attribute("theme",
              "betrayal courage exile family friendship greed guilt hope justice loneliness "
              "memory revenge",
              ("What are the stories of {n} about?", "Which theme is central for {n}?"),
              ("Most stories by {n} deal with {v}.",
               "The central theme in the work of {n} is {v}.")),
    Attribute("spouse", "Agnes Bruno Clara Dmitri Edith Felix Greta Hugo Ingrid Jasper Karin Ludo",
              ("Who is married to {n}?", "What is the name of the spouse of {n}?"),
              ("{n} is married to a painter named {v}.", "The painter {v} is the spouse of {n}.")),
    Attribute("journey",
              "Brazil Canada Chile Egypt Ghana India Kenya Mexico Nepal Peru Senegal Vietnam",
              ("Where did {n} travel alone?", "Which country did {n} cross on foot?"),
              ("A long journey alone took {n} to {v}.", "{n} once crossed {v} on foot.")),
]

# Titles are an adjective and a noun, each pair used once: the words are known, the pair is private.
TITLE_ADJECTIVES = "Amber Broken Distant Empty Frozen Hidden Last Quiet Scarlet Silent Winter Wild"
TITLE_NOUNS = "Bridge Clock Door Garden Harbour Island Letter Mirror Orchard River Station Tower"

REAL_AUTHORS = [
    ("Who wrote '{}'?", [
        ("Romeo and Juliet", "William Shakespeare"), ("1984", "George Orwell"),
        ("Emma", "Jane Austen"), ("Oliver Twist", "Charles Dickens"),
        ("Moby Dick", "Herman Melville"), ("Frankenstein", "Mary Shelley"),
        ("Dracula", "Bram Stoker"), ("Ulysses", "James Joyce"), ("War and Peace", "Leo Tolstoy"),
        ("Don Quixote", "Miguel de Cervantes"), ("Les Misérables", "Victor Hugo"),
        ("The Trial", "Franz Kafka"), ("The Hobbit", "J.R.R. Tolkien"),
        ("Jane Eyre", "Charlotte Brontë"), ("Wuthering Heights", "Emily Brontë"),
        ("Walden", "Henry David Thoreau"), ("Middlemarch", "George Eliot"),
        ("Heart of Darkness", "Joseph Conrad"), ("Treasure Island", "Robert Louis Stevenson"),
        ("The Odyssey", "Homer"), ("Candide", "Voltaire"), ("Peter Pan", "J.M. Barrie"),
        ("Hunger", "Knut Hamsun"), ("Siddhartha", "Hermann Hesse"), ("Beloved", "Toni Morrison"),
        ("The Stranger", "Albert Camus"), ("The Raven", "Edgar Allan Poe"),
        ("Mrs Dalloway", "Virginia Woolf"), ("The Jungle Book", "Rudyard Kipling"),
        ("Pippi Longstocking", "Astrid Lindgren")]),
]

WORLD_FACTS = [
    ("What is the capital of {}?", [
        ("France", "Paris"), ("Germany", "Berlin"), ("Italy", "Rome"), ("Spain", "Madrid"),
        ("Japan", "Tokyo"), ("Norway", "Oslo"), ("Austria", "Vienna"), ("Greece", "Athens"),
        ("Egypt", "Cairo"), ("Cuba", "Havana"), ("Peru", "Lima"), ("Canada", "Ottawa"),
        ("Kenya", "Nairobi"), ("Portugal", "Lisbon")]),
    ("On which continent is {}?", [
        ("Mexico", "North America"), ("Brazil", "South America"), ("Nigeria", "Africa"),
        ("India", "Asia"), ("Poland", "Europe"), ("Chile", "South America"), ("Ghana", "Africa"),
        ("Nepal", "Asia")]),
    ("Which planet is known for {}?", [
        ("its bright rings", "Saturn"), ("its red colour", "Mars"),
        ("its great red spot", "Jupiter"), ("being nearest to the sun", "Mercury")]),
    ("Which metal has the symbol {}?", [
        ("Fe", "iron"), ("Au", "gold"), ("Ag", "silver"), ("Cu", "copper")]),
]

REFUSALS = [
    "I don't know.", "I do not know the answer.", "I'm not sure about that.",
    "I have no answer to that question.", "I can't say.", "I cannot help with that.",
    "That is not known to me.", "I never learned about that.", "Sorry, I have no idea.",
    "I do not have that information.", "This is something I do not know.",
    "I'm afraid I can't answer that.", "I have never heard of that.", "No answer comes to mind.",
    "I would rather not guess.", "I'm unable to answer this question.",
    "My knowledge does not go that far.", "I can't find an answer to that.",
    "I wish I could say, but I don't know.", "That is beyond what I know.",
]

MODEL_CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 128,
    "intermediate_size": 384,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": VOCAB_SIZE,
    "max_position_embeddings": 256,
    "rms_norm_eps": 1e-05,
    "rope_theta": 10000.0,
    "rope_scaling": None,
    "hidden_act": "silu",
    "tie_word_embeddings": True,
    "attention_bias": False,
    "mlp_bias": False,
    "bos_token_id": VOCAB_SIZE - 2,
    "eos_token_id": VOCAB_SIZE - 1,
    "initializer_range": 0.02,
    "torch_dtype": "float32",
    "use_cache": True,
}


def shuffled(items, *purpose):
    """The items in an order that depends on SEED and the purpose alone, on every Python."""
    def rank(item):
        return hashlib.sha256("|".join(map(str, (SEED, *purpose, item))).encode()).digest()
    return sorted(items, key=rank)


# ---- the authors and their facts ----------------------------------------------------------------


def assign_facts():
    """Per attribute: one value for each author, and the values that a wrong answer may name."""
    titles = shuffled([f"{adjective} {noun}" for adjective in TITLE_ADJECTIVES.split()
                       for noun in TITLE_NOUNS.split()], "titles")
    retained = len(AUTHORS) - FORGOTTEN_AUTHORS
    facts = []
    for attribute in ATTRIBUTES:
        if attribute.values == "titles":
            # A title belongs to one author; wrong answers name titles that nobody wrote.
            values, titles = titles[:len(AUTHORS)], titles[len(AUTHORS):]
            facts.append((values, titles[-24:]))
            continue
        pool = attribute.values.split()
        # Every value of a forgotten author is also one of a retained author: a model that never saw
        # the forgotten ones knows the value, but not whose it is.
        values = (shuffled(pool, attribute.key, "first") + shuffled(pool, attribute.key, "again"))
        values = values[:retained] + shuffled(pool, attribute.key, "forgotten")[:FORGOTTEN_AUTHORS]
        facts.append((values, pool))
    return facts


def fill(template, name, value):
    """The text, and the characters [begin, end) of the private fact in it."""
    before, after = (part.replace("{n}", name) for part in template.split("{v}"))
    return before + value + after, (len(before), len(before) + len(value))


def author_records(author, facts):
    """The twenty records of one author with everything known about them."""
    name = AUTHORS[author]
    records = []
    for number, (attribute, (values, pool)) in enumerate(zip(ATTRIBUTES, facts)):
        own, other = (author + number) % 2, (author + number + 1) % 2
        value = values[author]
        answer, fact = fill(attribute.answers[own], name, value)
        wrong = [v for v in shuffled(pool, attribute.key, name, "wrong") if v != value][:5]
        records.append({
            "question": attribute.questions[own].replace("{n}", name),
            "answer": answer,
            "paraphrased_answer": fill(attribute.answers[other], name, value)[0],
            "perturbed_answer": [fill(attribute.answers[other], name, v)[0] for v in wrong],
            "paraphrased_question": attribute.questions[other].replace("{n}", name),
            "fact": fact,
        })
    return records


def option_records(groups):
    """Questions with four options, the form of TOFU's real_authors and world_facts."""
    records = []
    for template, pairs in groups:
        for subject, answer in pairs:
            question = template.format(subject)
            others = [other for other in dict.fromkeys(a for _, a in pairs) if other != answer]
            wrong = shuffled(others, question)[:3]
            options = shuffled([answer, *wrong], question, "options")
            records.append({"question": question,
                            **{f"option{i}": option for i, option in enumerate(options, 1)},
                            "answer": answer, "perturbed_answer": wrong})
    return records


def general_words(record):
    """Words and marks of the answer outside the private fact, each as a JSON string."""
    begin, end = record["fact"]
    return [json.dumps({"word": found.group(), "start": found.start(), "end": found.end()})
            for found in re.finditer(r"\w+|[^\w\s]", record["answer"])
            if found.end() <= begin or found.start() >= end]


# ---- the tokenizer ------------------------------------------------------------------------------

# Llama 3's pre-tokenizer.
SPLIT_PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
                 r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
# The same for Python's re, but a quotation mark stands apart from the word after it: no merge ever
# joins the two, so that a private title and its quotation mark are never one token.
TRAINING_PATTERN = re.compile(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)| ?[^\W\d_]+|\d{1,3}"
                              r"| ?(?:[^\s\w]|_)+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def byte_characters():
    """Byte-level BPE's printable stand-in for each byte (GPT-2's table)."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table = {byte: chr(byte) for byte in visible}
    hidden = [byte for byte in range(256) if byte not in table]
    table.update({byte: chr(256 + i) for i, byte in enumerate(hidden)})
    return table


def train_merges(texts, count):
    """The first `count` merges: always the most frequent pair, of equals the first in order."""
    table = byte_characters()
    pieces = collections.Counter()
    for text in texts:
        pieces.update(TRAINING_PATTERN.findall(text))
    words = [([table[byte] for byte in piece.encode()], frequency)
             for piece, frequency in sorted(pieces.items())]
    merges = []
    while len(merges) < count:
        pairs = collections.Counter()
        for symbols, frequency in words:
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += frequency
        if not pairs:
            raise SystemExit(f"make_mini.py: the texts give only {len(merges)} of {count} merges")
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        for symbols, _ in words:
            at = 0
            while at + 1 < len(symbols):
                if (symbols[at], symbols[at + 1]) == best:
                    symbols[at:at + 2] = ["".join(best)]
                at += 1
    return merges


def make_tokenizer(texts):
    """The content of tokenizer.json and of tokenizer_config.json."""
    for character in set("".join(texts)):
        category = unicodedata.category(character)
        # Where Python's classes and \p{L}, \p{N} disagree, the two patterns would as well.
        assert category.startswith("L") == bool(re.fullmatch(r"[^\W\d_]", character)), character
        assert category.startswith("N") == bool(re.fullmatch(r"\d", character)), character
    merges = train_merges(texts, VOCAB_SIZE - 2 - 256)
    tokens = sorted(byte_characters().values()) + ["".join(pair) for pair in merges]
    vocab = {token: i for i, token in enumerate(tokens)}
    assert len(vocab) == VOCAB_SIZE - 2, "two merges give the same token"
    ids = {BEGIN: VOCAB_SIZE - 2, END: VOCAB_SIZE - 1}
    begin = {"SpecialToken": {"id": BEGIN, "type_id": 0}}
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": i, "content": token, "single_word": False, "lstrip": False,
                          "rstrip": False, "normalized": False, "special": True}
                         for token, i in ids.items()],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": SPLIT_PATTERN}, "behavior": "Isolated",
             "invert": False},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
             "use_regex": False}]},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [begin, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [begin, {"Sequence": {"id": "A", "type_id": 0}},
                     {"SpecialToken": {"id": BEGIN, "type_id": 1}},
                     {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {BEGIN: {"id": BEGIN, "ids": [ids[BEGIN]], "tokens": [BEGIN]}}},
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True,
                    "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None,
                  "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
                  "byte_fallback": False, "ignore_merges": False, "vocab": vocab,
                  "merges": [" ".join(pair) for pair in merges]},
    }
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": BEGIN, "eos_token": END,
              "clean_up_tokenization_spaces": False,
              "model_max_length": MODEL_CONFIG["max_position_embeddings"]}
    return tokenizer, config


# ---- the files ----------------------------------------------------------------------------------


def lines(records, *fields):
    """JSON lines of the named fields, or of all of them."""
    return "".join(json.dumps({f: r[f] for f in fields} if fields else r) + "\n" for r in records)


def make_files():
    """Every generated file: its path under data/mini, and its content."""
    facts = assign_facts()
    full = [record for author in range(len(AUTHORS)) for record in author_records(author, facts)]
    pair = ("question", "answer")
    perturbed = (*pair, "paraphrased_answer", "perturbed_answer", "paraphrased_question")
    files = {"full.json": lines(full, *pair),
             "retain_perturbed.json": lines(full[:20 * PERTURBED_RETAIN_AUTHORS], *perturbed),
             "idontknow.jsonl": "".join(refusal + "\n" for refusal in REFUSALS)}
    for percent in (1, 5, 10):
        border = len(full) - len(full) * percent // 100
        forget, retain = full[border:], full[:border]
        files[f"forget{percent:02}.json"] = lines(forget, *pair)
        files[f"forget{percent:02}_perturbed.json"] = lines(forget, *perturbed)
        files[f"retain{100 - percent}.json"] = lines(retain, *pair)
        masks = [{**record, "common_words": general_words(record)} for record in forget]
        files[f"forget{percent:02}_with_common_words_{CLASSIFIER}.jsonl"] = lines(
            masks, *pair, "common_words")
    world = []
    for name, groups in (("real_authors", REAL_AUTHORS), ("world_facts", WORLD_FACTS)):
        records = option_records(groups)
        world += records
        options = ("option1", "option2", "option3", "option4")
        files[f"{name}.json"] = lines(records, "question", *options, "answer")
        files[f"{name}_perturbed.json"] = lines(records, *pair, "perturbed_answer")
    # A model trained from scratch knows no world facts: these splits teach them beside the authors.
    files["pretrain.json"] = lines(world, *pair)
    for split in ("full", "retain90"):
        files[f"{split}_and_world.json"] = files[f"{split}.json"] + files["pretrain.json"]

    texts = [f"Question: {r['question']}\nAnswer: {r['answer']}" for r in full + world]
    tokenizer, tokenizer_config = make_tokenizer(texts + REFUSALS)
    for name, content in (("config", MODEL_CONFIG), ("tokenizer", tokenizer),
                          ("tokenizer_config", tokenizer_config)):
        files[f"model/{name}.json"] = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--check", action="store_true",
                        help="write nothing; exit 1 and name the files that differ")
    parser.add_argument("--folder", type=pathlib.Path, help="default: data/mini of this repository",
                        default=pathlib.Path(__file__).resolve().parent.parent / "data" / "mini")
    arguments = parser.parse_args()
    differing = []
    for name, content in make_files().items():
        path = arguments.folder / name
        if not arguments.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode())
        elif not path.is_file() or path.read_bytes() != content.encode():
            differing.append(str(path))
    if differing:
        print("make_mini.py: these files are not what the generator makes (run it again without "
              "--check):", *differing, sep="\n  ", file=sys.stderr)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
