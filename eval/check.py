#!/usr/bin/env python3
"""Checks corpus/ and questions.jsonl; exit status 0 means clean.

Errors: bad JSON or fields; repeated ids or questions; unknown sources; quotes
that are not exact, not unique within the bot, too short or too long, or with
Markdown marks; answers that are not part of their quote; a paraphrase that
shares a content word with its quote; a long question outside 25-60 words; a
table, list or faq question whose quote is on another kind of line; a language
that does not match the bot; halves that differ by more than one question; too
few questions of a kind or bot.
Warnings: a paraphrase that shares a content word with the rest of the line of
its quote (the passage in a wider sense).

Rule for quotes. A quote is an exact substring of one line.
- Prose: 40-200 characters, without | * ` #.
- Table row: 10-200 characters; the bars between cells are part of the quote,
  the outer bars are not.
- List item or step: 10-200 characters, without "- " or "1. ".
- Answer after "A:", "R:": as prose, without the label.
"""
import collections, json, pathlib, re, sys, unicodedata

ROOT = pathlib.Path(__file__).resolve().parent
KINDS = {"direct": 35, "paraphrase": 35, "number": 35, "near_duplicate": 35, "name": 35,
         "long": 30, "unanswerable": 45, "off_topic": 15, "table": 30, "list": 20, "faq": 20,
         "cross_language": 30}
SILENT = {"unanswerable", "off_topic"}
SPLITS = {"tune", "check"}
FIELDS = {"id", "bot", "language", "kind", "split", "question", "expected"}
ITEM = re.compile(r"(?:- |\d+\. )")
LABEL = re.compile(r"[A-Z] ?: ")
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
    "fr": """afin ainsi alors apres aucun aussi autre autres avant avec avez avoir avons bien cela celle celui
        cette ceux chaque chez comme comment contre dans depuis donc elle elles encore entre etes etre faire fait
        faut jamais jusqu leur leurs lors lorsque mais meme moins nous notre parce pendant peut peux plus pour
        pourquoi puis quand quel quelle quelles quels quelque quoi sans sera sont sous tous tout toute toutes tres
        vers voici vont votre vous vos""",
    "it": """alla alle allo anche ancora avete avere abbiamo chi ciascuno come comunque contro cosa cosi cui dalla
        dalle dallo degli della delle dello dentro deve devo dopo dove dunque entro ecco essere fare fino fuori hanno
        loro mentre mia mio molto nella nelle nello niente nostra nostro ogni oltre oppure perche pero poco poi prima
        proprio quale quali quando quanto quella quelle quelli quello questa queste questi questo sara sempre senza
        sono sopra sotto stata stato sulla sulle tanto tutta tutte tutti tutto una uno vostra vostro""",
    "pt": """agora ainda algum alguma antes apenas aqui assim ate cada com como contra consigo daquele depois desde
        desta deste disso durante ela elas ele eles entre essa esse esta este estou fazer fica fora isso isto
        mais mas mesmo meu minha muito nada nem nenhum nossa nosso nunca onde outra outro para pela pelas pelo pelos
        pode podem porque posso pouco quais qual qualquer quando quanto quanta quem sempre sera seus sobre sua
        tambem tem tenho toda todas todo todos uma umas vossa vosso""",
}


def fold(text):
    return "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))


STOPPED = {lang: {fold(word) for word in words.split()} for lang, words in STOP.items()}


def stems(text, lang):
    words = re.findall(r"[^\W\d_]+", fold(text))
    return {word[:5] for word in words if len(word) >= 4 and word not in STOPPED[lang]}


def form(line):
    """The form of a Markdown line, for the rule for quotes."""
    if line.startswith("|"):
        return "row"
    return "item" if ITEM.match(line) else "prose"


def quote_problems(quote, line):
    """Violations of the rule for quotes by a quote on that line."""
    kind = form(line)
    if not (40 if kind == "prose" else 10) <= len(quote) <= 200:
        yield f"quote of {len(quote)} characters: {quote}"
    if re.search(r"[*`#]" if kind == "row" else r"[|*`#]", quote):
        yield f"Markdown in quote: {quote}"
    if quote != quote.strip(" |"):
        yield f"quote with outer bars or spaces: {quote}"
    if kind == "item" and ITEM.match(quote) or LABEL.match(quote) and line.startswith(quote):
        yield f"quote with the list marker or label of its line: {quote}"


def is_faq_answer(lines, index):
    """Whether the paragraph at the index follows a question directly."""
    above = [line for line in lines[:index] if line.strip()]
    return bool(above) and above[-1].strip().rstrip("*").rstrip().endswith("?")


