"""Extracts text with other tools, as a reference for the bench's `extract`.

usage: extract_text.py <codecs|libreoffice|markitdown|readability|trafilatura> < paths

Reads one path per line; a path that ends in `.gz` is a gzipped web page. Prints one line of JSON per path: "path" and
"text", which is null where the tool fails. Exits with status 3 if the tool is not installed.
"""

import gzip
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Encodings with different names in Python and in the names of test files.
CODECS = {"maccyrillic": "mac_cyrillic", "johab": "johab", "utf-16le": "utf_16_le", "utf-16be": "utf_16_be"}

# Maximum time per file, in seconds.
TIMEOUT = 60


def page(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def codecs(path: Path) -> str:
    """Decodes a text file by the encoding in its name: `ch-Big5__ude_1.txt`, `ch-Johab_readme.txt`."""
    stated = re.sub(r"^[a-z]+-", "", path.stem).replace("__", "_").split("_")[0].lower()
    # `iso-8859-2-czech`: the language follows the encoding.
    iso = re.match(r"iso-8859-\d+|windows-\d+", stated)
    name = CODECS.get(stated, iso.group() if iso else stated)
    return path.read_bytes().decode(name)


def libreoffice(path: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        profile = f"-env:UserInstallation=file://{folder}/profile"
        command = ["soffice", profile, "--headless", "--convert-to", "txt:Text (encoded):UTF8", "--outdir", folder]
        subprocess.run([*command, str(path)], check=True, capture_output=True, timeout=TIMEOUT)
        return (Path(folder) / f"{path.stem}.txt").read_text("utf-8-sig")


def tool(name: str):
    if name == "codecs":
        return codecs
    if name == "libreoffice":
        return libreoffice if shutil.which("soffice") else None
    try:
        if name == "markitdown":
            from markitdown import MarkItDown

            converter = MarkItDown()
            return lambda path: converter.convert(path).text_content
        if name == "trafilatura":
            import trafilatura

            return lambda path: trafilatura.extract(page(path), include_tables=True) or ""
        if name == "readability":
            import lxml.html
            from readability import Document

            return lambda path: lxml.html.fromstring(
                Document(page(path).decode("utf-8", "replace")).summary()
            ).text_content()
    except ImportError:
        return None
    sys.exit(__doc__)


def main(name: str) -> None:
    extract = tool(name)
    if extract is None:
        sys.exit(3)
    for line in sys.stdin:
        path = Path(line.rstrip("\n"))
        try:
            text = extract(path)
        except Exception:  # A tool may raise anything for a file that it cannot read.
            text = None
        print(json.dumps({"path": str(path), "text": text}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) == 2 else "")
