"""Tests answers by a third-party model server: llama.cpp through llama-cpp-python, with a tiny generated model of random
weights. The text is meaningless; the test checks requests, streaming and usage counts.

For developers, not for CI: llama-cpp-python compiles for ten minutes.

    python3 -m venv /tmp/llama && /tmp/llama/bin/pip install 'llama-cpp-python[server]' gguf
    cargo build && /tmp/llama/bin/python .ci/llama.d/check.py target/debug/parlance
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import gguf
import numpy as np

WIDTH, HEADS, LAYERS, INNER, CONTEXT = 64, 4, 2, 128, 4096
TEXT = "# Returns\n\nGoods may be returned within thirty days of purchase.\n"


def write_model(path: Path) -> None:
    """Writes a two-layer llama model with one token per byte."""
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL] + [gguf.TokenType.BYTE] * 256
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    chance = np.random.default_rng(7)

    def weights(name: str, *shape: int) -> None:
        writer.add_tensor(name, chance.normal(0, 0.05, shape).astype(np.float32))

    weights("token_embd.weight", len(tokens), WIDTH)
    weights("output.weight", len(tokens), WIDTH)
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    for layer in range(LAYERS):
        for norm in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{norm}.weight", np.ones(WIDTH, np.float32))
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            weights(f"blk.{layer}.{name}.weight", WIDTH, WIDTH)
        weights(f"blk.{layer}.ffn_gate.weight", INNER, WIDTH)
        weights(f"blk.{layer}.ffn_up.weight", INNER, WIDTH)
        weights(f"blk.{layer}.ffn_down.weight", WIDTH, INNER)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main(parlance: str) -> None:
    running = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        try:
            check(str(Path(parlance).absolute()), work, running)
        finally:
            for process in running:
                process.terminate()
                process.wait(30)


def check(parlance: str, work: Path, running: list) -> None:
    write_model(work / "tiny.gguf")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (work / "log").open("wb")
    server = [sys.executable, "-m", "llama_cpp.server", "--model", str(work / "tiny.gguf"), "--n_ctx", str(CONTEXT)]
    server += ["--port", str(port), "--model_alias", "tiny", "--chat_format", "llama-2"]
    running.append(subprocess.Popen(server, stdout=log, stderr=log))
    until(work, "llama.cpp answers", lambda: request("GET", f"http://127.0.0.1:{port}/v1/models"))
    settings = {"LLM_MODEL": "tiny", "LLM_BASE_URL": f"http://127.0.0.1:{port}/v1/", "LLM_CONTEXT_TOKENS": "1000"}
    # Generous timeouts: the model generates until its context is full.
    settings |= {"LLM_FIRST_TOKEN_SECONDS": "120", "LLM_TOTAL_SECONDS": "600"}
    up = [parlance, "up", "--data-dir", str(work / "data"), "--port", "0", "--no-demo"]
    running.append(subprocess.Popen(up, env=os.environ | settings, stdout=log, stderr=log))
    found = until(work, "Parlance is up", lambda: json.loads((work / "data/up.json").read_text()))
    api, key = found["url"] + "/api/v1", {"X-API-Key": found["api_key"], "Content-Type": "application/json"}
    call = lambda path, body, **more: request("POST", api + path, key | more, json.dumps(body).encode())
    bot = json.loads(call("/bots", {"name": "Shop", "channel_type": "api"}))["data"]["id"]
    source = {"bot_id": bot, "name": "Returns", "source_type": "text", "content": TEXT}
    source = json.loads(call("/knowledge/sources", source))["data"]["id"]
    state = lambda: json.loads(request("GET", f"{api}/knowledge/sources/{source}", key))["data"]["source"]["status"]
    until(work, "the source is ready", lambda: state() == "ready")

    question = {"message": "How long may goods be returned?"}
    answer = json.loads(call("/conversations/one/messages", question))["data"]["bot_response"]
    print("without streaming:", {name: answer[name] for name in ("model", "degraded", "usage", "timings_ms")})
    assert (answer["model"], answer["degraded"]) == ("tiny", False), answer
    # This server reports no usage while it streams.

    stream = call("/conversations/two/messages", question, Accept="text/event-stream").decode()
    events = [dict(line.split(": ", 1) for line in event.splitlines() if ": " in line) for event in stream.split("\n\n")]
    events = [(event["event"], json.loads(event["data"])) for event in events if "event" in event]
    deltas = [data["text"] for name, data in events if name == "delta"]
    name, final = events[-1]
    print(f"streaming: {len(deltas)} deltas,", {name: final[name] for name in ("model", "degraded", "usage")})
    assert name == "bot_response" and len(deltas) > 5, events[-1]
    assert final["message"] == "".join(deltas), "the stored answer differs from the deltas"
    print("ok")


def until(work: Path, what: str, probe):
    started = time.monotonic()
    while time.monotonic() - started < 60:
        try:
            if found := probe():
                return found
        except (OSError, ValueError):
            pass
        time.sleep(0.2)
    print((work / "log").read_text(errors="replace")[-3000:])
    sys.exit(f"timed out: {what}")


def request(method: str, url: str, headers: dict[str, str] = {}, body: bytes | None = None) -> bytes:
    message = urllib.request.Request(url, data=body, method=method, headers=headers)
    with urllib.request.urlopen(message, timeout=600) as response:
        return response.read()


main(*sys.argv[1:])