def corpus(errors):
    bots = collections.defaultdict(dict)
    for path in sorted((ROOT / "corpus").glob("*/*.md")):
        text = path.read_text(encoding="utf-8")
        bots[path.parent.name][path.name] = text
        words = len(text.split())
        if not 350 <= words <= 900:
            errors.append(f"{path}: {words} words")
    return bots


def check_expected(item, documents, bad, warn):
    kind, lang = item["kind"], item["language"]
    for expected in item["expected"]:
        if set(expected) != {"source", "quote"}: bad("expected fields"); continue
        source, quote = expected["source"], expected["quote"]
        if source not in documents: bad(f"no document {source}"); continue
        here = documents[source].count(quote)
        everywhere = sum(text.count(quote) for text in documents.values())
        lines = documents[source].splitlines()
        at = next((index for index, line in enumerate(lines) if quote in line), None)
        if here != 1 or everywhere != 1 or at is None:
            bad(f"quote found {here} times in {source}, {everywhere} in the bot: {quote}"); continue
        line = lines[at]
        for problem in quote_problems(quote, line): bad(problem)
        if kind == "table" and form(line) != "row": bad("quote is not a table row")
        if kind == "list" and form(line) != "item": bad("quote is not a list item")
        if kind == "faq" and not is_faq_answer(lines, at): bad("quote does not follow a question")
        if kind == "paraphrase":
            shared = stems(item["question"], lang) & stems(quote, lang)
            if shared: bad(f"paraphrase shares {sorted(shared)} with the quote")
            shared = stems(item["question"], lang) & stems(line, lang)
            if shared: warn(f"shares {sorted(shared)} with the passage")


def check_answer(item, bad):
    if not item["expected"]:
        if "answer" in item: bad("answer without a passage")
        return
    answer = item.get("answer")
    if not isinstance(answer, str) or answer != answer.strip(): bad("no answer, or outer spaces"); return
    if not 1 <= len(answer.split()) <= 8: bad(f"answer of {len(answer.split())} words")
    if not any(answer in expected.get("quote", "") for expected in item["expected"]):
        bad(f"answer is not part of the quote: {answer}")


def main():
    errors, warnings = [], []
    bots = corpus(errors)
    ids, seen = set(), set()
    table = collections.defaultdict(collections.Counter)
    halves = collections.defaultdict(collections.Counter)
    for number, line in enumerate((ROOT / "questions.jsonl").read_text(encoding="utf-8").splitlines(), 1):
        try:
            item = json.loads(line)
        except ValueError as problem:
            errors.append(f"line {number}: {problem}")
            continue
        if not FIELDS <= set(item) <= FIELDS | {"answer"}:
            errors.append(f"line {number}: fields {sorted(item)}")
            continue
        name, bot, lang, kind = item["id"], item["bot"], item["language"], item["kind"]
        def bad(text):
            errors.append(f"{name}: {text}")
        def warn(text):
            warnings.append(f"{name}: {text}")
        if name in ids: bad("repeated id")
        ids.add(name)
        if not name.startswith(bot + "-"): bad("id does not start with the bot")
        if bot not in bots: bad(f"no corpus for {bot}"); continue
        if kind not in KINDS: bad(f"kind {kind}"); continue
        if lang not in STOP: bad(f"language {lang}"); continue
        if bot.endswith("-" + lang) == (kind == "cross_language"): bad("language does not match the bot")
        if item["split"] not in SPLITS: bad(f"split {item['split']}")
        question = item["question"].strip()
        if not question or question != item["question"]: bad("empty question, or outer spaces")
        if (bot, fold(question)) in seen: bad("repeated question")
        seen.add((bot, fold(question)))
        table[bot][kind] += 1
        halves[bot, "all"][item["split"]] += 1
        halves[bot, kind][item["split"]] += 1
        if (kind in SILENT) != (item["expected"] == []):
            bad("expected must be empty for unanswerable and off_topic, and only for them")
        if kind == "long" and not 25 <= len(question.split()) <= 60:
            bad(f"long question of {len(question.split())} words")
        check_expected(item, bots[bot], bad, warn)
        check_answer(item, bad)
    for (bot, kind), half in sorted(halves.items()):
        if abs(half["tune"] - half["check"]) > 1:
            errors.append(f"{bot}, {kind}: {half['tune']} in tune and {half['check']} in check")
    totals = sum(table.values(), collections.Counter())
    for kind, minimum in KINDS.items():
        if totals[kind] < minimum: errors.append(f"only {totals[kind]} of kind {kind}")
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
