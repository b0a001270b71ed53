#!/usr/bin/env python3
"""Checks corpus/ and questions.jsonl; exit status 0 means clean.

Errors: bad JSON or fields, repeated ids or questions, unknown sources, quotes
that are not exact, not unique within the bot, not 40-200 characters, or that
carry Markdown marks; a paraphrase that shares a content word with its quote;
a long question outside 25-60 words; too few questions of a kind or bot.
Warnings: a paraphrase that shares a content word with the rest of the line
its quote stands on (the passage, more widely taken)."""
import collections, json, pathlib, re, sys, unicodedata

ROOT = pathlib.Path(__file__).resolve().parent
KINDS = {"direct": 25, "paraphrase": 25, "number": 25, "near_duplicate": 25, "name": 25,
         "long": 25, "unanswerable": 30, "off_topic": 10}
FIELDS = {"id", "bot", "language", "kind", "question", "expected"}
STOP = {
    "en": """about after again also been before being both could does doing down each even ever from have
        here hers into just like many more most much must need only other over same shall should some such than
        that their them then there these they this those through under until very want were what when where
        which while will with without would your yours""",
    "es": """algo algun alguna ante antes aqui aunque cada como cual cuando cuanto cuantos cuantas donde
        desde durante ella ellos entre esta estan estas este esto estos estoy hasta hola mas menos mientras mucho
        muy nada nunca otra otro para pero porque puede puedo quien segun siempre sino sobre solo tambien tengo
        tiene todo todos tras unas unos vosotros""",
    "de": """aber alle allem allen aller alles also auch auf beim bereits bitte dann dass dein denn deren
        dies diese diesem diesen dieser doch dort dürfen eine einem einen einer eines etwas euch euer gegen habe haben
        hatte hier ihnen ihre ihrem ihren ihrer immer jede jeder jetzt kann kein keine können mehr mein meine meinem
        meinen mich müssen nach nicht nichts noch oder ohne sehr seid sein seine seit sich sind über unser unter viele
        vom wann warum welche wenn werden wieder wird wurde zum zur zwischen""",
}

def fold(text):
    return "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))

STOPPED = {lang: {fold(word) for word in words.split()} for lang, words in STOP.items()}

def stems(text, lang):
    words = re.findall(r"[^\W\d_]+", fold(text))
    return {word[:5] for word in words if len(word) >= 4 and word not in STOPPED[lang]}

def main():
    errors, warnings = [], []
    bots = collections.defaultdict(dict)
    for path in sorted((ROOT / "corpus").glob("*/*.md")):
        text = path.read_text(encoding="utf-8")
        bots[path.parent.name][path.name] = text
        words = len(text.split())
        if not 350 <= words <= 900:
            errors.append(f"{path}: {words} words")
    ids, seen = set(), set()
    table = collections.defaultdict(collections.Counter)
    for number, line in enumerate((ROOT / "questions.jsonl").read_text(encoding="utf-8").splitlines(), 1):
        try:
            item = json.loads(line)
        except ValueError as problem:
            errors.append(f"line {number}: {problem}")
            continue
        if set(item) != FIELDS:
            errors.append(f"line {number}: fields {sorted(item)}")
            continue
        name, bot, lang, kind = item["id"], item["bot"], item["language"], item["kind"]
        def bad(text):
            errors.append(f"{name}: {text}")
        if name in ids: bad("id repeated")
        ids.add(name)
        if not name.startswith(bot + "-"): bad("id does not begin with the bot")
        if bot not in bots: bad(f"no corpus for {bot}"); continue
        if not bot.endswith("-" + lang): bad("language does not fit the bot")
        if kind not in KINDS: bad(f"kind {kind}")
        question = item["question"].strip()
        if not question or question != item["question"]: bad("question empty or with outer spaces")
        if (bot, fold(question)) in seen: bad("question repeated")
        seen.add((bot, fold(question)))
        table[bot][kind] += 1
        if (kind in ("unanswerable", "off_topic")) != (item["expected"] == []):
            bad("expected must be empty for unanswerable and off_topic, and only for them")
        if kind == "long" and not 25 <= len(question.split()) <= 60:
            bad(f"long question of {len(question.split())} words")
        for wanted in item["expected"]:
            if set(wanted) != {"source", "quote"}: bad("expected fields"); continue
            source, quote = wanted["source"], wanted["quote"]
            if source not in bots[bot]: bad(f"no document {source}"); continue
            if "\n" in quote or not 40 <= len(quote) <= 200: bad(f"quote of {len(quote)} characters: {quote}")
            if re.search(r"[|*`#]", quote): bad(f"Markdown in quote: {quote}")
            here = bots[bot][source].count(quote)
            everywhere = sum(text.count(quote) for text in bots[bot].values())
            if here != 1 or everywhere != 1:
                bad(f"quote found {here} times in {source}, {everywhere} in the bot: {quote}"); continue
            if kind == "paraphrase":
                shared = stems(question, lang) & stems(quote, lang)
                if shared: bad(f"paraphrase shares {sorted(shared)} with the quote")
                passage = next(l for l in bots[bot][source].splitlines() if quote in l)
                shared = stems(question, lang) & stems(passage, lang)
                if shared: warnings.append(f"{name}: shares {sorted(shared)} with the passage")
    totals = sum(table.values(), collections.Counter())
    for kind, least in KINDS.items():
        if totals[kind] < least: errors.append(f"only {totals[kind]} of kind {kind}")
    for bot in bots:
        if sum(table[bot].values()) < 20: errors.append(f"only {sum(table[bot].values())} questions for {bot}")
    print("bot".ljust(11) + "docs".rjust(5) + "words".rjust(7) + "".join(k[:12].rjust(15) for k in KINDS) + "all".rjust(6))
    for bot in sorted(bots):
        words = sum(len(text.split()) for text in bots[bot].values())
        print(bot.ljust(11) + str(len(bots[bot])).rjust(5) + str(words).rjust(7)
              + "".join(str(table[bot][k]).rjust(15) for k in KINDS) + str(sum(table[bot].values())).rjust(6))
    words = sum(len(t.split()) for d in bots.values() for t in d.values())
    print("all".ljust(11) + str(sum(map(len, bots.values()))).rjust(5) + str(words).rjust(7)
          + "".join(str(totals[k]).rjust(15) for k in KINDS) + str(sum(totals.values())).rjust(6))
    for text in warnings: print("warning:", text)
    for text in errors: print("error:", text)
    print(f"{len(errors)} errors, {len(warnings)} warnings")
    return 1 if errors else 0

if __name__ == "__main__":
    sys.exit(main())
